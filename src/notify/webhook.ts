import type { WebhookConfig } from './config.ts';
import { HttpClient } from './http-client.ts';
import { idempotencyKey } from './idempotency-key.ts';
import type { Integration, IntegrationContext } from './integration.ts';
import { secretOf } from './secret-file.ts';
import { webhookBody } from './wire.ts';

/** Alertmanager's webhook. The header `Idempotency-Key` is the page's id: the same in each attempt, and after a crash. */
export function createWebhook(
  name: string,
  config: WebhookConfig,
  { globals, externalUrl }: IntegrationContext,
): Integration {
  const client = new HttpClient(config.http_config ?? globals.http_config);
  return {
    name,
    isIdempotent: true,
    sendResolved: config.send_resolved,
    async send(id, notification, stop) {
      const request = {
        url: await secretOf(config.url, config.url_file),
        headers: { 'Content-Type': 'application/json', 'Idempotency-Key': idempotencyKey(id) },
        body: JSON.stringify(webhookBody(id, notification, config.max_alerts, externalUrl)),
      };
      await client.send(request, { timeoutMs: config.timeout, stop });
    },
  };
}
