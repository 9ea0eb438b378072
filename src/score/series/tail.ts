import {
  learnQuantiles,
  memoryPoints,
  pointsLearned,
  quantilesSize,
  surpriseWithin,
  type QuantileSettings,
} from './quantiles.ts';

export interface TailSettings extends QuantileSettings {
  /** The tail beyond the last quantile rests on so many excesses at most. The fewer, the heavier it is. */
  readonly maxExcesses: number;
}

/** How many numbers the state of one tail takes: quantiles, count of the values beyond the last, their mean excess. */
export function tailSize(settings: TailSettings): number {
  return quantilesSize(settings) + 2;
}

/** Fewer points tell nothing. */
const leastPoints = 20;

/**
 * How surprising `value` is, in nats: minus the logarithm of the share of past values that are at least as large. Beyond
 * the last quantile it follows the predictive tail of exponential excesses whose mean `m` was learned from `k` of
 * them, `(1 + e / (k m))^-k` (Lomax), so that few examples never claim certainty. 0 while nearly nothing is known.
 */
export function tailSurprise(state: Float64Array, at: number, settings: TailSettings, value: number): number {
  const points = pointsLearned(state, at, settings);
  if (points < leastPoints) return 0;
  const last = settings.levels.length - 1;
  const excess = value - state[at + last]!;
  if (excess <= 0) return surpriseWithin(state, at, settings, value);
  const level = settings.levels[last]!;
  const excesses = Math.min(settings.maxExcesses, 1 + points * level * 0.5);
  const mean = Math.max(state[at + quantilesSize(settings) + 1]!, 1e-12);
  return -Math.log(level) + excesses * Math.log(1 + excess / (excesses * mean));
}

/** Teaches the tail one value. */
export function learnTail(state: Float64Array, at: number, settings: TailSettings, value: number): void {
  learnQuantiles(state, at, settings, value);
  if (pointsLearned(state, at, settings) === 1) return;
  const last = settings.levels.length - 1;
  const excess = value - state[at + last]!;
  if (excess <= 0) return;
  const own = at + quantilesSize(settings);
  const excesses = state[own]! + 1;
  state[own] = excesses;
  const gain = Math.max(1 / (excesses + 1), 1 / (memoryPoints * settings.levels[last]!));
  state[own + 1]! += gain * (excess - state[own + 1]!);
}
