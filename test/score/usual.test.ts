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
import { createDice } from '../../models/quiet-weeks.ts';
import { dayMs, hourMs, minuteMs, mondayMs } from './scene.ts';

const nine = mondayMs + 9 * hourMs;

/** Learns `count` for each given time, all in the hour from 09:00 to 10:00 of some day. */
function learn(times: readonly number[], count: (index: number) => number) {
  const history = createHistory();
  const samples = createHourSamples();
  for (const [index, startMs] of times.entries())
    learnPeriod(history, samples, { startMs, count: count(index), gap: -1 }, 8);
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
    const { samples } = learn(weeks, (index) => Math.floor(index / 12));
    expect(samples.packed.map((value) => Math.floor(value / 8))).toEqual([
      6, 6, 6, 7, 7, 7, 8, 8, 8, 9, 9, 9,
    ]);
  });

  test('leaves any of its periods behind about equally often', () => {
    const chosen = Array.from({ length: 12 }, () => 0);
    for (let day = 0; day < 2000; day++) {
      const history = createHistory();
      const samples: HourSamples = createHourSamples();
      for (const [index, startMs] of hourFrom(nine + day * dayMs).entries()) {
        learnPeriod(history, samples, { startMs, count: index, gap: -1 }, 8);
      }
      for (const count of samplesAt(nine + day * dayMs, { history, samples }, 3).counts) chosen[count]!++;
    }
    // 500 each are expected; five standard deviations are 97.
    for (const times of chosen) expect(Math.abs(times - 500)).toBeLessThan(97);
  });
});

describe('the season', () => {
  const days = Array.from({ length: 28 }, (_, day) => nine + day * dayMs);

  test('is none where the hour foretells no better than any other time', () => {
    const history = createHistory();
    const dice = createDice(4);
    const cells = Array.from({ length: 24 }, createHourSamples);
    for (let hour = 0; hour < 56 * 24; hour++) {
      for (const minute of [0, 30]) {
        const startMs = mondayMs + hour * hourMs + minute * minuteMs;
        learnPeriod(history, cells[hour % 24]!, { startMs, count: 1 + dice.poisson(20), gap: -1 }, 8);
      }
    }
    const row = new Float64Array(rowWidth);
    writeSamples(row, history, cells[9], hourOf(nine + 56 * dayMs), 8);
    expect(row[column.scope]).not.toBe(sampleScope.hourOfWeek);
    expect(row[column.sampleCount]).toBeGreaterThan(16);
  });

  test('is that of the day where days are alike', () => {
    const learned = learn(
      days.flatMap((startMs) => [startMs, startMs + 5 * minuteMs]),
      () => 40,
    );
    for (const startMs of days) {
      for (let i = 0; i < 32; i++)
        learnPeriod(
          learned.history,
          createHourSamples(),
          { startMs: startMs + (3 + i / 6) * hourMs, count: 2, gap: -1 },
          8,
        );
    }
    const { counts, scope } = samplesAt(nine + 28 * dayMs, learned);
    expect(scope).not.toBe(sampleScope.any);
    expect(new Set(counts)).toEqual(new Set([40]));
  });
});

describe('another normal', () => {
  /** A period an hour; `count` by the hour since the begin. Returns the hours at which another normal began. */
  function follow(hours: number, count: (hour: number) => number) {
    const history = createHistory();
    let cells = Array.from({ length: 24 }, createHourSamples);
    const changes: number[] = [];
    for (let hour = 0; hour < hours; hour++) {
      const startMs = mondayMs + hour * hourMs;
      if (learnPeriod(history, cells[hour % 24]!, { startMs, count: count(hour), gap: -1 }, 8)) {
        changes.push(hour);
        cells = Array.from({ length: 24 }, createHourSamples);
      }
    }
    return { history, changes };
  }

  test('has begun once counts have been beyond what was usual for three days, and what was before is forgotten', () => {
    const dice = createDice(2);
    const { history, changes } = follow(35 * 24, (hour) => dice.poisson(hour < 28 * 24 ? 5 : 60) + 1);
    expect(changes).toEqual([31 * 24]);
    expect(history.changedAtMs).toBe(mondayMs + 28 * dayMs);
    expect(Math.min(...history.counts)).toBeGreaterThan(30);
  });

  test('has not where an incident lasts a day, or weekends are quiet', () => {
    const dice = createDice(3);
    const { changes } = follow(60 * 24, (hour) => {
      const day = Math.floor(hour / 24);
      if (day === 40) return 200;
      return 1 + dice.poisson(day % 7 >= 5 ? 2 : 20);
    });
    expect(changes).toEqual([]);
  });
});
