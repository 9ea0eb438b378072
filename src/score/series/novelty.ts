/** Bins between the least and the greatest value that was seen, and a margin. */
export const noveltyBins = 128;
/** Numbers of the state beside the bins. */
export const noveltySize = 4;

export interface NoveltySettings {
  /** Half the width of the neighbourhood that is counted, as a share of the range. */
  readonly halfWidth: number;
  /** How much further than a new extreme the range reaches, as a share of it. */
  readonly margin: number;
  /** What an empty neighbourhood counts as. */
  readonly prior: number;
  /** Share of the evidence that is about how many values lie beyond, rather than near. */
  readonly beyondShare: number;
}

/** Places of the state: the range, how much weight is in the bins, and a slow mean that says which side is beyond. */
const place = { low: 0, high: 1, weight: 2, centre: 3 } as const;
/** What an empty side beyond the value counts as. */
const beyondPrior = 0.5;
/** The slow mean follows within this many points. */
const centreGain = 0.005;
/** When so much weight has come together it is halved, so that the old makes room for the new. */
const weightLimit = 32_768;

/**
 * How little like everything before `value` is, in nats: minus the logarithm of the share of past values in its
 * neighbourhood, mixed with that of the values beyond it. Learns `value` afterwards.
 * The state is a histogram over the range seen so far: `noveltySize` numbers at `at` of `numbers`, `noveltyBins` counts at
 * `binsAt` of `bins`. A value out of range widens it and the bins are laid anew, so that nothing has to be known of
 * a series beforehand. Costs about 0.3 us.
 */
export function judgeNovelty(
  numbers: Float64Array,
  at: number,
  bins: Float32Array,
  binsAt: number,
  settings: NoveltySettings,
  value: number,
): number {
  const known = numbers[at + place.weight]!;
  if (known === 0) {
    numbers[at + place.low] = value;
    numbers[at + place.high] = value;
    numbers[at + place.centre] = value;
  } else widen(numbers, at, bins, binsAt, settings.margin, value);
  const low = numbers[at + place.low]!;
  const span = numbers[at + place.high]! - low;
  const perUnit = span > 0 ? noveltyBins / span : 0;
  const position = perUnit > 0 ? (value - low) * perUnit - 0.5 : 0;
  const centre = numbers[at + place.centre]!;
  const centrePosition = perUnit > 0 ? (centre - low) * perUnit - 0.5 : 0;
  const near = countNear(bins, binsAt, position, settings.halfWidth * noveltyBins);
  const beyond = countBeyond(bins, binsAt, position, position > centrePosition);
  const surprise =
    -(1 - settings.beyondShare) * Math.log((near + settings.prior) / (known + 1)) -
    settings.beyondShare * Math.log((beyond + beyondPrior) / (known + 1));
  numbers[at + place.centre] = centre + Math.max(centreGain, 1 / (known + 1)) * (value - centre);
  deposit(bins, binsAt, position, 1);
  numbers[at + place.weight] = known + 1;
  if (known + 1 >= weightLimit) halve(numbers, at, bins, binsAt);
  return surprise;
}

/** Counts within `halfWidth` bins of `position`; the bins at its ends count in part. */
function countNear(bins: Float32Array, binsAt: number, position: number, halfWidth: number): number {
  const first = Math.max(0, Math.floor(position - halfWidth - 1));
  const last = Math.min(noveltyBins - 1, Math.ceil(position + halfWidth + 1));
  let near = 0;
  for (let bin = first; bin <= last; bin++) {
    const inside = halfWidth + 0.5 - Math.abs(bin - position);
    if (inside > 0) near += bins[binsAt + bin]! * Math.min(1, inside);
  }
  return near;
}

function countBeyond(bins: Float32Array, binsAt: number, position: number, isAbove: boolean): number {
  let beyond = 0;
  if (isAbove) {
    for (let bin = Math.max(0, Math.floor(position - 1)); bin < noveltyBins; bin++) {
      beyond += bins[binsAt + bin]! * Math.min(1, Math.max(0, bin - position + 0.5));
    }
  } else {
    for (let bin = Math.min(noveltyBins - 1, Math.floor(position + 1)); bin >= 0; bin--) {
      beyond += bins[binsAt + bin]! * Math.min(1, Math.max(0, position - bin + 0.5));
    }
  }
  return beyond;
}

/** Shared between the two bins whose middles are nearest. */
function deposit(bins: Float32Array, binsAt: number, position: number, weight: number): void {
  const lower = Math.floor(position);
  const part = position - lower;
  bins[binsAt + clampBin(lower)]! += weight * (1 - part);
  bins[binsAt + clampBin(lower + 1)]! += weight * part;
}

function widen(
  numbers: Float64Array,
  at: number,
  bins: Float32Array,
  binsAt: number,
  margin: number,
  value: number,
): void {
  const low = numbers[at + place.low]!;
  const high = numbers[at + place.high]!;
  if (value >= low && value <= high) return;
  let newLow = Math.min(low, value);
  let newHigh = Math.max(high, value);
  const span = newHigh - newLow;
  if (value < low) newLow -= margin * span;
  else newHigh += margin * span;
  layAnew(numbers, at, bins, binsAt, newLow, newHigh);
}

const scratch = new Float32Array(noveltyBins);

function layAnew(
  numbers: Float64Array,
  at: number,
  bins: Float32Array,
  binsAt: number,
  newLow: number,
  newHigh: number,
): void {
  const low = numbers[at + place.low]!;
  const ratio = (numbers[at + place.high]! - low) / (newHigh - newLow);
  const shift = ((low - newLow) / (newHigh - newLow)) * noveltyBins;
  scratch.set(bins.subarray(binsAt, binsAt + noveltyBins));
  bins.fill(0, binsAt, binsAt + noveltyBins);
  for (let bin = 0; bin < noveltyBins; bin++) {
    if (scratch[bin]! > 0) deposit(bins, binsAt, shift + (bin + 0.5) * ratio - 0.5, scratch[bin]!);
  }
  numbers[at + place.low] = newLow;
  numbers[at + place.high] = newHigh;
}

/** Halves all counts and cuts off what has become empty at the ends of the range. */
function halve(numbers: Float64Array, at: number, bins: Float32Array, binsAt: number): void {
  let first = noveltyBins;
  let last = -1;
  let weight = 0;
  for (let bin = 0; bin < noveltyBins; bin++) {
    const half = bins[binsAt + bin]! / 2;
    const kept = half < 0.05 ? 0 : half;
    bins[binsAt + bin] = kept;
    if (kept === 0) continue;
    weight += kept;
    first = Math.min(first, bin);
    last = bin;
  }
  numbers[at + place.weight] = weight;
  const low = numbers[at + place.low]!;
  const width = (numbers[at + place.high]! - low) / noveltyBins;
  if (last - first < noveltyBins / 2) {
    layAnew(numbers, at, bins, binsAt, low + first * width, low + (last + 1) * width);
  }
}

function clampBin(bin: number): number {
  return Math.max(0, Math.min(noveltyBins - 1, bin));
}
