/** What is looked at in a series. Each turns the point and the past into one number that is judged against its own past. */
export const seriesFeatures = ['value', 'drift', 'daily', 'activity'] as const;
export type SeriesFeature = (typeof seriesFeatures)[number];

/** Parts of the day (UTC) whose usual value is kept, an hour each. */
const daySlots = 24;
const hourMs = 3_600_000;
/** What an hour adds to what is usual at that hour of the day, and how long a step in time counts at least. */
const dayGain = 0.3;
const leastStepHours = 0.01;
/** The means that drift and activity compare: of about the last 30 and the last 500 points. */
const drift = { fastGain: 0.03, slowGain: 0.002 } as const;
const activity = { fastGain: 0.03, slowGain: 0.002 } as const;
/** A series that stands still is this much less lively than usual at most. */
const leastActivityRatio = 0.001;

/** Places of the state. The slots of the day hold NaN until their hour has been seen. */
export const featurePlace = {
  points: 0,
  last: 1,
  fastMean: 2,
  slowMean: 3,
  fastActivity: 4,
  slowActivity: 5,
  lastTime: 6,
  slots: 7,
} as const;
export const featureSize = featurePlace.slots + daySlots;

/**
 * Writes the features of the point into `out`, in the order of `seriesFeatures`, and learns it. One that has nothing to
 * compare with yet is NaN.
 */
export function computeFeatures(
  state: Float64Array,
  at: number,
  timeMs: number,
  value: number,
  out: Float64Array,
): void {
  const points = state[at + featurePlace.points]! + 1;
  state[at + featurePlace.points] = points;
  if (points === 1) {
    state[at + featurePlace.fastMean] = value;
    state[at + featurePlace.slowMean] = value;
    state[at + featurePlace.last] = value;
    state.fill(Number.NaN, at + featurePlace.slots, at + featureSize);
  }
  out[0] = value;
  out[1] = computeDrift(state, at, points, value);
  out[2] = computeDaily(state, at, timeMs, value);
  out[3] = computeActivity(state, at, points, value);
  state[at + featurePlace.last] = value;
  state[at + featurePlace.lastTime] = timeMs;
}

/** Mean of the last points less the mean of many. */
function computeDrift(state: Float64Array, at: number, points: number, value: number): number {
  const fast = follow(state, at + featurePlace.fastMean, Math.max(drift.fastGain, 1 / points), value);
  const difference = fast - state[at + featurePlace.slowMean]!;
  follow(state, at + featurePlace.slowMean, Math.max(drift.slowGain, 1 / points), value);
  return difference;
}

/**
 * How far the value lies from what is usual at this hour of the day. A peak that comes a little earlier or later is nothing
 * of note, so between the middles of two hours anything between their usual values is usual.
 */
function computeDaily(state: Float64Array, at: number, timeMs: number, value: number): number {
  const hour = hourOfDay(timeMs);
  const slot = at + featurePlace.slots + hour;
  const usual = state[slot]!;
  if (Number.isNaN(usual)) {
    state[slot] = value;
    return Number.NaN;
  }
  const isLate = (timeMs / hourMs) % 1 >= 0.5;
  const beside = state[at + featurePlace.slots + ((hour + (isLate ? 1 : daySlots - 1)) % daySlots)]!;
  const other = Number.isNaN(beside) ? usual : beside;
  const low = Math.min(usual, other);
  const high = Math.max(usual, other);
  // An hour adds as much in sixty points as in one.
  const hours = (timeMs - state[at + featurePlace.lastTime]!) / hourMs;
  state[slot] = usual + dayGain * Math.min(1, Math.max(leastStepHours, hours)) * (value - usual);
  if (value > high) return value - high;
  return value < low ? value - low : 0;
}

/** 0..23, UTC. */
export function hourOfDay(timeMs: number): number {
  const hour = Math.floor(timeMs / hourMs) % daySlots;
  return hour < 0 ? hour + daySlots : hour;
}

/** How much the series moves from point to point of late, against what is usual: the logarithm of the ratio. */
function computeActivity(state: Float64Array, at: number, points: number, value: number): number {
  const move = Math.abs(value - state[at + featurePlace.last]!);
  const fast = follow(state, at + featurePlace.fastActivity, Math.max(activity.fastGain, 1 / points), move);
  const slow = follow(state, at + featurePlace.slowActivity, Math.max(activity.slowGain, 1 / points), move);
  return slow > 0 ? Math.log((fast + leastActivityRatio * slow) / slow) : 0;
}

function follow(state: Float64Array, at: number, gain: number, value: number): number {
  const mean = state[at]! + gain * (value - state[at]!);
  state[at] = mean;
  return mean;
}
