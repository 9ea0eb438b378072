import type { Alert, Labels } from '../alert/index.ts';
import type { Effect } from '../engine/index.ts';
import type { Incident, SimilarIncident } from './incident.ts';

/** What dispatch hands to notify: one message for one integration of a receiver about one group. */
export interface Notification {
  /** The page that this is a telling of. */
  readonly pageId: string;
  readonly receiver: string;
  /** The integration to tell, such as `webhook[0]`; null for all that the receiver has. */
  readonly integration: string | null;
  /** Alertmanager's group key, such as `{}/{team="payments"}:{cluster="eu"}`. */
  readonly groupKey: string;
  readonly groupLabels: Labels;
  /** `firing` while any alert of the group fires. */
  readonly status: 'firing' | 'resolved';
  /**
   * Alertmanager's words: `first notification`, `new alerts added`, `some alerts resolved`, `all alerts resolved`, `repeat interval elapsed`;
   * of incidents also `fires again`, `fires again after it was closed`, and what was raised.
   */
  readonly notificationReason: string;
  /** What the reader must know beyond the incident: that it flaps, that a storm goes on, that a limit is reached. Absent where there is nothing. */
  readonly notices?: readonly string[];
  readonly alerts: readonly NotifiedAlert[];
  /** Alerts of the group that are as the integration was told before, and are left out because it wants to hear of changes only. */
  readonly unchangedCount: number;
  /** The incident that the group stands for, when its route groups by `incident`. */
  readonly incident: Incident | null;
  /** The group's next flush comes so long after this one: until then it is tried again. */
  readonly retryForMs: number;
  readonly atMs: number;
}

export interface NotifiedAlert {
  readonly alert: Alert;
  readonly status: 'firing' | 'resolved';
}

/** Sends a notification. Id: the page's, and `/<integration>` where the receiver has several. */
export type NotifyEffect = Effect<'notify', Notification>;

/** Asks the history for incidents like this one. Its fact's result is a `RecallResult`. */
export type RecallEffect = Effect<
  'recall',
  {
    readonly incidentId: string;
    readonly domain: string;
    /** Only incidents opened before this moment count. */
    readonly beforeMs: number;
    readonly templates: readonly string[];
    /** One MinHash sketch per signal. */
    readonly signatures: readonly (readonly number[])[];
    readonly services: readonly string[];
    /** Labels of its signals; where given, shared ones count in the ranking. */
    readonly labels?: readonly Labels[];
    readonly limit: number;
  }
>;

/** What recall found: the most similar first. `historyMissing` says that there was no history to ask. */
export interface RecallResult {
  readonly similar: readonly SimilarIncident[];
  readonly historyMissing: boolean;
}

/** Carries out one HTTP step of a runbook. Its fact's result is `{ status: number, body: string }` (body cut to 4 KiB). */
export type HttpStepEffect = Effect<
  'http-step',
  {
    readonly runId: string;
    readonly step: number;
    readonly method: string;
    readonly url: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
    readonly timeoutMs: number;
    /** Becomes the header `Authorization`. The credentials stay in their file, outside of the log, until they are sent. */
    readonly authorization?: { readonly type: string; readonly credentialsFile: string };
  }
>;
