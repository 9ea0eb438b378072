import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LshIndex, lshShape } from '../../src/dedup/lsh.ts';
import { estimateSimilarity, mix, signatureLength } from '../../src/dedup/minhash.ts';

interface Item {
  readonly order: number;
  readonly signature: readonly number[];
}

/** Signatures of a few families; those of one family agree in most slots. */
function itemOf(order: number, family: number): Item {
  const signature = Array.from({ length: signatureLength }, (_, slot) =>
    mix(slot * 31 + order) % 10 === 0 ? mix(order * 1000 + slot) : mix(family * 1000 + slot),
  );
  return { order, signature };
}

describe('the shape', () => {
  test.each([0.5, 0.7, 0.8, 0.9, 0.95])('at threshold %f finds what is that similar', (threshold) => {
    const { bands, rows } = lshShape(signatureLength, threshold);
    expect(bands * rows).toBeLessThanOrEqual(signatureLength);
    expect(1 - (1 - threshold ** rows) ** bands).toBeGreaterThanOrEqual(0.99);
  });

  test('has more rows, and so fewer false candidates, the higher the threshold', () => {
    const rows = [0.5, 0.7, 0.8, 0.9, 0.95].map((threshold) => lshShape(signatureLength, threshold).rows);
    expect(rows).toEqual(rows.toSorted((a, b) => a - b));
    expect(lshShape(signatureLength, 0.8)).toEqual({ bands: 21, rows: 6 });
  });
});

test('similar signatures are found, others hardly', () => {
  const index = new LshIndex<Item>(lshShape(signatureLength, 0.8));
  const items = Array.from({ length: 200 }, (_, i) => itemOf(i, i % 40));
  for (const item of items) index.add(item, 0, item.signature);
  for (const item of items) {
    const found = new Set(index.candidates(0, item.signature));
    const alike = items.filter((other) => estimateSimilarity(other.signature, item.signature) >= 0.8);
    expect(alike.length).toBeGreaterThan(1);
    expect(alike.filter((other) => !found.has(other))).toEqual([]);
    expect(found.size).toBeLessThan(20);
  }
});

test('different scopes never meet', () => {
  const index = new LshIndex<Item>(lshShape(signatureLength, 0.8));
  const item = itemOf(1, 1);
  index.add(item, 7, item.signature);
  expect(index.candidates(8, item.signature)).toEqual([]);
  expect(index.candidates(7, item.signature)).toEqual([item]);
});

test('of a crowded band the newest are looked at', () => {
  const index = new LshIndex<Item>(lshShape(signatureLength, 0.8), 5);
  const items = Array.from({ length: 100 }, (_, order) => ({ order, signature: itemOf(0, 0).signature }));
  for (const item of items) index.add(item, 0, item.signature);
  expect(index.candidates(0, items[0]!.signature).map(({ order }) => order)).toEqual([95, 96, 97, 98, 99]);
});

test('what is found depends on what is in, not on how it came there', () => {
  const step = fc.record({ order: fc.nat(150), isAdded: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const shape = lshShape(signatureLength, 0.8);
      const grown = new LshIndex<Item>(shape, 4);
      const handles = new Map<number, number>();
      for (const { order, isAdded } of steps) {
        const handle = handles.get(order);
        const item = itemOf(order, order % 7);
        if (isAdded && handle === undefined) handles.set(order, grown.add(item, 0, item.signature));
        else if (!isAdded && handle !== undefined) {
          grown.remove(handle);
          handles.delete(order);
        }
      }
      const fresh = new LshIndex<Item>(shape, 4);
      for (const order of [...handles.keys()].toSorted((a, b) => a - b)) {
        const item = itemOf(order, order % 7);
        fresh.add(item, 0, item.signature);
      }
      for (let family = 0; family < 7; family++) {
        const { signature } = itemOf(family, family);
        const orders = (index: LshIndex<Item>) => index.candidates(0, signature).map(({ order }) => order);
        expect(orders(grown)).toEqual(orders(fresh));
      }
    }),
    { numRuns: 40 },
  );
});
