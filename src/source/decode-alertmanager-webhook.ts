import { readBodyObject, readList, type Decode } from './decode.ts';
import { readNotified } from './notification.ts';

/**
 * Alertmanager's webhook, version 4: the alerts of one notification, each with its own status. A firing alert's `endsAt` is Go's
 * zero time; a resolved one's is when it ended. `truncatedAlerts` counts alerts that are missing, which says nothing about them.
 * Source: prometheus/alertmanager notify/webhook/webhook.go, template/template.go.
 */
export const decodeAlertmanagerWebhook: Decode = (body, context) => {
  const object = readBodyObject(body);
  if (!object.ok) return { alerts: [], errors: [object.error] };
  return readList(object.value['alerts'], 'alerts', (item, path) =>
    readNotified(item, path, 'alertmanager-webhook', context),
  );
};
