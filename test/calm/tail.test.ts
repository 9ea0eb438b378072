import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { quantileOf, tailOf } from '../../src/calm/tail.ts';
import { createLearnedRate, learnWindow, usualRate } from '../../src/calm/usual-rate.ts';

describe('the tail', () => {
  // From scipy.stats: poisson.sf(count - 1, mean), nbinom.sf(count - 1, r, 1 - q).
  test.each([
    [10, 3, 3, 0.0011024881301154815],
    [2, 10, 10, 0.9995006007726127],
    [10, 3, 9, 0.04018215719923736],
    [0, 3, 9, 1],
    [1, 0, 0, 0],
  ])(
    'of %d or more, where %d are usual with variance %d, is as tables have it',
    (count, mean, variance, tail) => {
      expect(tailOf(count, mean, variance)).toBeCloseTo(tail, 8);
    },
  );

  test('is a probability that falls with the count', () => {
    const mean = fc.double({ min: 0.05, max: 400, noNaN: true });
    const spread = fc.double({ min: 1, max: 60, noNaN: true });
    fc.assert(
      fc.property(mean, spread, fc.nat(900), (mean, spread, count) => {
        const tail = tailOf(count, mean, mean * spread);
        expect(tail).toBeGreaterThanOrEqual(0);
        expect(tail).toBeLessThanOrEqual(1);
        expect(tailOf(count + 1, mean, mean * spread)).toBeLessThanOrEqual(tail + 1e-9);
      }),
    );
  });

  test('is turned round by the quantile', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.05, max: 200, noNaN: true }),
        fc.double({ min: 1, max: 20, noNaN: true }),
        fc.constantFrom(0.05, 0.01, 1e-4, 1e-6),
        (mean, spread, probability) => {
          const count = quantileOf(probability, mean, mean * spread);
          expect(tailOf(count, mean, mean * spread)).toBeGreaterThanOrEqual(probability);
          expect(tailOf(count + 1, mean, mean * spread)).toBeLessThan(probability);
        },
      ),
    );
  });
});

describe('what is usual', () => {
  const monday = Date.UTC(2026, 0, 5);
  const windowMs = 300_000;
  const hourMs = 3_600_000;

  test('is not known at first', () => {
    const rate = createLearnedRate();
    for (let i = 0; i < 23; i++) learnWindow(rate, monday + i * windowMs, 2);
    expect(usualRate(rate, monday, 24)).toBeNull();
    learnWindow(rate, monday + 23 * windowMs, 2);
    expect(usualRate(rate, monday, 24)).toMatchObject({ scope: 'any', windows: 24 });
    expect(usualRate(rate, monday, 24)?.mean).toBeCloseTo(1.94, 2);
  });

  test('is that of the hour of the day after three days, and of the hour of the week after two weeks', () => {
    const rate = createLearnedRate();
    const learnUntil = (from: number, to: number) => {
      for (let at = from; at < to; at += windowMs) {
        const hour = Math.floor(at / hourMs) % 24;
        const isMonday = Math.floor(((at - monday) / (24 * hourMs)) % 7) === 0;
        learnWindow(rate, at, hour === 9 ? (isMonday ? 20 : 10) : 1);
      }
    };
    learnUntil(monday, monday + 3 * 24 * hourMs);
    const nine = monday + 3 * 24 * hourMs + 9 * hourMs;
    expect(usualRate(rate, nine, 24)).toMatchObject({ scope: 'hour_of_day' });
    expect(usualRate(rate, nine, 24)?.mean).toBeCloseTo(13, 0);
    learnUntil(monday + 3 * 24 * hourMs, monday + 21 * 24 * hourMs);
    expect(usualRate(rate, monday + 21 * 24 * hourMs + 9 * hourMs, 24)).toMatchObject({
      scope: 'hour_of_week',
    });
    expect(usualRate(rate, monday + 21 * 24 * hourMs + 9 * hourMs, 24)?.mean).toBeGreaterThan(19);
  });
});
