import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { bandsOf } from '../../src/history/bands.ts';
import { signatureOf, similarTo } from './scene.ts';

const sketch = fc.array(fc.integer({ min: 0, max: 0xffffffff }), { minLength: 128, maxLength: 128 });

test('bands are whole numbers below 2^52, one for four slots, and the same for the same sketch', () => {
  fc.assert(
    fc.property(sketch, (signature) => {
      const bands = bandsOf(signature);
      expect(bands).toHaveLength(32);
      expect(bands).toEqual(bandsOf([...signature]));
      for (const band of bands) expect(Number.isInteger(band) && band >= 0 && band < 2 ** 52).toBe(true);
    }),
  );
});

test('a changed slot changes its band and no other', () => {
  fc.assert(
    fc.property(sketch, fc.nat(127), (signature, slot) => {
      const changed = signature.with(slot, (signature[slot]! + 1) >>> 0);
      const [before, after] = [bandsOf(signature), bandsOf(changed)];
      const differing = before.flatMap((band, i) => (band === after[i] ? [] : [i]));
      expect(differing).toEqual([slot >> 2]);
    }),
  );
});

test('sketches that agree in most slots share a band, unrelated ones share none', () => {
  const base = signatureOf('base');
  for (let i = 0; i < 50; i++) {
    expect(sharedBands(base, similarTo(base, 0.9, `${i}`))).toBeGreaterThan(0);
    expect(sharedBands(base, signatureOf(`unrelated ${i}`))).toBe(0);
  }
});

test('the same four values in another band are another band', () => {
  expect(new Set(bandsOf(Array.from({ length: 128 }, () => 7))).size).toBe(32);
});

test('a sketch without four slots has no band', () => {
  expect(bandsOf([])).toEqual([]);
  expect(bandsOf([1, 2, 3])).toEqual([]);
});

function sharedBands(a: readonly number[], b: readonly number[]): number {
  const bands = new Set(bandsOf(a));
  return bandsOf(b).filter((band) => bands.has(band)).length;
}
