import { expect, test } from 'vitest';
import { seldom } from '../../src/app/seldom.ts';

test('the first is told at once, the next after a while, with how many it stands for', () => {
  const told: [string, number][] = [];
  let nowMs = 0;
  const note = seldom<string>(
    1000,
    (what, count) => told.push([what, count]),
    () => nowMs,
  );
  note('a');
  note('b');
  nowMs = 999;
  note('c');
  nowMs = 1000;
  note('d');
  expect(told).toEqual([
    ['a', 1],
    ['d', 3],
  ]);
});
