/**
 * MinHash signatures per second of the same texts: our kernel beside the package `minhash`, and how close both come to the exact similarity.
 * The package gets its best case: shingles made beforehand, one object used over and over.
 */
import { Minhash } from 'minhash';
import { maskTemplate, maskText } from '../src/dedup/mask.ts';
import {
  createSignature,
  createSignatureOfHashes,
  estimateSimilarity,
  mix,
  signatureLength,
} from '../src/dedup/minhash.ts';
import { hashTokens } from '../src/dedup/tokens.ts';

const secondsEach = Number(process.argv[2] ?? 2);
const subjects = ['disk', 'memory', 'request rate', 'replication lag', 'queue depth', 'error budget'];
const places = ['checkout', 'payments', 'search', 'inventory', 'profile', 'shipping'];
const states = ['is above its limit', 'has been rising for the last hour', 'fell below what is usual'];

/** From a short line to a long one. */
const kinds: readonly (readonly [string, (i: number) => string])[] = [
  ['short', (i) => `${subjects[i % 6]} on ${places[Math.floor(i / 6) % 6]} run ${i}`],
  [
    'usual',
    (i) =>
      `${subjects[i % 6]} of ${places[Math.floor(i / 6) % 6]} ${states[i % 3]}: ${i % 100}% at 10.0.${i % 200}.7`,
  ],
  [
    'long',
    (i) =>
      `${subjects[i % 6]} of ${places[Math.floor(i / 6) % 6]}-7d9f8b6c5-x${1000 + i} ${states[Math.floor(i / 36) % 3]}: ` +
      `${i % 100}% at 10.0.${i % 200}.7:9100, look at run ${i} of the ${places[Math.floor(i / 6) % 6]} dashboard`,
  ],
];
const signature = new Uint32Array(signatureLength);
const peer = new Minhash({ numPerm: signatureLength });
console.log(
  `${signatureLength} slots, 2,000 texts of each kind, ${secondsEach} s each in turns, the fastest turn of each. Both get the same shingles: words, ` +
    'pairs and triples, masked beforehand; ours words, from which it makes and hashes shingles itself, the package ready strings, its best case.',
);
console.log(
  'shingles   tocsin words/s   text/s (masking too)   minhash/s   as in its README   ratio   with masking',
);
for (const [kind, create] of kinds) {
  const texts = Array.from({ length: 2000 }, (_, i) => create(i));
  const words = texts.map((text) => [...maskText(text).tokens]);
  const shingles = words.map(shinglesOf);
  const shingleCount = shingles.reduce((sum, list) => sum + list.length, 0) / shingles.length;
  const [ours, masked, theirs, theirsNew] = fastest(
    (i) => createSignature(words[i]!, signature),
    (i) => {
      const { hashes, count } = hashTokens(maskTemplate(texts[i]!));
      createSignatureOfHashes(hashes, count, signature);
    },
    (i) => {
      peer.hashvalues.fill(2 ** 32 - 1);
      for (const shingle of shingles[i]!) peer.update(shingle);
    },
    (i) => {
      const fresh = new Minhash({ numPerm: signatureLength });
      for (const shingle of shingles[i]!) fresh.update(shingle);
    },
  ) as [number, number, number, number];
  console.log(
    `${shingleCount.toFixed(0).padStart(3)} ${kind}${shown(ours, 16)}${shown(masked, 23)}${shown(theirs, 12)}${shown(theirsNew, 19)}` +
      `${(ours / theirs).toFixed(0).padStart(7)}x${(masked / theirs).toFixed(0).padStart(14)}x`,
  );
}
const errors = estimateErrors();
console.log(
  `root mean square error of the estimate: tocsin ${errors.ours.toFixed(4)}, minhash ${errors.theirs.toFixed(4)}`,
);

/** Calls a second of each, in its fastest turn of 4 ms: what else the machine does slows some turns down and none up. */
function fastest(...contenders: readonly ((index: number) => void)[]): number[] {
  const best = contenders.map(() => 0);
  const next = contenders.map(() => 0);
  for (let turn = 0; turn < secondsEach * 250; turn++) {
    for (const [n, sign] of contenders.entries()) {
      const started = performance.now();
      let done = 0;
      let elapsed = 0;
      while (elapsed < 4) {
        for (let batch = 0; batch < 4; batch++, done++) sign((next[n]! + done) % 2000);
        elapsed = performance.now() - started;
      }
      next[n]! += done;
      best[n] = Math.max(best[n]!, (done * 1000) / elapsed);
    }
  }
  return best;
}

function shinglesOf(list: readonly string[]): string[] {
  return [1, 2, 3].flatMap((size) =>
    Array.from({ length: Math.max(0, list.length - size + 1) }, (_, i) => list.slice(i, i + size).join(' ')),
  );
}

/** Of texts of 20 random words, one to ten of which are other ones in the second. */
function estimateErrors(): { ours: number; theirs: number } {
  let [ourSquares, theirSquares] = [0, 0];
  const pairs = 400;
  for (let i = 0; i < pairs; i++) {
    const first = Array.from({ length: 20 }, (_, n) => `w${mix(i * 100 + n)}`);
    const second = first.map((word, n) => (n <= i % 10 ? `v${mix(i * 100 + n)}` : word));
    const [setA, setB] = [shinglesOf(first), shinglesOf(second)];
    const shared = setA.filter((shingle) => setB.includes(shingle)).length;
    const exact = shared / (setA.length + setB.length - shared);
    const [ourA, ourB] = [first, second].map((list) => {
      const into = new Uint32Array(signatureLength);
      createSignature(list, into);
      return into;
    });
    const [theirA, theirB] = [setA, setB].map((set) => {
      const sketch = new Minhash({ numPerm: signatureLength });
      for (const shingle of set) sketch.update(shingle);
      return sketch;
    });
    ourSquares += (estimateSimilarity(ourA!, ourB!) - exact) ** 2;
    theirSquares += (theirA!.jaccard(theirB!) - exact) ** 2;
  }
  return { ours: Math.sqrt(ourSquares / pairs), theirs: Math.sqrt(theirSquares / pairs) };
}

function shown(rate: number, width: number): string {
  return Math.round(rate).toLocaleString('en-US').padStart(width);
}
