import { createLabels, labelPairs, labelsToObject, labelValue, type Labels } from '../alert/index.ts';
import type { Incident, Notification, NotifiedAlert } from '../incident/index.ts';

/** Go's zero time, which stands for "not ended" in Alertmanager's webhook. */
const zeroTime = '0001-01-01T00:00:00Z';

/**
 * The body of Alertmanager's webhook, version 4 (notify/webhook/webhook.go, template/template.go), plus `tocsin` with the incident
 * and the reasons for it.
 */
export function webhookBody(
  id: string,
  notification: Notification,
  maxAlerts: number,
  externalUrl: string,
): Record<string, unknown> {
  const { alerts, incident } = notification;
  const shown = maxAlerts > 0 ? alerts.slice(0, maxAlerts) : alerts;
  return {
    receiver: notification.receiver,
    status: notification.status,
    alerts: shown.map(wireAlert),
    groupLabels: labelsToObject(notification.groupLabels),
    commonLabels: labelsToObject(common(alerts.map(({ alert }) => alert.labels))),
    commonAnnotations: labelsToObject(common(alerts.map(({ alert }) => alert.annotations))),
    externalURL: externalUrl,
    version: '4',
    groupKey: notification.groupKey,
    truncatedAlerts: alerts.length - shown.length,
    notification_reason: notification.notificationReason,
    tocsin: { id, incident: incident && wireIncident(incident) },
  };
}

/** A structured CloudEvent of one notification. */
export function cloudEvent(id: string, notification: Notification): Record<string, unknown> {
  const { incident, status } = notification;
  return {
    specversion: '1.0',
    id,
    source: 'tocsin',
    type: incident ? `io.tocsin.incident.${status}` : `io.tocsin.page.${status}`,
    subject: incident?.id ?? notification.groupKey,
    time: new Date(notification.atMs).toISOString(),
    datacontenttype: 'application/json',
    data: {
      idempotencyKey: id,
      receiver: notification.receiver,
      reason: notification.notificationReason,
      incident: incident && wireIncident(incident),
      alerts: notification.alerts.map(wireAlert),
    },
  };
}

export function wireIncident(incident: Incident): Record<string, unknown> {
  const { probableCauses, reasons, similar, openedAtMs, resolvedAtMs, ...rest } = incident;
  return {
    id: rest.id,
    revision: rest.revision,
    domain: rest.domain,
    state: rest.state,
    title: rest.title,
    priority: rest.priority,
    severity: rest.severity,
    confidence: rest.confidence,
    category: rest.category,
    services: rest.services,
    signalCount: rest.signalCount,
    alertCount: rest.alertCount,
    surprise: rest.surprise,
    openedAt: new Date(openedAtMs).toISOString(),
    resolvedAt: resolvedAtMs === null ? null : new Date(resolvedAtMs).toISOString(),
    probableCauses: probableCauses.map(({ text, score, labels, reasons }) => ({
      text,
      score,
      labels: labelsToObject(labels),
      why: reasons.map((reason) => reason.text),
    })),
    why: reasons.map(({ stage, code, text }) => ({ stage, code, text })),
    similar: similar.map((past) => ({
      id: past.incidentId,
      title: past.title,
      similarity: past.similarity,
      shared: past.shared,
    })),
    historyMissing: rest.historyMissing,
  };
}

function wireAlert({ alert, status }: NotifiedAlert): Record<string, unknown> {
  return {
    status,
    labels: labelsToObject(alert.labels),
    annotations: labelsToObject(alert.annotations),
    startsAt: new Date(alert.startsAtMs).toISOString(),
    endsAt: status === 'firing' ? zeroTime : new Date(alert.endsAtMs).toISOString(),
    generatorURL: alert.generatorUrl,
    fingerprint: alert.fingerprint,
  };
}

/** The names and values that all of them have. */
function common(sets: readonly Labels[]): Labels {
  const [first, ...others] = sets;
  if (!first) return [];
  return createLabels(
    [...labelPairs(first)].filter(([name, value]) =>
      others.every((labels) => labelValue(labels, name) === value),
    ),
  );
}
