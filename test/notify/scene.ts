import { readFileSync } from 'node:fs';
import { fingerprint, labelsOf, type Alert } from '../../src/alert/index.ts';
import type { Incident, Notification, NotifiedAlert, NotifyEffect } from '../../src/incident/index.ts';

export const nowMs = Date.parse('2026-08-24T09:15:02.118Z');

export function alertOf(labels: Record<string, string>, change: Partial<Alert> = {}): Alert {
  const sorted = labelsOf(labels);
  return {
    fingerprint: fingerprint(sorted),
    domain: 'shop',
    labels: sorted,
    annotations: labelsOf({}),
    startsAtMs: nowMs - 60_000,
    endsAtMs: nowMs + 240_000,
    endsByTimeout: true,
    receivedAtMs: nowMs,
    generatorUrl: '',
    source: 'alertmanager',
    ...change,
  };
}

export function firing(labels: Record<string, string>, change: Partial<Alert> = {}): NotifiedAlert {
  return { alert: alertOf(labels, change), status: 'firing' };
}

export function resolved(labels: Record<string, string>, change: Partial<Alert> = {}): NotifiedAlert {
  return { alert: alertOf(labels, { endsAtMs: nowMs, ...change }), status: 'resolved' };
}

export function notificationOf(change: Partial<Notification> = {}): Notification {
  return {
    pageId: 'INC-1/1/web',
    receiver: 'web',
    integration: null,
    groupKey: '{}:{alertname="DiskFull"}',
    groupLabels: labelsOf({ alertname: 'DiskFull' }),
    status: 'firing',
    notificationReason: 'first notification',
    alerts: [firing({ alertname: 'DiskFull', instance: 'a' })],
    unchangedCount: 0,
    retryForMs: 0,
    incident: null,
    atMs: nowMs,
    ...change,
  };
}

export function effectOf(change: Partial<Notification> = {}, id = 'INC-1/1/web'): NotifyEffect {
  return { id, kind: 'notify', payload: notificationOf(change) };
}

export function incidentOf(change: Partial<Incident> = {}): Incident {
  return {
    id: 'INC-1',
    domain: 'shop',
    revision: 3,
    state: 'open',
    title: 'payments-db runs out of disk; checkout-api and 2 more fail',
    severity: 'critical',
    priority: 'P1',
    confidence: 0.91,
    category: 'capacity',
    services: ['checkout-api', 'payments-db'],
    signalCount: 3,
    alertCount: 212,
    probableCauses: [
      {
        signalId: 'sig-1',
        labels: labelsOf({ alertname: 'DiskFull', service: 'payments-db' }),
        text: 'Disk 97 % full',
        score: 0.72,
        reasons: [{ stage: 'triage', code: 'early', text: 'the first signal', weight: 2 }],
      },
    ],
    reasons: [
      { stage: 'triage', code: 'service_tier', text: 'checkout-api has tier 1', weight: 40 },
      { stage: 'correlate', code: 'calls', text: 'checkout-api calls payments-db', weight: 2.1 },
    ],
    openedAtMs: nowMs - 120_000,
    updatedAtMs: nowMs,
    resolvedAtMs: null,
    acknowledgedBy: null,
    acknowledgedAtMs: null,
    mergedInto: null,
    surprise: 0.97,
    similar: [
      {
        incidentId: 'INC-0',
        title: 'payments-db disk full',
        similarity: 0.88,
        openedAtMs: nowMs - 90 * 86_400_000,
        resolvedAtMs: nowMs - 90 * 86_400_000 + 32 * 60_000,
        priority: 'P2',
        shared: ['payments-db', 'DiskFull'],
      },
    ],
    historyMissing: false,
    ...change,
  };
}

/** A body that Alertmanager sent, from fixtures/outage. */
export function fixture(file: string): WebhookBody {
  return JSON.parse(
    readFileSync(new URL(`../../fixtures/outage/${file}`, import.meta.url), 'utf8'),
  ) as WebhookBody;
}

export interface WebhookBody {
  readonly receiver: string;
  readonly status: 'firing' | 'resolved';
  readonly alerts: readonly {
    readonly status: 'firing' | 'resolved';
    readonly labels: Record<string, string>;
    readonly annotations: Record<string, string>;
    readonly startsAt: string;
    readonly endsAt: string;
    readonly generatorURL: string;
    readonly fingerprint: string;
  }[];
  readonly notification_reason: string;
  readonly groupLabels: Record<string, string>;
  readonly externalURL: string;
  readonly groupKey: string;
}

/** The notification that Alertmanager's body tells of. */
export function notificationIn(body: WebhookBody): Notification {
  return notificationOf({
    receiver: body.receiver,
    status: body.status,
    groupKey: body.groupKey,
    groupLabels: labelsOf(body.groupLabels),
    notificationReason: body.notification_reason,
    alerts: body.alerts.map((alert) => ({
      status: alert.status,
      alert: alertOf(alert.labels, {
        annotations: labelsOf(alert.annotations),
        startsAtMs: Date.parse(alert.startsAt),
        endsAtMs: alert.status === 'firing' ? nowMs + 60_000 : Date.parse(alert.endsAt),
        generatorUrl: alert.generatorURL,
      }),
    })),
  });
}
