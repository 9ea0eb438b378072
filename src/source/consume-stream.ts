import {
  AckPolicy,
  jetstream,
  jetstreamManager,
  JetStreamApiError,
  type ConsumerAPI,
  type ConsumerMessages,
} from '@nats-io/jetstream';
import { TocsinError } from '../engine/index.ts';
import type { NatsConnection } from '../nats/index.ts';

export interface StreamOptions {
  readonly stream: string;
  /** Name of the durable consumer. */
  readonly consumer: string;
  readonly subject: string;
}

/** JetStream's error code for a consumer that is not there (nats-io/nats-server server/errors.json). */
const consumerNotFound = 10_014;

/**
 * The messages of a stream that are on the subject, to be acknowledged one by one. The durable consumer is created where it is not
 * there; one that is there keeps what its owner has set. The messages end with an error when the stream or the consumer is deleted.
 * Rejects with TOC_NATS_UNAVAILABLE when the stream cannot be consumed.
 */
export async function consumeStream(
  connection: NatsConnection,
  { stream, consumer, subject }: StreamOptions,
): Promise<ConsumerMessages> {
  try {
    const { consumers } = await jetstreamManager(connection);
    await ensureConsumer(consumers, { stream, consumer, subject });
    const durable = await jetstream(connection).consumers.get(stream, consumer);
    return await durable.consume({ abort_on_missing_resource: true });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TocsinError(
      'TOC_NATS_UNAVAILABLE',
      `cannot consume the JetStream stream ${stream} as ${consumer}: ${reason}`,
      { cause },
    );
  }
}

async function ensureConsumer(
  consumers: ConsumerAPI,
  { stream, consumer, subject }: StreamOptions,
): Promise<void> {
  const found = await consumers.info(stream, consumer).catch((error: unknown) => {
    if (error instanceof JetStreamApiError && error.code === consumerNotFound) return null;
    throw error;
  });
  if (found === null) {
    await consumers.add(stream, {
      durable_name: consumer,
      ack_policy: AckPolicy.Explicit,
      filter_subject: subject,
    });
    return;
  }
  const { ack_policy, filter_subject } = found.config;
  if (ack_policy !== AckPolicy.Explicit)
    throw new Error(`its ack policy must be explicit, and is ${ack_policy}; ${otherConsumer}`);
  // Servers of 2.9 take another filter and deliver nothing by it; without one, dead letters could come in again.
  if (filter_subject !== subject)
    throw new Error(`its filter must be ${subject}, and is ${filter_subject ?? 'none'}; ${otherConsumer}`);
}

const otherConsumer = 'delete that consumer, or name another';
