import { median, quantile } from 'simple-statistics';
import { hourOf, hourOfWeek } from './calendar.ts';
import { column, durationLimit, gapLimit, sampleLimit, sampleScope } from './matrix.ts';

/** Periods that one hour leaves behind in its cell, chosen evenly by chance. */
const samplesPerHour = 3;
/** Samples kept per hour of the week: four weeks of a kind that is always there, more of one that is not. */
const samplesPerCell = 12;

/** Errors of a scope weigh as the mean of about so many periods. */
const judgedLimit = 64;
/** So many periods in a row beyond what is usual, over so long a time, are no incident but another normal. */
const shiftPeriods = 12;
const shiftMs = 72 * 3_600_000;

/** Counts and gaps of a kind whatever the hour, newest last, and in which hours of the day it has been seen. */
export interface KindHistory {
  readonly counts: number[];
  /** log2 seconds. */
  readonly gaps: number[];
  /** Bit h is set when a period of hour h (UTC) had alerts. */
  hours: number;
  /** log2 seconds for which the kind fired the last times. */
  durations: number[];
  /**
   * Mean error of the median of each scope (see `sampleScope`) over the periods in which the same scope was the narrowest one with enough
   * samples: `errors[3 * narrowest + scope]`, so that only what was judged on the same periods is compared; and over how many of them.
   */
  readonly errors: number[];
  readonly judged: number[];
  /** Periods in a row above what was usual, or, negative, below it, and since when. */
  run: number;
  runFromMs: number;
  /** When what was usual changed last; null while it has not. */
  changedAtMs: number | null;
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
  return {
    counts: [],
    gaps: [],
    hours: 0,
    durations: [],
    errors: [0, 0, 0, 0, 0, 0, 0, 0, 0],
    judged: [0, 0, 0],
    run: 0,
    runFromMs: 0,
    changedAtMs: null,
  };
}

/** A history as an older version may have kept it. */
export function completeHistory(history: Partial<KindHistory>): KindHistory {
  return { ...createHistory(), ...history };
}

export function createHourSamples(): HourSamples {
  return { packed: [], hour: -1, offered: 0 };
}

/**
 * Remembers a period that is over. `gap` is log2 seconds, negative for none. True when with it another normal has begun: then what was
 * before is forgotten, and the samples of all hours are to be.
 */
export function learnPeriod(
  history: KindHistory,
  samples: HourSamples,
  period: { readonly startMs: number; readonly count: number; readonly gap: number },
  least: number,
): boolean {
  judgeScopes(history, samples, period, least);
  pushBounded(history.counts, period.count, sampleLimit);
  if (period.gap >= 0) pushBounded(history.gaps, period.gap, gapLimit);
  learnHour(history, samples, period);
  if (Math.abs(history.run) < shiftPeriods || period.startMs - history.runFromMs < shiftMs) return false;
  history.changedAtMs = history.runFromMs;
  history.counts.splice(0, history.counts.length - Math.abs(history.run));
  history.errors.fill(0);
  history.judged.fill(0);
  history.run = 0;
  return true;
}

/** Remembers for how long the kind has fired, log2 seconds. */
export function learnDuration(history: KindHistory, duration: number): void {
  pushBounded(history.durations, duration, durationLimit);
}

/** Keeps some of the counts of each hour of the day. */
function learnHour(
  history: KindHistory,
  samples: HourSamples,
  period: { readonly startMs: number; readonly count: number },
): void {
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
 * Finds out how well each scope foretells the period that ends, so that the season is found from the data: the hour of the week, of the
 * day, or none. Beyond the 10th and 90th percentile of the narrowest one the period counts towards another normal.
 */
function judgeScopes(
  history: KindHistory,
  samples: HourSamples,
  { startMs, count }: { readonly startMs: number; readonly count: number },
  least: number,
): void {
  const hour = hourOf(startMs);
  const able = ableScopes(history, samples, hour, least);
  const [{ scope: narrowest, counts: nearest }] = able;
  if (nearest.length < least) return;
  const judged = Math.min(judgedLimit, history.judged[narrowest]! + 1);
  history.judged[narrowest] = judged;
  for (const { scope, counts } of able) {
    const error = Math.abs(root(count) - root(median(counts)));
    const index = 3 * narrowest + scope;
    history.errors[index]! += (error - history.errors[index]!) / judged;
  }
  // The narrowest one forgets slowest: a wider one holds the last periods, and takes to another normal within hours.
  const side = count > quantile(nearest, 0.9) ? 1 : count < quantile(nearest, 0.1) ? -1 : 0;
  if (side === 0 || Math.sign(history.run) !== side) history.runFromMs = startMs;
  history.run = side === 0 ? 0 : Math.sign(history.run) === side ? history.run + side : side;
}

interface Scope {
  readonly scope: number;
  readonly counts: readonly number[];
}

/** Scopes with `least` samples, the narrowest first; the widest is always among them. */
function ableScopes(
  history: KindHistory,
  samples: HourSamples | undefined,
  hour: number,
  least: number,
): readonly [Scope, ...Scope[]] {
  const packed = samples?.packed ?? [];
  const day = dayOf(hour);
  const any: Scope = { scope: sampleScope.any, counts: history.counts };
  if (packed.length < least) return [any];
  const ofDay: Scope = { scope: sampleScope.hourOfDay, counts: packed.map(unpack) };
  if (countOfDay(packed, day) < least) return [ofDay, any];
  const ofWeek = packed.filter((value) => value % 8 === day).map(unpack);
  return [{ scope: sampleScope.hourOfWeek, counts: ofWeek }, ofDay, any];
}

/** The narrowest scope, unless a wider one with more samples has foretold as well. */
function chooseScope({ errors, judged }: KindHistory, able: readonly [Scope, ...Scope[]]): Scope {
  let [chosen] = able;
  const { scope: narrowest } = chosen;
  if (judged[narrowest] === 0) return chosen;
  for (const wider of able) {
    const [error, before] = [errors[3 * narrowest + wider.scope]!, errors[3 * narrowest + chosen.scope]!];
    if (wider.counts.length > chosen.counts.length && error <= before) chosen = wider;
  }
  return chosen;
}

/** Counts on this scale vary alike whatever their size (Anscombe 1948). */
function root(count: number): number {
  return 2 * Math.sqrt(count + 0.375);
}

/** Writes the counts that are comparable with a period at `hour` into `row`; see `chooseScope`. */
export function writeSamples(
  row: Float64Array,
  history: KindHistory,
  samples: HourSamples | undefined,
  hour: number,
  least: number,
): void {
  row[column.hourOfWeek] = hourOfWeek(hour);
  const { scope, counts: chosen } = chooseScope(history, ableScopes(history, samples, hour, least));
  row[column.scope] = scope;
  const count = Math.min(chosen.length, sampleLimit);
  row[column.sampleCount] = count;
  // Of more than fit, every n-th is taken, the old and the new alike.
  for (let i = 0; i < count; i++) {
    row[column.samples + i] = chosen[Math.floor((i * chosen.length) / count)]!;
  }
}

export function writeDurations(row: Float64Array, { durations }: KindHistory): void {
  row[column.durationCount] = durations.length;
  for (let i = 0; i < durations.length; i++) row[column.durations + i] = durations[i]!;
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
