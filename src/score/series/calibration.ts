import {
  learnQuantiles,
  pointsLearned,
  quantilesSize,
  surpriseWithin,
  type QuantileSettings,
} from './quantiles.ts';

const settings: QuantileSettings = {
  levels: [0.5, 0.2, 0.1, 0.05, 0.02, 0.01],
  anchor: 0,
  leastGain: 0.02,
  typical: { quantiles: [-1.8, -0.95, -0.3, 0.3, 2.8, 3.9], scale: 0.7, points: 300 },
};

/** How many numbers the state takes. */
export const calibrationSize = quantilesSize(settings);

/** From how many points on a share is told. */
export const leastPointsToScore = 40;

/**
 * The share of this series' points that have at least this much evidence (in nats, any offset) against them: between
 * the tracked quantiles by interpolation, beyond the last by one nat per nat. That tail is not fitted: what is far out
 * in one series stays comparable with what is far out in another. NaN until enough points are known.
 */
export function shareBeyond(state: Float64Array, at: number, evidence: number): number {
  if (pointsLearned(state, at, settings) < leastPointsToScore) return Number.NaN;
  const surprise = surpriseWithin(state, at, settings, evidence);
  if (!Number.isNaN(surprise)) return Math.exp(-surprise);
  const last = settings.levels.length - 1;
  return settings.levels[last]! * Math.exp(state[at + last]! - evidence);
}

export function learnShare(state: Float64Array, at: number, evidence: number): void {
  learnQuantiles(state, at, settings, evidence);
}
