import type { Alert, Labels } from '../alert/index.ts';
import type { Priority } from '../incident/index.ts';

/** An aggregation group: alerts that one receiver hears of together. */
export interface Group {
  readonly id: string;
  /** Alertmanager's group key. */
  readonly key: string;
  readonly routeIndex: number;
  readonly labels: Labels;
  readonly receiver: string;
  readonly incidentId: string | null;
  /** Fingerprints, in the order in which they came in. */
  readonly members: string[];
  hasFlushed: boolean;
  /** Why the last flush sent nothing; empty when it sent. */
  heldBecause: string;
}

/** What the receiver of a group was last told: Alertmanager's notification log. Outlives the group. */
export interface Told {
  readonly firing: readonly string[];
  readonly resolved: readonly string[];
  readonly atMs: number;
  /** The incident's priority then. */
  readonly priority: Priority | null;
  /** The effect that told it. */
  readonly effectId: string;
}

/** An alert as dispatch remembers it. */
export interface Routed {
  readonly alert: Alert;
  readonly isFiring: boolean;
  readonly signalId: string | null;
  readonly groupIds: readonly string[];
}
