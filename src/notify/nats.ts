import { setTimeout as sleep } from 'node:timers/promises';
import { TocsinError } from '../engine/index.ts';
import type { NatsReceiverConfig } from './config.ts';
import { idempotencyKey } from './idempotency-key.ts';
import type { Integration } from './integration.ts';
import { cloudEvent } from './wire.ts';

/** Publishes a message. Rejects with TOC_NATS_UNAVAILABLE when the server did not take it. */
export interface Publisher {
  publish(subject: string, body: Uint8Array, headers: Readonly<Record<string, string>>): Promise<void>;
}

/** A client that lost its server waits for it to come back: for one attempt this is long enough. */
const attemptTimeoutMs = 10_000;

/**
 * Publishes pages as structured CloudEvents: those of incidents to `<subject>.<priority>` (`tocsin.incidents.p1`), others to
 * `page_subject`. `Nats-Msg-Id` is the page's id, so that a JetStream stream on the subject keeps one copy.
 */
export function createNatsIntegration(
  name: string,
  config: NatsReceiverConfig,
  publisher: Publisher,
  timeoutMs = attemptTimeoutMs,
): Integration {
  return {
    name,
    isIdempotent: true,
    sendResolved: config.send_resolved,
    async send(id, notification, stop) {
      const { incident } = notification;
      const subject = incident ? `${config.subject}.${incident.priority.toLowerCase()}` : config.page_subject;
      const body = new TextEncoder().encode(JSON.stringify(cloudEvent(id, notification, config.max_alerts)));
      const published = publisher.publish(subject, body, {
        'Nats-Msg-Id': idempotencyKey(id),
        'Content-Type': 'application/cloudevents+json; charset=utf-8',
      });
      await within(timeoutMs, published, stop);
    },
  };
}

async function within(timeoutMs: number, published: Promise<void>, stop: AbortSignal): Promise<void> {
  const settled = new AbortController();
  const timeout = sleep(timeoutMs, undefined, { signal: AbortSignal.any([stop, settled.signal]) }).then(
    () => {
      throw new TocsinError('TOC_NATS_UNAVAILABLE', 'the NATS server did not take the message in time');
    },
  );
  try {
    await Promise.race([published, timeout]);
  } finally {
    settled.abort();
    // Whichever lost the race has nobody to hear of it.
    await Promise.allSettled([timeout]);
    published.catch(() => undefined);
  }
}
