import { describe, expect, test } from 'vitest';
import { column, rowWidth, sampleScope } from '../../src/score/index.ts';
import {
  createHistory,
  createHourSamples,
  learnPeriod,
  writeSamples,
  type HourSamples,
} from '../../src/score/usual.ts';
import { hourOf, hourOfWeek } from '../../src/score/calendar.ts';
import { dayMs, hourMs, minuteMs, mondayMs } from './scene.ts';

const nine = mondayMs + 9 * hourMs;

/** Learns `count` for each given time, all in the hour from 09:00 to 10:00 of some day. */
function learn(times: readonly number[], count: (index: number) => number) {
  const history = createHistory();
  const samples = createHourSamples();
  for (const [index, startMs] of times.entries())
    learnPeriod(history, samples, { startMs, count: count(index), gap: -1 });
  return { history, samples };
}

function samplesAt(timeMs: number, { history, samples }: ReturnType<typeof learn>, least = 8) {
  const row = new Float64Array(rowWidth);
  writeSamples(row, history, samples, hourOf(timeMs), least);
  const counts = [...row.subarray(column.samples, column.samples + row[column.sampleCount]!)];
  return { counts, scope: row[column.scope], hour: row[column.hourOfWeek] };
}

/** The twelve periods of the hour that starts at `startMs`. */
function hourFrom(startMs: number): number[] {
  return Array.from({ length: 12 }, (_, i) => startMs + i * 5 * minuteMs);
}

test('hours of the week count from Monday 00:00 UTC', () => {
  expect(hourOfWeek(hourOf(mondayMs))).toBe(0);
  expect(hourOfWeek(hourOf(nine))).toBe(9);
  expect(hourOfWeek(hourOf(mondayMs - 1))).toBe(167);
  expect(hourOfWeek(hourOf(0))).toBe(72);
});

describe('comparable periods', () => {
  const weeks = Array.from({ length: 4 }, (_, week) => nine + week * 7 * dayMs);

  test('are those of the same hour of the week once there are enough', () => {
    const learned = learn(
      weeks.flatMap((startMs) => [...hourFrom(startMs), ...hourFrom(startMs + dayMs)]),
      (index) => (index % 24 < 12 ? 50 : 1),
    );
    const monday = samplesAt(nine + 28 * dayMs, learned);
    expect(monday).toMatchObject({ scope: sampleScope.hourOfWeek, hour: 9 });
    expect(new Set(monday.counts)).toEqual(new Set([50]));
    expect(new Set(samplesAt(nine + 29 * dayMs, learned).counts)).toEqual(new Set([1]));
  });

  test('are those of the same hour on any day while the week has too few', () => {
    const days = Array.from({ length: 6 }, (_, day) => nine + day * dayMs);
    const learned = learn(
      days.flatMap((startMs) => [startMs, startMs + 5 * minuteMs]),
      (index) => index,
    );
    const sunday = samplesAt(nine + 6 * dayMs, learned);
    expect(sunday.scope).toBe(sampleScope.hourOfDay);
    expect(sunday.counts).toHaveLength(12);
  });

  test('are any while the hour has too few', () => {
    const learned = learn([nine, nine + dayMs], () => 7);
    expect(samplesAt(nine + 2 * dayMs, learned)).toMatchObject({ scope: sampleScope.any, counts: [7, 7] });
  });
});

describe('an hour that is always busy', () => {
  test('leaves three samples behind, and a cell holds four weeks of them', () => {
    const weeks = Array.from({ length: 10 }, (_, week) => hourFrom(nine + week * 7 * dayMs)).flat();
    const { counts } = samplesAt(
      nine,
      learn(weeks, (index) => Math.floor(index / 12)),
    );
    expect(counts).toEqual([6, 6, 6, 7, 7, 7, 8, 8, 8, 9, 9, 9]);
  });

  test('leaves any of its periods behind about equally often', () => {
    const chosen = Array.from({ length: 12 }, () => 0);
    for (let day = 0; day < 2000; day++) {
      const history = createHistory();
      const samples: HourSamples = createHourSamples();
      for (const [index, startMs] of hourFrom(nine + day * dayMs).entries()) {
        learnPeriod(history, samples, { startMs, count: index, gap: -1 });
      }
      for (const count of samplesAt(nine + day * dayMs, { history, samples }, 3).counts) chosen[count]!++;
    }
    // 500 each are expected; five standard deviations are 97.
    for (const times of chosen) expect(Math.abs(times - 500)).toBeLessThan(97);
  });
});
