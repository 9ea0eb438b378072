/** One report as a monitoring system would send it. `faultId` is the truth and never part of what is sent. */
export interface ScenarioReport {
  readonly atMs: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAtMs: number;
  /** Set where the report says that it is over. */
  readonly endsAtMs: number | null;
  readonly faultId: string | null;
}

/** A condition that fires for a while, is sent again and again until it is over, and then once more to say so. */
export interface Condition {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: (nowMs: number) => Readonly<Record<string, string>>;
  readonly fromMs: number;
  readonly toMs: number;
  /** Between two reports; 15 to 60 seconds are usual. */
  readonly everyMs: number;
  readonly faultId: string | null;
  /** Since when it holds, where that is before it is first heard of. */
  readonly sinceMs?: number;
}

export const minuteMs = 60_000;
export const secondMs = 1000;

/** How many reports a condition makes. */
export function reportCountOf({ fromMs, toMs, everyMs }: Condition): number {
  return Math.ceil((Math.floor(toMs) - Math.floor(fromMs)) / everyMs) + 1;
}

export function reportsOf({
  labels,
  annotations,
  fromMs,
  toMs,
  everyMs,
  faultId,
  sinceMs,
}: Condition): ScenarioReport[] {
  const startsAtMs = Math.floor(sinceMs ?? fromMs);
  const endsAtMs = Math.floor(toMs);
  const reports: ScenarioReport[] = [];
  for (let atMs = Math.floor(fromMs); atMs < endsAtMs; atMs += everyMs) {
    reports.push({ atMs, labels, annotations: annotations(atMs), startsAtMs, endsAtMs: null, faultId });
  }
  reports.push({ atMs: endsAtMs, labels, annotations: annotations(endsAtMs), startsAtMs, endsAtMs, faultId });
  return reports;
}

/** A value that wanders between `low` and `high` in the course of minutes, the same at the same time. */
export function wander(nowMs: number, low: number, high: number): number {
  return Math.round(low + (high - low) * (0.5 + 0.5 * Math.sin(nowMs / 47_000)));
}
