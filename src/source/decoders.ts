import { decodeAlertmanagerWebhook } from './decode-alertmanager-webhook.ts';
import { decodeAlertmanager, decodeJson } from './decode-alertmanager.ts';
import { decodeCloudEventsMessage } from './decode-cloudevents-message.ts';
import { decodeCloudEvents } from './decode-cloudevents.ts';
import { decodeGrafana } from './decode-grafana.ts';
import type { Decode } from './decode.ts';

/** Every format that reports are taken in. Some are webhooks: `POST /webhook/<format>`. */
export const decoders = {
  alertmanager: decodeAlertmanager,
  json: decodeJson,
  'alertmanager-webhook': decodeAlertmanagerWebhook,
  grafana: decodeGrafana,
  cloudevents: decodeCloudEvents,
  'cloudevents-message': decodeCloudEventsMessage,
} as const satisfies Record<string, Decode>;

export type SourceFormat = keyof typeof decoders;

export const webhookFormats: readonly SourceFormat[] = ['alertmanager-webhook', 'grafana', 'cloudevents'];

export function isSourceFormat(name: string): name is SourceFormat {
  return Object.hasOwn(decoders, name);
}
