import type { Alert, Labels } from '../alert/index.ts';
import type { Urgency } from './urgency.ts';

/** An aggregation group: alerts that one receiver hears of together. Its members are the alerts that name it. */
export interface Group {
  readonly id: string;
  /** Alertmanager's group key. */
  readonly key: string;
  /** Key of the route that made it. */
  readonly routeKey: string;
  readonly labels: Labels;
  readonly receiver: string;
  /** The incident that it stands for, when its route groups by `incident`. */
  readonly incidentId: string | null;
  /** The route's `group_wait` when it was made. */
  readonly groupWaitMs: number;
  readonly hasFlushed: boolean;
  /** Why the last flush sent nothing; empty when it sent. */
  readonly heldBecause: string;
}

/** What the receiver of a group was last told: an entry of Alertmanager's notification log. Fingerprints are sorted. */
export interface Told {
  readonly firing: readonly string[];
  readonly resolved: readonly string[];
  readonly atMs: number;
  /** The incident's urgency then. */
  readonly urgency: Urgency | null;
  /** The effect that told it. */
  readonly effectId: string;
  /** The incident was closed by hand since, with alerts that fired on. */
  readonly isClosed?: true;
}

/** An alert as dispatch remembers it, for as long as a group holds it. */
export interface Routed {
  readonly alert: Alert;
  readonly isFiring: boolean;
  readonly signalId: string | null;
  readonly groupIds: readonly string[];
}
