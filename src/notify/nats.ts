import type { NatsReceiverConfig } from './config.ts';
import type { Integration } from './integration.ts';
import { cloudEvent } from './wire.ts';

/** Publishes a message. Rejects with TOC_NATS_UNAVAILABLE when the server did not take it. */
export interface Publisher {
  publish(subject: string, body: Uint8Array, headers: Readonly<Record<string, string>>): Promise<void>;
}

/**
 * Publishes pages as structured CloudEvents: those of incidents to `<subject>.<priority>` (`tocsin.incidents.p1`), others to
 * `<subject>.other`. `Nats-Msg-Id` is the page's id, so that a JetStream stream on the subject keeps one copy.
 */
export function createNatsIntegration(
  name: string,
  config: NatsReceiverConfig,
  publisher: Publisher,
): Integration {
  return {
    name,
    sendResolved: config.send_resolved,
    async send(id, notification) {
      const subject = `${config.subject}.${notification.incident?.priority.toLowerCase() ?? 'other'}`;
      const body = new TextEncoder().encode(JSON.stringify(cloudEvent(id, notification)));
      await publisher.publish(subject, body, {
        'Nats-Msg-Id': id,
        'Content-Type': 'application/cloudevents+json',
      });
    },
  };
}
