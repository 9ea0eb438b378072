import type { SeriesFeature } from './features.ts';
import type { NewsSettings } from './news.ts';
import type { NoveltySettings } from './novelty.ts';
import type { QuantileSettings } from './quantiles.ts';
import type { TailSettings } from './tail.ts';

/** Changes whenever the same series would get other scores, or its state is laid out anew. */
export const seriesDetectorVersion = 1;

/**
 * How a feature is judged. `novelty`: how few values like it there were before. `tails`: how far out it is, on either side.
 * `weight` says how much its evidence counts beside the others': the strongest weighted evidence decides.
 */
export interface Judgement {
  readonly feature: SeriesFeature;
  readonly by: 'novelty' | 'tails';
  readonly weight: number;
  /** It is learned from the beginning, but counts from so many points on: what compares means has to settle first. */
  readonly leastPoints: number;
}

/** The same for every series; how they were chosen and how wide their plateaus are: docs/score.md. */
export const judgements: readonly Judgement[] = [
  { feature: 'value', by: 'novelty', weight: 1, leastPoints: 0 },
  { feature: 'drift', by: 'novelty', weight: 0.8, leastPoints: 200 },
  { feature: 'daily', by: 'tails', weight: 0.55, leastPoints: 200 },
  { feature: 'activity', by: 'tails', weight: 0.55, leastPoints: 200 },
];

export const noveltySettings: NoveltySettings = {
  halfWidth: 0.012,
  margin: 0.08,
  prior: 0.01,
  beyondShare: 0.2,
};

/** What a novelty is compared with: the novelties of the past. */
export const noveltyTail: TailSettings = {
  levels: [0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.002],
  anchor: 6,
  leastGain: 0.02,
  maxExcesses: 4,
};

export const sideTail: TailSettings = {
  levels: [0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005],
  anchor: 6,
  leastGain: 0.02,
  maxExcesses: 6,
};

export const newsSettings: NewsSettings = { memoryPoints: 300, factor: 1.05, discount: 3 };

/** The band of a feature that is told as usual: all but the lowest and the highest twentieth of late. */
export const bandQuantiles: QuantileSettings = {
  levels: [0.95, 0.5, 0.05],
  anchor: 1,
  leastGain: 0.05,
  isBounded: true,
};
