import type { Severity } from '../alert/index.ts';
import type {
  AlertChange,
  Category,
  Incident,
  Page,
  Priority,
  Reason,
  Sighting,
  SignalChange,
  SignalState,
} from '../incident/index.ts';

type PastReason = Omit<Reason, 'weight'> & { readonly weight: number | null };

/** A row of table `alerts`: `count` reports between `firstAtMs` and `lastAtMs`. Empty texts stand for nothing. */
export interface PastAlert {
  readonly atMs: number;
  readonly domain: string;
  readonly fingerprint: string;
  readonly change: AlertChange['change'];
  readonly count: number;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
  readonly startsAtMs: number;
  readonly endsAtMs: number;
  readonly severity: Severity;
  readonly service: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly source: string;
  readonly signalId: string;
  readonly how: Sighting['how'];
  readonly similarity: number;
  /** Words and labels in which it differs from the first alert of its signal, when it was taken in as similar. */
  readonly differing: string;
}

export const alertColumns = `
  toUnixTimestamp64Milli(at) AS atMs, domain, fingerprint, change, count,
  toUnixTimestamp64Milli(first_at) AS firstAtMs, toUnixTimestamp64Milli(last_at) AS lastAtMs,
  toUnixTimestamp64Milli(starts_at) AS startsAtMs, toUnixTimestamp64Milli(ends_at) AS endsAtMs,
  severity, service, labels, annotations, source, signal_id AS signalId, how, similarity, differing`;

/** A row of table `verdicts`: the alert was muted, or no longer. */
export interface PastVerdict {
  readonly atMs: number;
  readonly fingerprint: string;
  readonly isMuted: boolean;
  /** Ids of silences. */
  readonly silencedBy: readonly string[];
  /** Fingerprints of the alerts that inhibited it. */
  readonly inhibitedBy: readonly string[];
}

export const verdictColumns = `
  toUnixTimestamp64Milli(at) AS atMs, fingerprint, is_muted AS isMuted, silenced_by AS silencedBy,
  inhibited_by AS inhibitedBy`;

/** A row of table `signals`. */
export interface PastSignal {
  readonly atMs: number;
  readonly domain: string;
  readonly signalId: string;
  readonly change: SignalChange['change'] | 'scored';
  readonly state: SignalState;
  readonly severity: Severity;
  readonly service: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly text: string;
  readonly template: string;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
  readonly resolvedAtMs: number | null;
  readonly alertCount: number;
  readonly fingerprintCount: number;
  readonly firingCount: number;
  readonly surprise: number | null;
  readonly surpriseState: 'learning' | 'scored' | '';
  readonly reasons: readonly PastReason[];
}

export const signalColumns = `
  toUnixTimestamp64Milli(at) AS atMs, domain, signal_id AS signalId, change, state, severity, service, labels, text, template,
  toUnixTimestamp64Milli(first_at) AS firstAtMs, toUnixTimestamp64Milli(last_at) AS lastAtMs,
  toUnixTimestamp64Milli(resolved_at) AS resolvedAtMs, alert_count AS alertCount,
  fingerprint_count AS fingerprintCount, firing_count AS firingCount,
  surprise, surprise_state AS surpriseState, reasons`;

/** A row of table `incidents`: one revision. */
export interface PastIncident {
  readonly atMs: number;
  readonly domain: string;
  readonly incidentId: string;
  readonly revision: number;
  readonly state: Incident['state'];
  readonly title: string;
  readonly severity: Severity;
  readonly priority: Priority;
  readonly confidence: number;
  readonly category: Category;
  readonly services: readonly string[];
  readonly signalCount: number;
  readonly alertCount: number;
  readonly probableCauses: readonly {
    readonly signal_id: string;
    readonly text: string;
    readonly score: number;
  }[];
  readonly reasons: readonly PastReason[];
  readonly openedAtMs: number;
  readonly resolvedAtMs: number | null;
  readonly acknowledgedBy: string;
  readonly acknowledgedAtMs: number | null;
  readonly mergedInto: string;
  readonly surprise: number | null;
  readonly similar: readonly {
    readonly incident_id: string;
    readonly title: string;
    readonly similarity: number;
  }[];
  readonly historyMissing: boolean;
}

export const incidentColumns = `
  toUnixTimestamp64Milli(at) AS atMs, domain, incident_id AS incidentId, revision, state, title, severity, priority,
  confidence, category, services, signal_count AS signalCount, alert_count AS alertCount,
  probable_causes AS probableCauses, reasons, toUnixTimestamp64Milli(opened_at) AS openedAtMs,
  toUnixTimestamp64Milli(resolved_at) AS resolvedAtMs, acknowledged_by AS acknowledgedBy,
  toUnixTimestamp64Milli(acknowledged_at) AS acknowledgedAtMs, merged_into AS mergedInto, surprise, similar,
  history_missing AS historyMissing`;

/** A row of table `links`. */
export interface PastLink {
  readonly atMs: number;
  readonly incidentId: string;
  readonly fromSignalId: string;
  readonly toSignalId: string;
  readonly weight: number;
  readonly reasons: readonly PastReason[];
}

export const linkColumns = `
  toUnixTimestamp64Milli(at) AS atMs, incident_id AS incidentId, from_signal_id AS fromSignalId,
  to_signal_id AS toSignalId, weight, reasons`;

/** A row of table `pages`. */
export interface PastPage {
  readonly atMs: number;
  readonly domain: string;
  readonly pageId: string;
  readonly receiver: string;
  readonly groupKey: string;
  readonly incidentId: string;
  readonly status: Page['status'];
  readonly reason: string;
  readonly fingerprints: readonly string[];
}

export const pageColumns = `
  toUnixTimestamp64Milli(at) AS atMs, domain, page_id AS pageId, receiver, group_key AS groupKey,
  incident_id AS incidentId, status, reason, fingerprints`;

/** A row of table `deliveries`: how the sending of a page ended. */
export interface PastDelivery {
  readonly atMs: number;
  readonly pageId: string;
  readonly receiver: string;
  readonly status: 'done' | 'failed';
  readonly code: string;
  readonly message: string;
  readonly latencyMs: number;
}

export const deliveryColumns = `
  toUnixTimestamp64Milli(at) AS atMs, page_id AS pageId, receiver, status, code, message, latency_ms AS latencyMs`;
