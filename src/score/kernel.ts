import { median, medianSorted, quantileSorted } from 'simple-statistics';
import {
  column,
  componentTails,
  distanceBins,
  distanceStep,
  durationLimit,
  gapLimit,
  result,
  resultWidth,
  rowState,
  rowWidth,
  sampleLimit,
  tailBins,
} from './matrix.ts';

/** Scales the median absolute deviation to the standard deviation of a normal distribution. */
const madToDeviation = 1.4826;
/** On the Anscombe scale a Poisson count has deviation 1; nothing is taken as more regular than that. */
const leastRateSpread = 1;
/** Gaps are never taken as more regular than this, in octaves. */
const leastGapSpread = 0.5;
/** Durations that must be known before one is judged. */
const leastDurations = 8;
/** A logistic tail of this steepness follows the normal one in the middle and is heavier far out, on purpose. */
const logisticSlope = 1.702;
/** How many scored periods the parametric tail weighs as, beside what the domain itself has shown. */
const priorPeriods = 50;

/**
 * Scores `rows` rows of `matrix` (a head as `encodeHead` makes it, then rows of `rowWidth`; see `column`). Returns one
 * row of `resultWidth` per row; see `result`. Pure: the same numbers give the same numbers, in any thread.
 *
 * Each component gives a tail probability, that is: how often something at least as odd is seen when all is as usual.
 * - rate: robust z of the count on Anscombe's scale `2 sqrt(x + 3/8)` against median and MAD of the samples.
 * - interval: robust z of the log gap, both tails.
 * Both are at least the share of the samples that are themselves as far out, so that a kind with two habits (three in a
 * row each morning) is not taken as odd for either.
 * - duration: robust z of how long the kind has fired by now on a log scale, upper tail; only while that can be said, that is, not
 *   when it begins. At least the share of its durations that are as long.
 * - novelty: taken from the row.
 * - behaviour: the trained tail of the distance to the nearest centroid, which says no more beyond its last point; at
 *   least the share of the domain's periods that lie as far out. A domain unlike the training data is not odd for it.
 * They combine by Fisher's method. What the domain has shown then corrects the result:
 * `p = (weight of scored periods at least as odd + 50 raw) / (weight of all scored periods + 50)`, and surprise is `1 - p`.
 * So among the scored periods of any domain about one in a hundred exceeds 0.99, whatever its distributions are.
 */
export function scoreMatrix(matrix: Float64Array, rows: number): Float64Array {
  const head = readHead(matrix);
  const results = new Float64Array(rows * resultWidth);
  for (let row = 0; row < rows; row++) {
    scoreRow(
      matrix.subarray(head.length + row * rowWidth, head.length + (row + 1) * rowWidth),
      head,
      results.subarray(row * resultWidth, (row + 1) * resultWidth),
    );
  }
  return results;
}

interface Head {
  readonly length: number;
  readonly clusters: number;
  readonly features: number;
  readonly centre: Float64Array;
  readonly scale: Float64Array;
  readonly centroids: Float64Array;
  readonly tailProbabilities: Float64Array;
  readonly tailDistances: Float64Array;
}

function readHead(matrix: Float64Array): Head {
  const [length = 0, clusters = 0, features = 0, points = 0] = matrix;
  let at = 4;
  const take = (count: number) => matrix.subarray(at, (at += count));
  return {
    length,
    clusters,
    features,
    centre: take(features),
    scale: take(features),
    centroids: take(clusters * features),
    tailProbabilities: take(points),
    tailDistances: take(points),
  };
}

function scoreRow(row: Float64Array, head: Head, out: Float64Array): void {
  out.fill(Number.NaN);
  const state = row[column.state]!;
  const { rateTail, intervalTail } = describeUsual(row, out);
  const durationTail = describeDuration(row, out);
  if (state === rowState.learning) return;
  out[result.noveltyTail] = row[column.novelty]!;
  if (state === rowState.known) {
    out[result.rateTail] = rateTail;
    out[result.intervalTail] = intervalTail;
    out[result.durationTail] = durationTail;
    if (head.clusters > 0) judgeBehaviour(row, head, out);
  }
  const raw = combineTails(out);
  out[result.rawTail] = raw;
  out[result.surprise] = 1 - correctByExperience(raw, row);
}

/** Writes what is usual into `out` and returns how far off the present is. NaN where there is nothing to compare with. */
function describeUsual(row: Float64Array, out: Float64Array): { rateTail: number; intervalTail: number } {
  let rateTail = Number.NaN;
  let intervalTail = Number.NaN;
  const sampleCount = Math.min(row[column.sampleCount]!, sampleLimit);
  if (sampleCount > 0) {
    const samples = sortedPart(row, column.samples, sampleCount);
    const median = medianSorted(samples);
    out[result.usualMedian] = median;
    out[result.usualLow] = quantileSorted(samples, 0.1);
    out[result.usualHigh] = quantileSorted(samples, 0.9);
    const middle = anscombe(median);
    const spread = Math.max(leastRateSpread, deviation(samples.map(anscombe), middle));
    const count = row[column.count]!;
    let asMany = 0;
    for (const sample of samples) if (sample >= count) asMany++;
    rateTail = Math.max(upperTail((anscombe(count - 0.5) - middle) / spread), asMany / (sampleCount + 1));
  }
  const gapCount = Math.min(row[column.gapCount]!, gapLimit);
  if (gapCount > 0) {
    const gaps = sortedPart(row, column.gaps, gapCount);
    const middle = medianSorted(gaps);
    out[result.gapMedian] = middle;
    out[result.gapLow] = quantileSorted(gaps, 0.1);
    out[result.gapHigh] = quantileSorted(gaps, 0.9);
    const gap = row[column.gap]!;
    const spread = Math.max(leastGapSpread, deviation(gaps, middle));
    if (gap >= 0) {
      let asFar = 0;
      for (const sample of gaps) if (gap > middle ? sample >= gap : sample <= gap) asFar++;
      const oneSided = Math.max(upperTail(Math.abs(gap - middle) / spread), asFar / (gapCount + 1));
      intervalTail = Math.min(1, 2 * oneSided);
    }
  }
  return { rateTail, intervalTail };
}

/** Writes for how long the kind usually fires, and returns how far off it is by now; NaN where too little is known or it has only begun. */
function describeDuration(row: Float64Array, out: Float64Array): number {
  const count = Math.min(row[column.durationCount]!, durationLimit);
  if (count === 0) return Number.NaN;
  const durations = sortedPart(row, column.durations, count);
  const middle = medianSorted(durations);
  out[result.durationMedian] = middle;
  out[result.durationLow] = quantileSorted(durations, 0.1);
  out[result.durationHigh] = quantileSorted(durations, 0.9);
  const age = row[column.age]!;
  if (age < 0 || count < leastDurations) return Number.NaN;
  let asLong = 0;
  for (const duration of durations) if (duration >= age) asLong++;
  const spread = Math.max(leastGapSpread, deviation(durations, middle));
  return Math.max(upperTail((age - middle) / spread), asLong / (count + 1));
}

/** The behaviour features of one row (see `behaviourFeatures`), unscaled. Training and scoring both come through here. */
export function behaviourOf(row: Float64Array, usualMedian: number, gaps: readonly number[]): number[] {
  const count = row[column.count]!;
  const middle = gaps.length > 0 ? median([...gaps]) : 0;
  const gap = row[column.gap]!;
  return [
    Math.log2(1 + count),
    Math.log2(1 + (Number.isNaN(usualMedian) ? 0 : usualMedian)),
    count > 0 ? row[column.fired]! / count : 0,
    Math.log2(1 + row[column.resolved]!),
    gap < 0 ? middle : gap,
    middle,
    gaps.length > 0 ? deviation(gaps, middle) : 0,
    row[column.activeHours]! / 24,
  ];
}

function judgeBehaviour(row: Float64Array, head: Head, out: Float64Array): void {
  const gaps = sortedPart(row, column.gaps, Math.min(row[column.gapCount]!, gapLimit));
  const features = behaviourOf(row, out[result.usualMedian]!, gaps);
  let nearest = 0;
  let least = Number.POSITIVE_INFINITY;
  for (let cluster = 0; cluster < head.clusters; cluster++) {
    let sum = 0;
    for (let feature = 0; feature < head.features; feature++) {
      const scaled = (features[feature]! - head.centre[feature]!) / head.scale[feature]!;
      sum += (scaled - head.centroids[cluster * head.features + feature]!) ** 2;
    }
    if (sum < least) {
      least = sum;
      nearest = cluster;
    }
  }
  const distance = Math.sqrt(least);
  out[result.distance] = distance;
  out[result.cluster] = nearest;
  out[result.behaviourTail] = Math.max(trainedTail(head, distance), shownTail(row, distance));
}

/** Interpolates the trained tail, log-linear in the distance. Beyond the last point it stays at that point's probability. */
function trainedTail(head: Head, distance: number): number {
  let fromDistance = 0;
  let fromLog = 0;
  for (let point = 0; point < head.tailDistances.length; point++) {
    const toDistance = head.tailDistances[point]!;
    const toLog = Math.log(head.tailProbabilities[point]!);
    if (distance < toDistance) {
      return Math.exp(
        fromLog + ((toLog - fromLog) * (distance - fromDistance)) / (toDistance - fromDistance),
      );
    }
    fromDistance = toDistance;
    fromLog = toLog;
  }
  return Math.exp(fromLog);
}

/** Which bin of a domain's histogram of distances `distance` falls into. */
export function distanceBin(distance: number): number {
  return Math.min(distanceBins - 1, Math.floor(distance / distanceStep));
}

/** The share of the domain's periods at least about as far out; 1 while it has shown none. */
function shownTail(row: Float64Array, distance: number): number {
  const bin = distanceBin(distance);
  let further = 1;
  let all = 1;
  for (let at = 0; at < distanceBins; at++) {
    const weight = row[column.distances + at]!;
    all += weight;
    if (at >= bin) further += weight;
  }
  return further / all;
}

/** Fisher (1932): minus twice the sum of the logs follows chi-squared with two degrees of freedom per component. */
function combineTails(out: Float64Array): number {
  let exponent = 0;
  let components = 0;
  for (const component of componentTails) {
    const tail = out[component]!;
    if (Number.isNaN(tail)) continue;
    exponent -= Math.log(Math.max(tail, 1e-300));
    components++;
  }
  let sum = 0;
  let term = 1;
  for (let component = 0; component < components; component++) {
    sum += term;
    term *= exponent / (component + 1);
  }
  return Math.min(1, Math.exp(-exponent) * sum);
}

/**
 * Where a raw tail probability falls in a domain's histogram: bin and, as the fraction, the place within it. Bins are
 * narrow near 1, where most of what is usual lies, and about an octave wide at 2^-16.
 */
export function tailPlace(raw: number): number {
  return Math.min(tailBins - 1, 8 * Math.sqrt(Math.max(0, -Math.log2(Math.max(raw, 1e-300)))));
}

function correctByExperience(raw: number, row: Float64Array): number {
  const place = tailPlace(raw);
  const bin = Math.floor(place);
  let odder = row[column.tail + bin]! * (1 - (place - bin));
  for (let above = bin + 1; above < tailBins; above++) odder += row[column.tail + above]!;
  return Math.min(1, (odder + priorPeriods * raw) / (row[column.tailTotal]! + priorPeriods));
}

function anscombe(count: number): number {
  return 2 * Math.sqrt(count + 0.375);
}

function upperTail(z: number): number {
  return 1 / (1 + Math.exp(logisticSlope * z));
}

function deviation(values: readonly number[], middle: number): number {
  const distances: number[] = [];
  for (const value of values) insertSorted(distances, Math.abs(value - middle));
  return madToDeviation * medianSorted(distances);
}

function sortedPart(row: Float64Array, from: number, count: number): number[] {
  const values: number[] = [];
  for (let i = from; i < from + count; i++) insertSorted(values, row[i]!);
  return values;
}

/** For a few dozen numbers this takes a third of the time of `sort` with a comparator. */
function insertSorted(sorted: number[], value: number): void {
  let place = sorted.length;
  sorted.push(value);
  for (; place > 0 && sorted[place - 1]! > value; place--) sorted[place] = sorted[place - 1]!;
  sorted[place] = value;
}
