import { describe, expect, test } from 'vitest';
import { timeIntervalsConfig } from '../../src/dispatch/index.ts';
import { containsTime } from '../../src/dispatch/time-interval.ts';

function isWithin(interval: object, time: string): boolean {
  const [named] = timeIntervalsConfig.parse([{ name: 'x', time_intervals: [interval] }]);
  return containsTime(named!.time_intervals[0]!, Date.parse(time));
}

function mistakeIn(interval: object): string | undefined {
  const outcome = timeIntervalsConfig.safeParse([{ name: 'x', time_intervals: [interval] }]);
  return outcome.error?.issues[0]?.message;
}

describe('a time interval', () => {
  test.each<[object, string, boolean]>([
    [{}, '2026-01-05T09:00:00Z', true],
    [{ times: [{ start_time: '09:00', end_time: '17:00' }] }, '2026-01-05T09:00:00Z', true],
    [{ times: [{ start_time: '09:00', end_time: '17:00' }] }, '2026-01-05T17:00:00Z', false],
    [{ times: [{ start_time: '09:00', end_time: '24:00' }] }, '2026-01-05T23:59:59Z', true],
    [{ weekdays: ['monday:friday'] }, '2026-01-05T00:00:00Z', true],
    [{ weekdays: ['Monday:friday'] }, '2026-01-04T23:59:59Z', false],
    [{ weekdays: ['saturday', 'sunday'] }, '2026-01-04T12:00:00Z', true],
    [{ months: ['january:march', '12'] }, '2026-12-31T12:00:00Z', true],
    [{ months: ['january:march'] }, '2026-04-01T00:00:00Z', false],
    [{ years: ['2020:2025'] }, '2026-01-01T00:00:00Z', false],
    [{ days_of_month: ['-1'] }, '2026-02-28T12:00:00Z', true],
    [{ days_of_month: ['-1'] }, '2024-02-28T12:00:00Z', false],
    [{ days_of_month: ['30:31'] }, '2026-02-28T12:00:00Z', false],
    [{ days_of_month: ['1:-2'] }, '2026-02-28T12:00:00Z', false],
    // Midnight in Berlin is 23:00 UTC in winter and 22:00 in summer.
    [{ weekdays: ['monday'], location: 'Europe/Berlin' }, '2026-01-04T23:00:00Z', true],
    [{ weekdays: ['monday'], location: 'Europe/Berlin' }, '2026-07-05T22:00:00Z', true],
    [{ weekdays: ['monday'], location: 'Europe/Berlin' }, '2026-01-04T22:59:00Z', false],
    // Each part must hold.
    [{ weekdays: ['monday'], months: ['february'] }, '2026-01-05T12:00:00Z', false],
  ])('%j at %s: %s', (interval, time, expected) => {
    expect(isWithin(interval, time)).toBe(expected);
  });

  test.each<[object, RegExp]>([
    [{ times: [{ start_time: '9:00', end_time: '10:00' }] }, /expected a time of day/],
    [{ times: [{ start_time: '10:00', end_time: '10:00' }] }, /must be after start_time/],
    [{ weekdays: ['friday:monday'] }, /the end must not be before the start/],
    [{ weekdays: ['someday'] }, /someday is no weekday/],
    [{ days_of_month: ['0'] }, /0 is not a valid day/],
    [{ days_of_month: ['-5:5'] }, /must be negative/],
    [{ days_of_month: ['20:-20'] }, /always before/],
    [{ months: ['smarch'] }, /is no month/],
    [{ location: 'Mars/Olympus' }, /there is no time zone/],
  ])('%j is refused', (interval, message) => {
    expect(mistakeIn(interval)).toMatch(message);
  });
});
