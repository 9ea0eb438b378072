import { Minhash } from 'minhash';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  createSignature,
  createSignatureOfHashes,
  estimateSimilarity,
  mix,
  signatureLength,
  sketch,
} from '../../src/dedup/minhash.ts';
import { hashTokens, tokensOf } from '../../src/dedup/tokens.ts';

const trials = 400;
const piece = fc.constantFrom('<num>', '<', '>', '!=', '-', 'A', 'b', '7', 'É', '磁', '🔴', '↑', ' ', 'İ');
let seed = 20_260_101;

function nextHash(): number {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return mix(seed);
}

function hashes(count: number): number[] {
  return Array.from({ length: count }, nextHash);
}

function sketchOf(set: readonly number[]): Uint32Array {
  const into = new Uint32Array(signatureLength);
  sketch(Uint32Array.from(set), set.length, into);
  return into;
}

/** Two sets of random hashes with `sharedCount` of `unionCount` elements in common. */
function pairOf(unionCount: number, sharedCount: number): readonly [number[], number[]] {
  const shared = hashes(sharedCount);
  const ownCount = (unionCount - sharedCount) >> 1;
  const first = [...shared, ...hashes(ownCount)];
  return [first, [...shared, ...hashes(unionCount - sharedCount - ownCount)]];
}

describe.each([20, 100, 1000])('sets with %i elements between them', (unionCount) => {
  test.each([0.1, 0.25, 0.5, 0.75, 0.9, 0.95])(
    'at similarity %f the estimate is as good as theory says',
    (j) => {
      const sharedCount = Math.round(unionCount * j);
      const exact = sharedCount / unionCount;
      let sum = 0;
      let squares = 0;
      for (let i = 0; i < trials; i++) {
        const [a, b] = pairOf(unionCount, sharedCount);
        const error = estimateSimilarity(sketchOf(a), sketchOf(b)) - exact;
        sum += error;
        squares += error * error;
      }
      const standardError = Math.sqrt((exact * (1 - exact)) / signatureLength);
      // Both bounds are four standard deviations of what is measured.
      expect(Math.sqrt(squares / trials)).toBeLessThan(standardError * (1 + 4 / Math.sqrt(2 * trials)));
      expect(Math.abs(sum / trials)).toBeLessThan((4 * standardError) / Math.sqrt(trials));
    },
  );
});

test('over 10,000 random pairs the error is within theory, and no larger than that of the package minhash', () => {
  const pairs = 10_000;
  const oracle = [
    new Minhash({ numPerm: signatureLength }),
    new Minhash({ numPerm: signatureLength }),
  ] as const;
  const errors = { ours: 0, theirs: 0, theory: 0, bias: 0 };
  let compared = 0;
  for (let i = 0; i < pairs; i++) {
    const unionCount = 10 + (nextHash() % 90);
    const sharedCount = Math.round(unionCount * (0.1 + 0.85 * (nextHash() / 2 ** 32)));
    const [a, b] = pairOf(unionCount, sharedCount);
    const exact = sharedCount / unionCount;
    const error = estimateSimilarity(sketchOf(a), sketchOf(b)) - exact;
    errors.ours += error * error;
    errors.bias += error;
    errors.theory += (exact * (1 - exact)) / signatureLength;
    // The package is slow: every tenth pair.
    if (i % 10 > 0) continue;
    compared++;
    for (const [n, set] of [a, b].entries()) {
      oracle[n]!.hashvalues.fill(2 ** 32 - 1);
      for (const hash of set) oracle[n]!.update(`element ${hash}`);
    }
    errors.theirs += (oracle[0].jaccard(oracle[1]) - exact) ** 2;
  }
  const [ours, theory] = [Math.sqrt(errors.ours / pairs), Math.sqrt(errors.theory / pairs)];
  // The bound of theory and four standard deviations of what is measured.
  expect(ours).toBeLessThan(theory * (1 + 4 / Math.sqrt(2 * pairs)));
  expect(Math.abs(errors.bias / pairs)).toBeLessThan((4 * theory) / Math.sqrt(pairs));
  expect(ours).toBeLessThan(Math.sqrt(errors.theirs / compared) * (1 + 4 / Math.sqrt(2 * compared)));
});

test('the package minhash estimates the same similarities', () => {
  for (const sharedCount of [10, 50, 80, 95]) {
    const [a, b] = pairOf(100, sharedCount);
    const oracles = [a, b].map((set) => {
      const oracle = new Minhash({ numPerm: signatureLength });
      for (const hash of set) oracle.update(`element ${hash}`);
      return oracle;
    });
    const theirs = oracles[0]!.jaccard(oracles[1]!);
    const ours = estimateSimilarity(sketchOf(a), sketchOf(b));
    // The error of a difference of two estimates, four times.
    const j = sharedCount / 100;
    expect(Math.abs(ours - theirs)).toBeLessThan(4 * Math.sqrt((2 * j * (1 - j)) / signatureLength));
  }
});

test('order and repetition of elements change nothing', () => {
  const set = hashes(50);
  expect(sketchOf([...set, ...set.slice(0, 20)].toReversed())).toEqual(sketchOf(set));
});

test('a set of one element fills every slot', () => {
  const [a, b] = [sketchOf(hashes(1)), sketchOf(hashes(1))];
  expect(estimateSimilarity(a, a)).toBe(1);
  expect(estimateSimilarity(a, b)).toBe(0);
  expect(new Set(a).size).toBeGreaterThan(signatureLength / 2);
});

test('a text signs its words, pairs and triples of words', () => {
  const texts = [
    'the disk of the database is almost full and writes will fail soon',
    'the disk of the database is almost full and reads will fail soon',
    'the disk of the cache is almost full',
    'soon fail will writes and full almost is database the of disk the',
  ];
  for (const a of texts) {
    for (const b of texts) {
      const [setA, setB] = [shinglesOf(a), shinglesOf(b)];
      const sharedCount = [...setA].filter((shingle) => setB.has(shingle)).length;
      const exact = sharedCount / new Set([...setA, ...setB]).size;
      expect(Math.abs(estimateSimilarity(sign(a), sign(b)) - exact)).toBeLessThan(
        4 * Math.sqrt((exact * (1 - exact)) / signatureLength) + 1e-9,
      );
    }
  }
});

test('hashing a template gives the signature of its tokens', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string({ unit: 'binary' }), fc.lorem(), fc.string({ unit: piece })),
      (template) => {
        const { hashes, count } = hashTokens(template);
        const [a, b] = [new Uint32Array(signatureLength), new Uint32Array(signatureLength)];
        createSignatureOfHashes(hashes, count, a);
        createSignature(tokensOf(template), b);
        expect(a).toEqual(b);
      },
    ),
  );
});

test('very long texts are signed whole', () => {
  const words = Array.from({ length: 5000 }, (_, i) => `word${i}`);
  const [a, b] = [new Uint32Array(signatureLength), new Uint32Array(signatureLength)];
  createSignature(words, a);
  createSignature(words.slice(0, 2500), b);
  expect(Math.abs(estimateSimilarity(a, b) - 0.5)).toBeLessThan(4 * 0.044);
});

test('signatures of different lengths are refused', () => {
  expect(() => estimateSimilarity([1, 2], [1])).toThrow(RangeError);
  expect(() => createSignature(['a'], new Uint32Array(64))).toThrow(RangeError);
});

function sign(text: string): Uint32Array {
  const into = new Uint32Array(signatureLength);
  createSignature(text.split(' '), into);
  return into;
}

function shinglesOf(text: string): Set<string> {
  const words = text.split(' ');
  return new Set([1, 2, 3].flatMap((size) => words.flatMap((_, i) => words.slice(i, i + size).join(' '))));
}
