/**
 * How strongly the signals of one cause bring about further ones: a self-exciting process (Hawkes 1971), of which each signal adds to the
 * expected number per second, at once and less and less for an hour. Kept as decaying counts, one for each time scale.
 */
export interface Heat {
  atMs: number;
  counts: number[];
}

/** From what is one thing in two monitors to what takes minutes to be felt. */
const scalesMs = [1000, 5000, 60_000, 600_000] as const;
/** Of the signals that follow from another one, how many do so on each scale. */
const usualShares = [0.35, 0.25, 0.2, 0.2] as const;
/** The same among services that depend on each other: trouble takes its time. */
const cascadeShares = [0.15, 0.15, 0.4, 0.3] as const;

export function createHeat(nowMs: number): Heat {
  return { atMs: nowMs, counts: scalesMs.map(() => 0) };
}

/** Counts `count` signals at `nowMs`. */
export function addHeat(heat: Heat, count: number, nowMs: number): void {
  const elapsedMs = Math.max(0, nowMs - heat.atMs);
  heat.counts = heat.counts.map((before, i) => before * Math.exp(-elapsedMs / scalesMs[i]!) + count);
  heat.atMs = nowMs;
}

/** Adds another one's heat, when two causes turn out to be one. */
export function takeHeat(heat: Heat, other: Heat): void {
  const nowMs = Math.max(heat.atMs, other.atMs);
  addHeat(heat, 0, nowMs);
  const copy = { atMs: other.atMs, counts: other.counts };
  addHeat(copy, 0, nowMs);
  heat.counts = heat.counts.map((count, i) => count + copy.counts[i]!);
}

/** Expected further signals per second. */
export function intensityOf({ atMs, counts }: Heat, isCascade: boolean, nowMs: number): number {
  const elapsedMs = Math.max(0, nowMs - atMs);
  const shares = isCascade ? cascadeShares : usualShares;
  let intensity = 0;
  for (let i = 0; i < scalesMs.length; i++) {
    intensity += (1000 * shares[i]! * counts[i]! * Math.exp(-elapsedMs / scalesMs[i]!)) / scalesMs[i]!;
  }
  return intensity;
}
