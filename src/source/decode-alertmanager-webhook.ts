import type { Alert } from '../alert/index.ts';
import { isObject, parseJson, typeName, type Decode } from './decode.ts';
import { readReport } from './report.ts';

/**
 * Alertmanager's webhook, version 4: the alerts of one notification, each with its own status. A firing alert's `endsAt` is Go's
 * zero time; a resolved one's is when it ended. `truncatedAlerts` counts alerts that are missing, which says nothing about them.
 * Source: prometheus/alertmanager notify/webhook/webhook.go, template/template.go.
 */
export const decodeAlertmanagerWebhook: Decode = (body, context) => {
  const json = parseJson(body);
  if (!json.ok) return { alerts: [], errors: [json.error] };
  if (!isObject(json.value))
    return { alerts: [], errors: [`body: expected an object, got ${typeName(json.value)}`] };
  const list = json.value['alerts'];
  if (!Array.isArray(list))
    return { alerts: [], errors: [`alerts: expected an array, got ${typeName(list)}`] };
  const alerts: Alert[] = [];
  const errors: string[] = [];
  for (const [index, item] of list.entries()) {
    const path = `alerts[${index}]`;
    const status: unknown = isObject(item) ? item['status'] : undefined;
    if (isObject(item) && status !== 'firing' && status !== 'resolved') {
      errors.push(`${path}.status: expected firing or resolved, got ${JSON.stringify(status) ?? 'nothing'}`);
      continue;
    }
    const report = readReport(item, path, 'alertmanager-webhook', context);
    if (!report.ok) errors.push(report.error);
    else if (status === 'resolved' && report.alert.endsByTimeout) {
      alerts.push({ ...report.alert, endsAtMs: context.nowMs, endsByTimeout: false });
    } else alerts.push(report.alert);
  }
  return { alerts, errors };
};
