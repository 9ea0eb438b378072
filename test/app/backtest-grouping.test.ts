import { describe, expect, test } from 'vitest';
import { Overlay } from '../../src/app/backtest/grouping.ts';

function overlay(pairs: readonly (readonly [string | null, string | null])[]): Overlay {
  const both = new Overlay();
  for (const [first, second] of pairs) both.add(first, second);
  return both;
}

describe('two groupings of the same items', () => {
  test('that are equal agree in full, whatever the groups are called', () => {
    const both = overlay([
      ['a', 'x'],
      ['a', 'x'],
      ['b', 'y'],
      [null, null],
    ]);
    expect(both.agreement()).toEqual({ precision: 1, recall: 1, f1: 1, nmi: 1 });
    expect(both.splits()).toEqual([]);
    expect(both.merges()).toEqual([]);
  });

  test('are compared by pairs and by information', () => {
    // a {1,2,3,4} and b {5,6} against x {1,2}, y {3,4,5,6}: pairs before 6 + 1, after 1 + 6, shared 1 + 1 + 1.
    const both = overlay([
      ['a', 'x'],
      ['a', 'x'],
      ['a', 'y'],
      ['a', 'y'],
      ['b', 'y'],
      ['b', 'y'],
    ]);
    const { precision, recall, f1, nmi } = both.agreement();
    expect(precision).toBeCloseTo(3 / 7, 12);
    expect(recall).toBeCloseTo(3 / 7, 12);
    expect(f1).toBeCloseTo(3 / 7, 12);
    const entropy = -(2 / 3) * Math.log(2 / 3) - (1 / 3) * Math.log(1 / 3);
    const mutual =
      (1 / 3) * Math.log(1 / 3 / ((2 / 3) * (1 / 3))) +
      (1 / 3) * Math.log(1 / 3 / ((2 / 3) * (2 / 3))) +
      (1 / 3) * Math.log(1 / 3 / ((1 / 3) * (2 / 3)));
    expect(nmi).toBeCloseTo(mutual / entropy, 12);
    expect(both.splits()).toEqual([
      {
        group: 'a',
        itemCount: 4,
        parts: [
          { group: 'x', itemCount: 2 },
          { group: 'y', itemCount: 2 },
        ],
      },
    ]);
    expect(both.merges()).toEqual([
      {
        group: 'y',
        itemCount: 4,
        parts: [
          { group: 'a', itemCount: 2 },
          { group: 'b', itemCount: 2 },
        ],
      },
    ]);
  });

  test('of which one has everything alone share no pair', () => {
    const both = overlay([
      ['a', null],
      ['a', null],
    ]);
    expect(both.agreement()).toMatchObject({ precision: 1, recall: 0, f1: 0 });
  });
});
