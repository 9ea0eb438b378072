import type { Severity } from '../alert/index.ts';
import type { Reason } from './reason.ts';

/** Far more signals at once than a domain usually has. */
export interface Storm {
  readonly id: string;
  readonly domain: string;
  readonly state: 'on' | 'over';
  readonly startedAtMs: number;
  /** Null while `state` is `on`. */
  readonly endedAtMs: number | null;
  readonly windowMs: number;
  /** Signals that opened or returned within the last window, and the most that ever did in one. */
  readonly count: number;
  readonly peakCount: number;
  /** What is usual in a window, learned up to the storm; null where too little was known. */
  readonly usual: UsualRate | null;
  /** It ends once counts of windows have stayed at or below this for long enough. */
  readonly calmCount: number;
  /** Since it began: signals that opened or returned, and incidents that they belong to. */
  readonly signalCount: number;
  readonly incidentCount: number;
  /** Incidents for which another one stands. Those that had no page before get none of their own while it does. */
  readonly coveredCount: number;
  /** Its signals by what they say and by the incident that stands for them, the first first; at most 50. */
  readonly families: readonly StormFamily[];
  /** Signals of further families. */
  readonly otherCount: number;
  /** Why it is one. */
  readonly reasons: readonly Reason[];
}

export interface UsualRate {
  /** Signals in a window. */
  readonly mean: number;
  readonly variance: number;
  /** Windows that this was learned from. */
  readonly windows: number;
  /** Which windows are comparable: those of the same hour of the week (UTC), of the same hour of any day, or any. */
  readonly scope: 'hour_of_week' | 'hour_of_day' | 'any';
}

/** Signals of a storm that are of one kind, wherever they come from, and belong to one root. */
export interface StormFamily {
  /** Alertname, or template of alerts without one. */
  readonly kind: string;
  /** The incident that stands for theirs, or is theirs; null where they have none. */
  readonly rootId: string | null;
  readonly signalCount: number;
  readonly severity: Severity;
  /** Some of the services; at most 10. */
  readonly services: readonly string[];
  readonly serviceCount: number;
  /** The first of them. */
  readonly representative: { readonly signalId: string; readonly text: string };
}

/** `storm` is a copy. */
export interface StormChange {
  readonly change: 'began' | 'went_on' | 'ended';
  readonly storm: Storm;
}

/** That another incident stands for one in a storm; `rootId` is null when none does any more. */
export interface Cover {
  readonly incidentId: string;
  readonly stormId: string;
  readonly rootId: string | null;
  /** Signals of the root that say the same: it stands for this one where their alerts were told. Empty where it does in any case. */
  readonly sameAs: readonly string[];
  readonly reason: Reason;
}

/** That the first page of an incident has time until `untilMs`; null when it has not any more. */
export interface Hold {
  readonly incidentId: string;
  readonly untilMs: number | null;
  readonly reason: Reason;
}
