import type { UsualRate } from '../incident/index.ts';

/**
 * What is learned of a domain, as plain data: for each hour of the week (0 is Monday 00:00 UTC), and then for all together, how many
 * windows are over, the sum of their counts, and the sum of the squares.
 */
export type LearnedRate = number[];

type Moments = readonly [windows: number, sum: number, squares: number];

const hourMs = 3_600_000;
const hoursOfWeek = 168;
/** Beyond so many windows all weights are halved, so that what was long ago fades: eight weeks of one hour, four of all hours (5 m). */
const hourLimit = 96;
const allLimit = 8064;
/** So many windows of an hour of the week, or of an hour of the day, are enough to go by. Two weeks, three days (5 m). */
const leastOfWeek = 24;
const leastOfDay = 36;

export function createLearnedRate(): LearnedRate {
  return Array.from({ length: 3 * (hoursOfWeek + 1) }, () => 0);
}

/** Learns a window that is over. */
export function learnWindow(rate: LearnedRate, startMs: number, count: number): void {
  learn(rate, hourOfWeek(startMs), count, hourLimit);
  learn(rate, hoursOfWeek, count, allLimit);
}

/** What is usual at a time; null where fewer than `least` windows have been seen. */
export function usualRate(rate: LearnedRate, timeMs: number, least: number): UsualRate | null {
  const hour = hourOfWeek(timeMs);
  const ofWeek = momentsAt(rate, hour);
  if (ofWeek[0] >= Math.max(least, leastOfWeek)) return describe(ofWeek, 'hour_of_week');
  const days = Array.from({ length: 7 }, (_, day) => momentsAt(rate, day * 24 + (hour % 24)));
  const ofDay = days.reduce(([n, sum, squares], day): Moments => [
    n + day[0],
    sum + day[1],
    squares + day[2],
  ]);
  if (ofDay[0] >= Math.max(least, leastOfDay)) return describe(ofDay, 'hour_of_day');
  const all = momentsAt(rate, hoursOfWeek);
  return all[0] >= least ? describe(all, 'any') : null;
}

/** What was never seen is not impossible: half an event more is assumed. The fewer windows, the wider the spread. */
function describe([windows, sum, squares]: Moments, scope: UsualRate['scope']): UsualRate {
  const mean = (sum + 0.5) / (windows + 1);
  const spread = Math.max(0, squares / windows - (sum / windows) ** 2);
  const variance = Math.max(mean, spread) * (1 + 1 / windows);
  return { mean, variance, windows: Math.round(windows), scope };
}

function momentsAt(rate: LearnedRate, cell: number): Moments {
  return [rate[3 * cell]!, rate[3 * cell + 1]!, rate[3 * cell + 2]!];
}

function learn(rate: LearnedRate, cell: number, count: number, limit: number): void {
  const at = 3 * cell;
  rate[at]! += 1;
  rate[at + 1]! += count;
  rate[at + 2]! += count * count;
  if (rate[at]! <= limit) return;
  for (let i = at; i < at + 3; i++) rate[i]! /= 2;
}

/** The epoch began on a Thursday. */
function hourOfWeek(timeMs: number): number {
  const hour = Math.floor(timeMs / hourMs) + 72;
  return ((hour % hoursOfWeek) + hoursOfWeek) % hoursOfWeek;
}
