import { expect, test } from 'vitest';
import { createPace, hear, patienceOf } from '../../src/correlate/pace.ts';

function paceOf(gapsMs: readonly number[]): ReturnType<typeof createPace> {
  let nowMs = 0;
  const pace = createPace(nowMs);
  for (const gapMs of gapsMs) hear(pace, (nowMs += gapMs));
  return pace;
}

test('what comes each minute is waited for longer than a minute and less than three', () => {
  const patienceMs = patienceOf(paceOf(Array.from({ length: 12 }, () => 60_000)));
  expect(patienceMs).toBeGreaterThan(60_000);
  expect(patienceMs).toBeLessThan(180_000);
});

test('a burst is waited for less than a second', () => {
  expect(patienceOf(paceOf(Array.from({ length: 50 }, () => 5)))).toBeLessThan(1000);
});

test('what comes in bursts with a minute between them is waited for over the minute', () => {
  const gaps = Array.from({ length: 40 }, (_, i) => (i % 4 === 3 ? 60_000 : 0));
  expect(patienceOf(paceOf(gaps))).toBeGreaterThan(60_000);
});

test('of what was heard of once nothing is known', () => {
  expect(patienceOf(createPace(0))).toBeNull();
});
