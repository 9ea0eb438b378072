import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { durationSchema, formatDuration, parseDuration } from '../../src/alert/index.ts';

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

describe('durations that are read', () => {
  test.each([
    ['0', 0],
    ['0s', 0],
    ['500ms', 500],
    ['30s', 30 * second],
    ['5m', 5 * minute],
    ['1h30m', 90 * minute],
    ['1d', day],
    ['1w', 7 * day],
    ['1y', 365 * day],
    ['4d1h10m', 4 * day + hour + 10 * minute],
    ['1y2w3d4h5m6s7ms', 365 * day + 17 * day + 4 * hour + 5 * minute + 6 * second + 7],
    ['90m', 90 * minute],
  ])('%s', (text, ms) => {
    expect(parseDuration(text)).toEqual({ ok: true, ms });
  });
});

describe('durations that are refused', () => {
  test.each([
    '',
    '1',
    '-1s',
    '1.5h',
    '5 m',
    'm',
    '1m1h',
    '1s1s',
    '5M',
    ' 5m',
    '1h ',
    '1µs',
    '9e9s',
    '1__proto__',
  ])('"%s"', (text) => {
    expect(parseDuration(text)).toEqual({ ok: false, error: expect.stringContaining('expected a duration') });
  });

  test('more than Go can hold', () => {
    expect(parseDuration('293y')).toEqual({
      ok: false,
      error: 'expected a duration of at most 292y, got 293y',
    });
    expect(parseDuration('9'.repeat(400) + 's').ok).toBe(false);
  });
});

test.each([
  [0, '0s'],
  [1, '1ms'],
  [90 * minute, '1h30m'],
  [365 * day, '1y'],
  [366 * day, '366d'],
  [7 * day, '1w'],
  [8 * day, '8d'],
  [day + 1, '1d1ms'],
])('%d ms is written as Prometheus writes it: %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});

test('what is written is read back', () => {
  fc.assert(
    fc.property(fc.nat({ max: 9_223_372_036_854 }), (ms) => {
      expect(parseDuration(formatDuration(ms))).toEqual({ ok: true, ms });
    }),
  );
});

test('a configured duration becomes milliseconds, or says what was expected', () => {
  expect(durationSchema.parse('1h30m')).toBe(90 * minute);
  expect(durationSchema.safeParse('soon').error?.issues[0]?.message).toBe(
    'expected a duration such as 30s, 5m or 1h30m, got "soon"',
  );
  expect(durationSchema.safeParse(30).error?.issues[0]?.message).toBe(
    'expected a duration such as 30s, 5m or 1h30m',
  );
});
