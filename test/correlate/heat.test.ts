import { expect, test } from 'vitest';
import { addHeat, createHeat, intensityOf, takeHeat } from '../../src/correlate/heat.ts';

test('what a signal lets expect fades, and among services that depend on each other more slowly', () => {
  const heat = createHeat(0);
  addHeat(heat, 1, 0);
  const at = (ms: number, isCascade = false): number => intensityOf(heat, isCascade, ms);
  expect(at(0)).toBeGreaterThan(at(2000));
  expect(at(2000)).toBeGreaterThan(at(60_000));
  expect(at(0, true)).toBeLessThan(at(0));
  expect(at(60_000, true)).toBeGreaterThan(at(60_000));
});

test('twenty signals let expect twenty times as much as one', () => {
  const [one, twenty] = [createHeat(0), createHeat(0)];
  addHeat(one, 1, 0);
  addHeat(twenty, 20, 0);
  expect(intensityOf(twenty, false, 5000)).toBeCloseTo(20 * intensityOf(one, false, 5000));
});

test('two that turn out to be one let expect what both did', () => {
  const [a, b] = [createHeat(0), createHeat(0)];
  addHeat(a, 3, 0);
  addHeat(b, 2, 4000);
  const before = intensityOf(a, false, 9000) + intensityOf(b, false, 9000);
  takeHeat(a, b);
  expect(intensityOf(a, false, 9000)).toBeCloseTo(before);
});
