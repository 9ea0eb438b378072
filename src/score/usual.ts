import { column, gapLimit, sampleLimit, sampleScope } from './matrix.ts';
import { hourOf, hourOfWeek } from './calendar.ts';

/** Periods that one hour leaves behind in its cell, chosen evenly by chance. */
const samplesPerHour = 3;
/** Samples kept per hour of the week: four weeks of a kind that is always there, more of one that is not. */
const samplesPerCell = 12;

/** Counts and gaps of a kind whatever the hour, newest last, and in which hours of the day it has been seen. */
export interface KindHistory {
  readonly counts: number[];
  /** log2 seconds. */
  readonly gaps: number[];
  /** Bit h is set when a period of hour h (UTC) had alerts. */
  hours: number;
}

/** Counts of a kind in one hour of the day. */
export interface HourSamples {
  /** `8 * count + day of the week` (0 is Monday), newest last: one list is far smaller than seven. */
  readonly packed: number[];
  /** The hour since the epoch that was sampled last, and how many periods it has offered. */
  hour: number;
  offered: number;
}

export function createHistory(): KindHistory {
  return { counts: [], gaps: [], hours: 0 };
}

export function createHourSamples(): HourSamples {
  return { packed: [], hour: -1, offered: 0 };
}

/** Remembers a period that is over. `gap` is log2 seconds, negative for none. */
export function learnPeriod(
  history: KindHistory,
  samples: HourSamples,
  period: { readonly startMs: number; readonly count: number; readonly gap: number },
): void {
  pushBounded(history.counts, period.count, sampleLimit);
  if (period.gap >= 0) pushBounded(history.gaps, period.gap, gapLimit);
  const hour = hourOf(period.startMs);
  history.hours |= 1 << (hour % 24);
  if (samples.hour !== hour) {
    samples.hour = hour;
    samples.offered = 0;
  }
  const { packed } = samples;
  const day = dayOf(hour);
  const sample = 8 * period.count + day;
  samples.offered++;
  if (samples.offered <= samplesPerHour) {
    if (countOfDay(packed, day) >= samplesPerCell) dropOldest(packed, day);
    packed.push(sample);
    return;
  }
  // Reservoir sampling (Vitter's algorithm R) with a hash of the time in place of chance: the fold has no dice.
  // What this hour has left so far stands at the end, for the other days' hours lie between two of one day.
  const place = scramble(period.startMs / 60_000) % samples.offered;
  if (place < samplesPerHour) packed[packed.length - samplesPerHour + place] = sample;
}

/**
 * Writes the counts that are comparable with a period at `hour` into `row`: those of the same hour of the week when
 * there are `least`, else of the same hour of any day, else any.
 */
export function writeSamples(
  row: Float64Array,
  history: KindHistory,
  samples: HourSamples | undefined,
  hour: number,
  least: number,
): void {
  row[column.hourOfWeek] = hourOfWeek(hour);
  const packed = samples?.packed ?? [];
  const day = dayOf(hour);
  let chosen: readonly number[] = history.counts;
  let scope: number = sampleScope.any;
  if (countOfDay(packed, day) >= least) {
    chosen = packed.filter((value) => value % 8 === day).map(unpack);
    scope = sampleScope.hourOfWeek;
  } else if (packed.length >= least) {
    chosen = packed.map(unpack);
    scope = sampleScope.hourOfDay;
  }
  row[column.scope] = scope;
  const count = Math.min(chosen.length, sampleLimit);
  row[column.sampleCount] = count;
  // Of more than fit, every n-th is taken, the old and the new alike.
  for (let i = 0; i < count; i++) {
    row[column.samples + i] = chosen[Math.floor((i * chosen.length) / count)]!;
  }
}

export function writeGaps(row: Float64Array, history: KindHistory): void {
  row[column.gapCount] = history.gaps.length;
  for (let i = 0; i < history.gaps.length; i++) row[column.gaps + i] = history.gaps[i]!;
}

/** In how many hours of the day the kind has been seen. */
export function countHours(history: KindHistory): number {
  let count = 0;
  for (let bits = history.hours; bits !== 0; bits &= bits - 1) count++;
  return count;
}

function dayOf(hour: number): number {
  return Math.floor(hourOfWeek(hour) / 24);
}

function countOfDay(packed: readonly number[], day: number): number {
  let count = 0;
  for (const value of packed) if (value % 8 === day) count++;
  return count;
}

function dropOldest(packed: number[], day: number): void {
  packed.splice(
    packed.findIndex((value) => value % 8 === day),
    1,
  );
}

function unpack(value: number): number {
  return Math.floor(value / 8);
}

function pushBounded(list: number[], value: number, limit: number): void {
  list.push(value);
  if (list.length > limit) list.shift();
}

/** A 32-bit mixer (the finalizer of MurmurHash3). */
function scramble(value: number): number {
  let h = value >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
