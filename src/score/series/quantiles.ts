export interface QuantileSettings {
  /** Shares of the values that lie above each quantile, falling: the quantiles rise. */
  readonly levels: readonly number[];
  /** Index of the quantile around which the scale is measured. */
  readonly anchor: number;
  /** No quantile ever stands still: it moves by this share of the scale at each point, times its level. */
  readonly leastGain: number;
  /** No step goes past the value that causes it: what is shown to people stays within what was there. */
  readonly isBounded?: true;
  /** Where to begin, and for how many points that stands; without it the first value is where all begin. */
  readonly typical?: {
    readonly quantiles: readonly number[];
    readonly scale: number;
    readonly points: number;
  };
}

/** How many numbers the state takes: the quantiles, then how many points were learned, then their scale. */
export function quantilesSize({ levels }: QuantileSettings): number {
  return levels.length + 2;
}

/** The scale follows a new level within this many points. */
export const memoryPoints = 10_000;
/** What the gain begins with, by the number of points: a power at each point would be half of the cost. */
const firstGains = Float64Array.from({ length: 1024 }, (_, points) => 2 / Math.max(1, points) ** 0.7);

/** How many points have been learned. */
export function pointsLearned(state: Float64Array, at: number, { levels }: QuantileSettings): number {
  return state[at + levels.length]!;
}

/** Mean absolute distance of the values from the anchor. */
export function scaleOf(state: Float64Array, at: number, { levels }: QuantileSettings): number {
  return state[at + levels.length + 1]!;
}

/**
 * Teaches the quantiles at `at` of `state` one value, by stochastic approximation (Robbins and Monro 1951): each is
 * pushed up by what exceeds it and down by what does not, in steps that shrink to `leastGain` of the scale.
 */
export function learnQuantiles(
  state: Float64Array,
  at: number,
  { levels, anchor, leastGain, isBounded, typical }: QuantileSettings,
  value: number,
): void {
  const count = levels.length;
  const points = state[at + count]! + 1;
  state[at + count] = points;
  if (points === 1) {
    if (typical) {
      state.set(typical.quantiles, at);
      state[at + count + 1] = typical.scale;
    } else {
      state.fill(value, at, at + count);
      return;
    }
  }
  const known = points + (typical?.points ?? 0);
  const distance = Math.abs(value - state[at + anchor]!);
  const before = state[at + count + 1]!;
  const scale = before + Math.max(1 / known, 1 / memoryPoints) * (distance - before);
  state[at + count + 1] = scale;
  const step = scale * Math.max(leastGain, known < firstGains.length ? firstGains[known]! : 0);
  for (let i = 0; i < count; i++) {
    const level = levels[i]!;
    const quantile = state[at + i]!;
    const moved = quantile + (value > quantile ? step * (1 - level) : -step * level);
    state[at + i] = isBounded && moved > value !== quantile > value ? value : moved;
  }
  for (let i = count - 2; i >= 0; i--) {
    if (state[at + i]! > state[at + i + 1]!) state[at + i] = state[at + i + 1]!;
  }
}

/**
 * Minus the logarithm of the share of the values that exceed `value`, interpolated between the quantiles; NaN beyond the
 * last one. Below the first it fades from there to 0.
 */
export function surpriseWithin(
  state: Float64Array,
  at: number,
  settings: QuantileSettings,
  value: number,
): number {
  const { levels } = settings;
  if (value <= state[at]!) {
    const scale = scaleOf(state, at, settings);
    const below = scale > 0 ? Math.exp((value - state[at]!) / scale) : 1;
    return -Math.log(1 - (1 - levels[0]!) * below);
  }
  for (let i = 1; i < levels.length; i++) {
    const high = state[at + i]!;
    if (value > high) continue;
    const low = state[at + i - 1]!;
    const part = high > low ? (value - low) / (high - low) : 1;
    return -(Math.log(levels[i - 1]!) * (1 - part) + Math.log(levels[i]!) * part);
  }
  return Number.NaN;
}
