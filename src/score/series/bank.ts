import { calibrationSize, learnShare, shareBeyond } from './calibration.ts';
import { computeFeatures, featurePlace, featureSize, hourOfDay, seriesFeatures } from './features.ts';
import { discountOldNews, newsSize } from './news.ts';
import { judgeNovelty, noveltyBins, noveltySize } from './novelty.ts';
import { learnQuantiles, quantilesSize } from './quantiles.ts';
import {
  bandQuantiles,
  judgements,
  newsSettings,
  noveltySettings,
  noveltyTail,
  sideTail,
} from './settings.ts';
import { learnTail, tailSize, tailSurprise } from './tail.ts';

/** Where the parts of one series' state lie in its row of `numbers`. */
const bandAt = featureSize;
const bandSize = quantilesSize(bandQuantiles);
const newsAt = bandAt + judgements.length * bandSize;
const calibrationAt = newsAt + newsSize;
const firstJudgeAt = calibrationAt + calibrationSize;
const judgeSizes = judgements.map(({ by }) =>
  by === 'novelty' ? noveltySize + tailSize(noveltyTail) : 2 * tailSize(sideTail),
);
const judgeAts = judgeSizes.map((_, i) => firstJudgeAt + sum(judgeSizes.slice(0, i)));
const noveltyIndices = judgements.map(
  ({ by }, i) => judgements.slice(0, i).filter((other) => other.by === by).length,
);

/** Numbers (8 bytes) and bins (4 bytes) that one series takes. */
export const numbersPerSeries = firstJudgeAt + sum(judgeSizes);
export const binsPerSeries = noveltyBins * judgements.filter(({ by }) => by === 'novelty').length;
export const bytesPerSeries = 8 * numbersPerSeries + 4 * binsPerSeries;

/** The columns of one result. Those from `evidence` on come in groups of one for each of `judgements`, in their order. */
export const seriesResult = {
  /** 0..1; NaN while learning. */
  surprise: 0,
  /** Points known before this one. */
  points: 1,
  /** 1 when the point surprises more than what was told of late, 0 when its surprise was lowered because of that. */
  isNews: 2,
  /** The hour of the day (UTC) that the point was compared with. */
  hour: 3,
  /** Surprise of the feature in nats, weighted. */
  evidence: 4,
  /** What the feature is, and where it lay of late: its 5th and 95th percentile before this point. */
  feature: 4 + judgements.length,
  low: 4 + 2 * judgements.length,
  high: 4 + 3 * judgements.length,
} as const;
export const seriesResultWidth = 4 + 4 * judgements.length;

/** Differences of larger numbers would not be finite; those are taken as this. */
const largest = 1e300;
const scratch = new Float64Array(seriesFeatures.length);
const judgedFeatures = judgements.map(({ feature }) => seriesFeatures.indexOf(feature));

/**
 * The state of many series, one row each in two flat columns: `numbersPerSeries` numbers and `binsPerSeries` bins. A row of
 * zeros is a series of which nothing is known. The columns may lie in a SharedArrayBuffer; whoever scores a series
 * must be the only one to do so at that time.
 */
export interface SeriesBank {
  readonly numbers: Float64Array;
  readonly bins: Float32Array;
}

/** Memory for `capacity` series, shared between threads if asked for. */
export function createSeriesBank(capacity: number, { isShared = false } = {}): SeriesBank {
  const room = (bytes: number) => (isShared ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes));
  return {
    numbers: new Float64Array(room(8 * capacity * numbersPerSeries)),
    bins: new Float32Array(room(4 * capacity * binsPerSeries)),
  };
}

/**
 * Scores one point of series number `series` by what came before it and learns it; writes `seriesResultWidth` numbers to `at`
 * of `out`. `timeMs` is the time of the point, of which only the hour of the day (UTC) counts. The same points give
 * the same numbers wherever and in whatever batches they are scored. `value` must be finite.
 */
export function scorePoint(
  bank: SeriesBank,
  series: number,
  timeMs: number,
  value: number,
  out: Float64Array,
  at = 0,
): void {
  const { numbers } = bank;
  const row = series * numbersPerSeries;
  const points = numbers[row + featurePlace.points]!;
  out[at + seriesResult.points] = points;
  out[at + seriesResult.hour] = hourOfDay(timeMs);
  computeFeatures(numbers, row, timeMs, Math.max(-largest, Math.min(largest, value)), scratch);
  let strongest = 0;
  for (let i = 0; i < judgements.length; i++) {
    const feature = scratch[judgedFeatures[i]!]!;
    const isKnown = !Number.isNaN(feature);
    const surprise = isKnown ? judge(bank, series, i, feature) : 0;
    const evidence = points < judgements[i]!.leastPoints ? 0 : judgements[i]!.weight * surprise;
    const band = row + bandAt + i * bandSize;
    out[at + seriesResult.evidence + i] = evidence;
    out[at + seriesResult.feature + i] = feature;
    out[at + seriesResult.low + i] = numbers[band]!;
    out[at + seriesResult.high + i] = numbers[band + bandQuantiles.levels.length - 1]!;
    if (isKnown) learnQuantiles(numbers, band, bandQuantiles, feature);
    if (evidence > strongest) strongest = evidence;
  }
  const told = discountOldNews(numbers, row + newsAt, newsSettings, strongest);
  out[at + seriesResult.isNews] = told < strongest ? 0 : 1;
  out[at + seriesResult.surprise] = 1 - shareBeyond(numbers, row + calibrationAt, told);
  learnShare(numbers, row + calibrationAt, told);
}

/** Surprise of a feature in nats, before its weight. Learns it. */
function judge({ numbers, bins }: SeriesBank, series: number, index: number, feature: number): number {
  const at = series * numbersPerSeries + judgeAts[index]!;
  if (judgements[index]!.by === 'novelty') {
    const binsAt = series * binsPerSeries + noveltyBins * noveltyIndices[index]!;
    const novelty = judgeNovelty(numbers, at, bins, binsAt, noveltySettings, feature);
    const surprise = tailSurprise(numbers, at + noveltySize, noveltyTail, novelty);
    learnTail(numbers, at + noveltySize, noveltyTail, novelty);
    return surprise;
  }
  const otherAt = at + tailSize(sideTail);
  const above = tailSurprise(numbers, at, sideTail, feature);
  const below = tailSurprise(numbers, otherAt, sideTail, -feature);
  learnTail(numbers, at, sideTail, feature);
  learnTail(numbers, otherAt, sideTail, -feature);
  return Math.max(0, Math.max(above, below) - Math.LN2);
}

function sum(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total + size, 0);
}
