import { commonLabels, labelsToObject, labelValue } from '../alert/index.ts';
import type {
  Incident,
  Notification,
  NotifiedAlert,
  ProbableCause,
  SimilarIncident,
} from '../incident/index.ts';
import { quoteMeta } from '../template/index.ts';

/** Go's zero time, which stands for "not ended" in Alertmanager's webhook. */
const zeroTime = '0001-01-01T00:00:00Z';

/**
 * The body of Alertmanager's webhook, version 4 (notify/webhook/webhook.go, template/template.go), plus `tocsin`: the page's id, why it
 * was sent, and the incident that it is about. `maxAlerts` is for alerts that say nothing
 * new: those that have resolved, and the first that fires of each alertname, are never left out.
 */
export function webhookBody(
  id: string,
  notification: Notification,
  maxAlerts: number,
  externalUrl: string,
): Record<string, unknown> {
  const { alerts, incident } = notification;
  const shown = firstAlerts(alerts, maxAlerts);
  return {
    receiver: quoteMeta(notification.receiver),
    status: notification.status,
    alerts: shown.map(wireAlert),
    notification_reason: notification.notificationReason,
    groupLabels: labelsToObject(notification.groupLabels),
    commonLabels: labelsToObject(commonLabels(shown.map(({ alert }) => alert.labels))),
    commonAnnotations: labelsToObject(commonLabels(shown.map(({ alert }) => alert.annotations))),
    routeLabels: {},
    externalURL: externalUrl,
    version: '4',
    groupKey: notification.groupKey,
    truncatedAlerts: alerts.length - shown.length + notification.unchangedCount,
    tocsin: {
      id,
      why: [...whyOf(notification), ...leftOut(alerts.length - shown.length, maxAlerts)],
      unchangedAlerts: notification.unchangedCount,
      incident: incident && wireIncident(incident),
    },
  };
}

/**
 * A notification as a CloudEvent 1.0 in structured mode. `type` is `tocsin.incident.paged.v1`, or `tocsin.group.paged.v1` for a group that is no
 * incident; `partitionkey` and `sequence` are the extensions of those names.
 */
export function cloudEvent(
  id: string,
  notification: Notification,
  maxAlerts: number,
): Record<string, unknown> {
  const { incident, alerts, status } = notification;
  const domain = incident?.domain ?? alerts[0]?.alert.domain ?? '';
  const shown = firstAlerts(alerts, maxAlerts);
  const firing = alerts.filter((alert) => alert.status === 'firing').length;
  return {
    specversion: '1.0',
    id,
    source: '/tocsin',
    type: incident ? 'tocsin.incident.paged.v1' : 'tocsin.group.paged.v1',
    subject: incident ? `incident/${incident.id}` : `group/${notification.groupKey}`,
    time: wireTime(notification.atMs),
    datacontenttype: 'application/json',
    partitionkey: domain,
    ...(incident ? { sequence: String(incident.revision).padStart(20, '0') } : {}),
    data: {
      incident: incident && wireIncident(incident),
      group: {
        key: notification.groupKey,
        labels: labelsToObject(notification.groupLabels),
        status,
        firing,
        resolved: alerts.length - firing,
        truncated: alerts.length - shown.length,
        unchanged: notification.unchangedCount,
      },
      alerts: shown.map(wireAlert),
      decision: {
        action: status === 'firing' ? 'page' : 'resolve',
        receiver: notification.receiver,
        reason: notification.notificationReason,
        why: [...whyOf(notification), ...leftOut(alerts.length - shown.length, maxAlerts)],
        idempotencyKey: id,
      },
    },
  };
}

/** An incident as pages carry it. */
export function wireIncident(incident: Incident): Record<string, unknown> {
  return {
    id: incident.id,
    revision: incident.revision,
    domain: incident.domain,
    state: incident.state,
    title: incident.title,
    priority: incident.priority,
    severity: incident.severity,
    confidence: incident.confidence,
    category: incident.category,
    services: incident.services,
    signalCount: incident.signalCount,
    alertCount: incident.alertCount,
    surprise: incident.surprise,
    openedAt: wireTime(incident.openedAtMs),
    updatedAt: wireTime(incident.updatedAtMs),
    resolvedAt: optionalTime(incident.resolvedAtMs),
    acknowledgedBy: incident.acknowledgedBy,
    acknowledgedAt: optionalTime(incident.acknowledgedAtMs),
    mergedInto: incident.mergedInto,
    probableCauses: incident.probableCauses.map(wireCause),
    reasons: incident.reasons.map(({ text }) => text),
    similar: incident.similar.map(wireSimilar),
    historyMissing: incident.historyMissing,
  };
}

function wireCause({ signalId, text, score, labels, reasons }: ProbableCause): Record<string, unknown> {
  return {
    signalId,
    text,
    score,
    labels: labelsToObject(labels),
    reasons: reasons.map((reason) => reason.text),
  };
}

function wireSimilar(past: SimilarIncident): Record<string, unknown> {
  return {
    id: past.incidentId,
    title: past.title,
    similarity: past.similarity,
    priority: past.priority,
    openedAt: wireTime(past.openedAtMs),
    resolvedAt: optionalTime(past.resolvedAtMs),
    shared: past.shared,
  };
}

function wireAlert({ alert, status }: NotifiedAlert): Record<string, unknown> {
  return {
    status,
    labels: labelsToObject(alert.labels),
    annotations: labelsToObject(alert.annotations),
    startsAt: wireTime(alert.startsAtMs),
    endsAt: status === 'firing' ? zeroTime : wireTime(alert.endsAtMs),
    generatorURL: alert.generatorUrl,
    fingerprint: alert.fingerprint,
  };
}

/** Why somebody is told now: what happened, how urgent it is, and the strongest reasons for that. */
export function whyOf({
  notificationReason,
  notices = [],
  unchangedCount,
  incident,
}: Notification): string[] {
  const unchanged = unchangedCount > 0 ? [`${unchangedCount} more alerts of the group are as before`] : [];
  if (!incident) return [notificationReason, ...notices, ...unchanged];
  const { priority, severity, probableCauses, reasons } = incident;
  const [cause] = probableCauses;
  return [
    notificationReason,
    ...notices,
    ...unchanged,
    `priority ${priority}, severity ${severity}`,
    ...(cause ? [`probable cause: ${cause.text}`] : []),
    ...reasons.slice(0, maxWhyReasons).map(({ text }) => text),
  ];
}

/** What is not shown is said to be left out. */
function leftOut(count: number, maxAlerts: number): string[] {
  return count > 0 ? [`over the limit: ${count} more alerts are left out, by max_alerts ${maxAlerts}`] : [];
}

const maxWhyReasons = 5;

/** At most `maxAlerts` (0: all), but those that have resolved and the first that fires of each alertname in any case. */
function firstAlerts(alerts: readonly NotifiedAlert[], maxAlerts: number): readonly NotifiedAlert[] {
  if (maxAlerts === 0 || alerts.length <= maxAlerts) return alerts;
  const names = new Set<string>();
  const kept = new Set(
    alerts.filter(({ alert, status }) => {
      const name = labelValue(alert.labels, 'alertname');
      const isNeeded = status === 'resolved' || !names.has(name);
      if (status === 'firing') names.add(name);
      return isNeeded;
    }),
  );
  for (const alert of alerts) if (kept.size < maxAlerts) kept.add(alert);
  return alerts.filter((alert) => kept.has(alert));
}

/** RFC 3339 as Go writes it: no more digits of the fraction than needed. Years that the format cannot say are clamped. */
export function wireTime(timeMs: number): string {
  const clamped = Math.min(Math.max(timeMs, earliestMs), latestMs);
  return new Date(clamped).toISOString().replace(/\.?0*Z$/, 'Z');
}

const earliestMs = Date.parse('0000-01-01T00:00:00.000Z');
const latestMs = Date.parse('9999-12-31T23:59:59.999Z');

function optionalTime(timeMs: number | null): string | null {
  return timeMs === null ? null : wireTime(timeMs);
}
