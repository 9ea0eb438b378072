import type { DedupConfig } from './config.ts';

/** Nagios weighs the oldest change 0.8 and the newest 1.2 (Nagios Core, base/flapping.c). */
const oldestWeight = 0.8;
const newestWeight = 1.2;

/**
 * The weighted share of state changes, 0 to 1.2: `changesMs` are the times of the last ones, oldest first. Those outside of the window
 * count as none, so do those that have not happened yet of the number that is looked at.
 */
export function flapShare(
  changesMs: readonly number[],
  nowMs: number,
  { changes, window }: Pick<DedupConfig['flapping'], 'changes' | 'window'>,
): number {
  const step = (newestWeight - oldestWeight) / (changes - 1);
  let sum = 0;
  for (let age = 0; age < Math.min(changes, changesMs.length); age++) {
    const changeMs = changesMs[changesMs.length - 1 - age]!;
    if (nowMs - changeMs > window) break;
    sum += newestWeight - age * step;
  }
  return sum / changes;
}
