import type { DedupConfig } from './config.ts';

/** Nagios weighs the oldest change 0.8 and the newest 1.2 (Nagios Core, base/flapping.c). */
const oldestWeight = 0.8;
const newestWeight = 1.2;

/**
 * The weighted share of state changes among the last `changes` possible ones, 0 to 1. `changesMs` are their times, oldest
 * first. Those outside of the window count as none, and so do those that are missing.
 */
export function flapShare(
  changesMs: readonly number[],
  nowMs: number,
  { changes, window }: Pick<DedupConfig['flapping'], 'changes' | 'window'>,
): number {
  const step = (newestWeight - oldestWeight) / (changes - 1);
  let sum = 0;
  for (let rank = 0; rank < Math.min(changes, changesMs.length); rank++) {
    const changeMs = changesMs[changesMs.length - 1 - rank]!;
    if (nowMs - changeMs > window) break;
    sum += newestWeight - rank * step;
  }
  return sum / changes;
}

/** Whether a signal flaps after a change, with hysteresis: what flaps goes on to until its share is below `stop`. */
export function isFlapping(
  wasFlapping: boolean,
  share: number,
  { start, stop }: Pick<DedupConfig['flapping'], 'start' | 'stop'>,
): boolean {
  return wasFlapping ? share >= stop : share > start;
}

/**
 * How long nothing must change until a signal has come to rest: `quiet`, or twice the usual time between its changes where they are
 * slower than that; no longer than the window.
 */
export function quietTime(
  changesMs: readonly number[],
  nowMs: number,
  { quiet, window }: Pick<DedupConfig['flapping'], 'quiet' | 'window'>,
): number {
  const counted = changesMs.filter((changeMs) => nowMs - changeMs <= window);
  const gapMs = counted.length < 2 ? 0 : (counted.at(-1)! - counted[0]!) / (counted.length - 1);
  return Math.max(quiet, Math.min(window, Math.round(2 * gapMs)));
}
