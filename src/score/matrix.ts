import type { ScoreModel } from './model.ts';

/** Names of the behaviour features, in the order in which models hold them. A model trained on others is refused. */
export const behaviourFeatures = [
  'log2_count',
  'log2_usual_count',
  'fired_ratio',
  'log2_resolved',
  'log2_gap_seconds',
  'log2_usual_gap_seconds',
  'gap_spread',
  'active_hours_ratio',
] as const;

/** Counts of past periods that a row holds at most. */
export const sampleLimit = 32;
/** Past gaps that a row holds at most. */
export const gapLimit = 16;
/** Past durations that a row holds at most. */
export const durationLimit = 16;
/** Bins of the domain's histogram of raw tail probabilities (see `tailPlace`), the last one open. */
export const tailBins = 32;
/** Bins of the domain's histogram of behaviour distances: `distanceStep` wide each, the last one open. */
export const distanceBins = 16;
export const distanceStep = 0.5;

/**
 * The columns of one row to score: what a kind does now, and what is usual for it. Everything that the kernel and the
 * reasons need is a number in here, so that a row means the same in any thread.
 */
export const column = {
  /** One of `rowState`. */
  state: 0,
  /** Alerts in the period so far. */
  count: 1,
  /** Filled places from `samples` on. */
  sampleCount: 2,
  /** log2 of the seconds between the first alert of the period and the kind's alert before it; -1 when there was none. */
  gap: 3,
  /** Filled places from `gaps` on. */
  gapCount: 4,
  /** Share of the domain's scored periods that belonged to kinds seen as rarely as this one, in (0, 1]. */
  novelty: 5,
  /** Of `count`, how many were new firings rather than repeats. */
  fired: 6,
  /** Resolves in the period so far. */
  resolved: 7,
  /** Hours of the day (0..24) in which the kind has ever been seen. */
  activeHours: 8,
  /** One of `sampleScope`. */
  scope: 9,
  /** 0 is Monday 00:00 UTC, 167 Sunday 23:00. */
  hourOfWeek: 10,
  /** Past periods with alerts of this kind. */
  seen: 11,
  /** Days for which the domain has been watched. */
  domainDays: 12,
  /** Sum of the histogram from `tail` on. */
  tailTotal: 13,
  samples: 14,
  gaps: 14 + sampleLimit,
  tail: 14 + sampleLimit + gapLimit,
  distances: 14 + sampleLimit + gapLimit + tailBins,
  /** log2 of the seconds for which the kind has been firing without a pause; -1 when it has only begun. */
  age: 14 + sampleLimit + gapLimit + tailBins + distanceBins,
  /** Filled places from `durations` on: log2 seconds for which it fired the last times. */
  durationCount: 15 + sampleLimit + gapLimit + tailBins + distanceBins,
  durations: 16 + sampleLimit + gapLimit + tailBins + distanceBins,
} as const;

export const rowWidth = column.durations + durationLimit;

/** `learning`: too little is known of the kind. `fresh`: a new kind in a domain that is well known. */
export const rowState = { learning: 0, known: 1, fresh: 2 } as const;

/** Which past periods the samples are of: the same hour of the week, the same hour of any day, or any. */
export const sampleScope = { hourOfWeek: 0, hourOfDay: 1, any: 2 } as const;

/** The columns of one result. A probability is NaN where its component could not be judged. */
export const result = {
  /** 0..1; NaN while learning. */
  surprise: 0,
  /** Fisher's combination of the components' tail probabilities, before the domain's own experience. */
  rawTail: 1,
  rateTail: 2,
  intervalTail: 3,
  noveltyTail: 4,
  behaviourTail: 5,
  durationTail: 14,
  /** To the nearest behaviour cluster, in robust standard deviations; NaN without a model. */
  distance: 6,
  cluster: 7,
  /** Usual counts: 10th and 90th percentile and median of the samples. */
  usualLow: 8,
  usualHigh: 9,
  usualMedian: 10,
  /** Usual gaps: 10th and 90th percentile and median, log2 seconds. */
  gapLow: 11,
  gapHigh: 12,
  gapMedian: 13,
  /** Usual durations: 10th and 90th percentile and median, log2 seconds. */
  durationLow: 15,
  durationHigh: 16,
  durationMedian: 17,
} as const;

/** The tail probabilities that combine. */
export const componentTails = [
  result.rateTail,
  result.intervalTail,
  result.noveltyTail,
  result.behaviourTail,
  result.durationTail,
] as const;

export const resultWidth = 18;

/**
 * The head of a matrix: the model, as numbers. `[length, clusters, features, tail points, centre, scale, centroids,
 * tail probabilities, tail distances]`; with no model, `[4, 0, 0, 0]`. Rows follow right behind it.
 */
export function encodeHead(model: ScoreModel | null): Float64Array {
  if (!model) return Float64Array.of(4, 0, 0, 0);
  const body = [
    ...model.centre,
    ...model.scale,
    ...model.centroids.flat(),
    ...model.tail.map(([probability]) => probability),
    ...model.tail.map(([, distance]) => distance),
  ];
  return Float64Array.of(
    4 + body.length,
    model.centroids.length,
    model.features.length,
    model.tail.length,
    ...body,
  );
}
