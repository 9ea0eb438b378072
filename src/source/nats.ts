import { AckPolicy, jetstream, jetstreamManager, type Consumer, type JsMsg } from '@nats-io/jetstream';
import {
  connect,
  headers as createHeaders,
  tokenAuthenticator,
  usernamePasswordAuthenticator,
  type Msg,
  type NatsConnection,
} from '@nats-io/transport-node';
import { readFile } from 'node:fs/promises';
import { TocsinError } from '../engine/index.ts';
import type { NatsConfig } from './config.ts';

/** What became of the reports of one message. */
export type MessageOutcome =
  | { readonly status: 'accepted'; readonly acceptedCount: number; readonly errors: readonly string[] }
  | { readonly status: 'unavailable'; readonly message: string };

/** Takes the reports of one message in; resolves once they are durable, or were refused. */
export type TakeMessage = (domain: string, body: Uint8Array) => Promise<MessageOutcome>;

/** How long a message that could not be kept waits before JetStream delivers it again. */
const redeliveryMs = 1000;

/** A connection to the NATS servers of the configuration: takes reports in and publishes pages. */
export class NatsLink {
  readonly #connection: NatsConnection;
  readonly #config: NatsConfig;
  readonly #take: TakeMessage;
  readonly #loops: Promise<void>[] = [];
  #stopConsumer: (() => void) | null = null;

  private constructor(connection: NatsConnection, config: NatsConfig, take: TakeMessage) {
    this.#connection = connection;
    this.#config = config;
    this.#take = take;
  }

  /** Connects, and reconnects for ever afterwards. Rejects with TOC_NATS_UNAVAILABLE when no server answers at first. */
  static async open(config: NatsConfig, take: TakeMessage): Promise<NatsLink> {
    try {
      const connection = await connect({
        servers: config.servers,
        name: 'tocsin',
        maxReconnectAttempts: -1,
        authenticator: await authenticators(config),
      });
      return new NatsLink(connection, config, take);
    } catch (cause) {
      throw new TocsinError(
        'TOC_NATS_UNAVAILABLE',
        `no NATS server answers at ${config.servers.join(', ')}`,
        { cause },
      );
    }
  }

  /**
   * Takes reports from `nats.ingest.subject`, whose last token is the domain: one JSON alert a message, or an array of them. A
   * request is answered with `{ accepted, errors }`. From a stream, a message is acknowledged once its alerts are durable, and
   * terminated when none of it could be read.
   */
  async listen(): Promise<void> {
    const { subject, stream } = this.#config.ingest;
    if (stream !== undefined) {
      this.#loops.push(this.#consume(await this.#consumer(stream)));
      return;
    }
    const subscription = this.#connection.subscribe(subject);
    this.#loops.push(
      (async () => {
        for await (const message of subscription) await this.#answer(message);
      })(),
    );
    await this.#connection.flush();
  }

  /** Publishes and waits until the server has it. Rejects with TOC_NATS_UNAVAILABLE. */
  async publish(subject: string, body: Uint8Array, headers: Readonly<Record<string, string>>): Promise<void> {
    try {
      const wireHeaders = createHeaders();
      for (const [name, value] of Object.entries(headers)) wireHeaders.set(name, value);
      this.#connection.publish(subject, body, { headers: wireHeaders });
      await this.#connection.flush();
    } catch (cause) {
      throw new TocsinError('TOC_NATS_UNAVAILABLE', 'the NATS server did not take a message', { cause });
    }
  }

  /** Takes no more messages, finishes those at hand and closes the connection. */
  async close(): Promise<void> {
    this.#stopConsumer?.();
    await this.#connection.drain();
    await Promise.all(this.#loops);
  }

  async #answer(message: Msg): Promise<void> {
    const outcome = await this.#take(domainOf(message.subject), message.data);
    if (!message.reply) return;
    message.respond(
      JSON.stringify(
        outcome.status === 'accepted'
          ? { accepted: outcome.acceptedCount, errors: outcome.errors }
          : { accepted: 0, errors: [outcome.message], retry: true },
      ),
    );
  }

  async #consumer(stream: string): Promise<Consumer> {
    const { consumer, subject } = this.#config.ingest;
    try {
      const manager = await jetstreamManager(this.#connection);
      await manager.consumers.add(stream, {
        durable_name: consumer,
        ack_policy: AckPolicy.Explicit,
        filter_subject: subject,
      });
      return await jetstream(this.#connection).consumers.get(stream, consumer);
    } catch (cause) {
      throw new TocsinError('TOC_NATS_UNAVAILABLE', `cannot consume the JetStream stream ${stream}`, {
        cause,
      });
    }
  }

  async #consume(consumer: Consumer): Promise<void> {
    const messages = await consumer.consume();
    this.#stopConsumer = () => messages.stop();
    for await (const message of messages) await this.#settle(message);
  }

  async #settle(message: JsMsg): Promise<void> {
    const outcome = await this.#take(domainOf(message.subject), message.data);
    if (outcome.status === 'unavailable') message.nak(redeliveryMs);
    else if (outcome.acceptedCount === 0 && outcome.errors.length > 0) message.term(outcome.errors[0]);
    else message.ack();
  }
}

function domainOf(subject: string): string {
  return subject.slice(subject.lastIndexOf('.') + 1);
}

async function authenticators(config: NatsConfig) {
  const { user, password_file, token_file } = config;
  if (token_file !== undefined) return [tokenAuthenticator(await secret(token_file))];
  if (user === undefined) return [];
  return [
    usernamePasswordAuthenticator(user, password_file === undefined ? '' : await secret(password_file)),
  ];
}

async function secret(file: string): Promise<string> {
  return (await readFile(file, 'utf8')).trim();
}
