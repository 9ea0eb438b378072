/** How often something is heard of, learned from the gaps between its reports. Gaps are taken by their logarithm: they span from milliseconds to days. */
export interface Pace {
  heardAtMs: number;
  /** Mean of the natural logarithms of the gaps in seconds. */
  logGap: number;
  /** Variance of the same. */
  variance: number;
  /** Gaps learned from; counts no further than `memory`. */
  count: number;
}

/** What is not told apart from at once. */
const leastGapSeconds = 0.05;
/** Gaps that are remembered: older ones fade. */
const memory = 32;
/** Standard deviations beyond the mean after which one no longer waits. */
const patienceDeviations = 2;

/** The pace of what has been heard of once. */
export function createPace(nowMs: number): Pace {
  return { heardAtMs: nowMs, logGap: 0, variance: 1, count: 0 };
}

/** Learns from a report at `nowMs`. */
export function hear(pace: Pace, nowMs: number): void {
  learn(pace, logOf(nowMs - pace.heardAtMs), memory);
  pace.heardAtMs = nowMs;
}

/** Learns from one gap, given as its logarithm; at most `most` gaps are remembered. The first variance is that of arrivals at random, roughly. */
export function learn(
  gaps: { logGap: number; variance: number; count: number },
  logGap: number,
  most: number,
): void {
  const count = Math.min(most, gaps.count + 1);
  const surprise = logGap - gaps.logGap;
  gaps.logGap += surprise / count;
  gaps.variance += ((1 - 1 / count) * surprise * surprise - gaps.variance) / (count + 1);
  gaps.count = count;
}

/** How long after its last report one still expects the next, in milliseconds; null before anything is known. */
export function patienceOf({
  logGap,
  variance,
  count,
}: {
  readonly logGap: number;
  readonly variance: number;
  readonly count: number;
}): number | null {
  return count === 0 ? null : 1000 * Math.exp(logGap + patienceDeviations * Math.sqrt(variance));
}

/** The geometric mean of the gaps, in milliseconds. */
export function usualGapOf({ logGap }: { readonly logGap: number }): number {
  return 1000 * Math.exp(logGap);
}

/** The logarithm that paces are kept in, of a gap in milliseconds. */
export function logOf(gapMs: number): number {
  return Math.log(Math.max(leastGapSeconds, gapMs / 1000));
}
