import {
  AckPolicy,
  jetstream,
  jetstreamManager,
  type ConsumerMessages,
  type JsMsg,
} from '@nats-io/jetstream';
import { headers as createHeaders, type Msg, type Subscription } from '@nats-io/transport-node';
import { setTimeout as sleep } from 'node:timers/promises';
import { TocsinError } from '../engine/index.ts';
import { connectNats, type NatsConnection } from '../nats/index.ts';
import type { NatsConfig } from './config.ts';

/** What became of the reports of one message. */
export type MessageOutcome =
  | { readonly status: 'accepted'; readonly acceptedCount: number; readonly errors: readonly string[] }
  | { readonly status: 'unavailable'; readonly message: string };

/** Takes the reports of one message in; resolves once they are durable, or were refused. */
export type TakeMessage = (domain: string, body: Uint8Array) => Promise<MessageOutcome>;

/** How long a message that could not be kept waits before JetStream delivers it again. */
const redeliveryMs = 1000;

const maxCloseMs = 2000;

/** How many messages may wait to become durable together: the log writes what waits in one transaction. */
const maxInFlight = 256;

/** A connection to the NATS servers of the configuration: takes reports in and publishes pages. */
export class NatsLink {
  readonly #connection: NatsConnection;
  readonly #config: NatsConfig;
  readonly #take: TakeMessage;
  #subscription: Subscription | null = null;
  #messages: ConsumerMessages | null = null;
  #loop: Promise<void> = Promise.resolve();
  #isConnected = true;

  private constructor(connection: NatsConnection, config: NatsConfig, take: TakeMessage) {
    this.#connection = connection;
    this.#config = config;
    this.#take = take;
    void this.#watch();
  }

  /** Connects, and reconnects for ever afterwards. Rejects as `connectNats` does. */
  static async open(config: NatsConfig, take: TakeMessage): Promise<NatsLink> {
    return new NatsLink(await connectNats(config, 'tocsin'), config, take);
  }

  /** The connection stands at this moment; while it does not, the client connects again by itself. */
  get isConnected(): boolean {
    return this.#isConnected && !this.#connection.isClosed();
  }

  /**
   * Takes reports from `nats.ingest.subject`, whose last token is the domain: one JSON alert a message, or an array of them. A
   * request is answered with `{ accepted, errors }`, and `retry: true` when nothing could be kept. From a stream, a message is
   * acknowledged once its alerts are durable, delivered again when they could not be kept, and terminated when none of it could be
   * read. What could not be read is published to `nats.ingest.dead_letter_subject`, if there is one. Messages are taken in the
   * order in which they came. Rejects with TOC_NATS_UNAVAILABLE when the stream cannot be consumed.
   */
  async listen(): Promise<void> {
    const { subject, stream } = this.#config.ingest;
    if (stream !== undefined) {
      this.#messages = await this.#consume(stream);
      this.#loop = takeInOrder(this.#messages, (message) => this.#settle(message));
      return;
    }
    this.#subscription = this.#connection.subscribe(subject);
    this.#loop = takeInOrder(this.#subscription, (message) => this.#answer(message));
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

  /**
   * Takes no more messages, finishes those at hand, answers them and closes the connection. A server that does not answer is waited
   * for 2 seconds.
   */
  async close(): Promise<void> {
    if (this.#connection.isClosed()) return this.#loop;
    const waiting = new AbortController();
    const tooLong = sleep(maxCloseMs, undefined, { signal: waiting.signal }).catch(() => undefined);
    // What the client says of a lost server changes nothing any more; a defect in taking a message rejects the loop below.
    const finished = this.#finish().catch(() => undefined);
    await Promise.race([finished, tooLong]);
    waiting.abort();
    await this.#connection.close();
    await this.#loop;
  }

  async #watch(): Promise<void> {
    for await (const { type } of this.#connection.status()) {
      if (type === 'disconnect') this.#isConnected = false;
      if (type === 'reconnect') this.#isConnected = true;
    }
  }

  async #finish(): Promise<void> {
    await this.#messages?.close();
    await this.#subscription?.drain();
    await this.#loop;
    await this.#connection.flush();
  }

  async #answer(message: Msg): Promise<void> {
    const outcome = await this.#take(domainOf(message.subject), message.data);
    if (this.#connection.isClosed()) return;
    this.#bury(message, outcome);
    if (!message.reply) return;
    message.respond(
      JSON.stringify(
        outcome.status === 'accepted'
          ? { accepted: outcome.acceptedCount, errors: outcome.errors }
          : { accepted: 0, errors: [outcome.message], retry: true },
      ),
    );
  }

  async #settle(message: JsMsg): Promise<void> {
    const outcome = await this.#take(domainOf(message.subject), message.data);
    if (this.#connection.isClosed()) return;
    this.#bury(message, outcome);
    if (outcome.status === 'unavailable') message.nak(redeliveryMs);
    // Servers before 2.10.4 pass over a termination that gives a reason.
    else if (outcome.acceptedCount === 0 && outcome.errors.length > 0) message.term();
    else message.ack();
  }

  /** Publishes a message of which something could not be read, with what was wrong, for people to look at. */
  #bury({ subject, data }: Pick<Msg, 'subject' | 'data'>, outcome: MessageOutcome): void {
    const { dead_letter_subject: deadLetterSubject } = this.#config.ingest;
    if (deadLetterSubject === undefined || outcome.status !== 'accepted' || outcome.errors.length === 0)
      return;
    const headers = createHeaders();
    headers.set('Tocsin-Subject', subject);
    headers.set('Tocsin-Error', headerText(outcome.errors));
    // The headers count into the largest message that the server takes.
    const maxBytes = (this.#connection.info?.max_payload ?? data.length) - maxDeadLetterHeaderBytes;
    this.#connection.publish(deadLetterSubject, data.subarray(0, Math.max(maxBytes, 0)), { headers });
  }

  async #consume(stream: string): Promise<ConsumerMessages> {
    const { consumer, subject } = this.#config.ingest;
    try {
      const manager = await jetstreamManager(this.#connection);
      await manager.consumers.add(stream, {
        durable_name: consumer,
        ack_policy: AckPolicy.Explicit,
        filter_subject: subject,
      });
      const durable = await jetstream(this.#connection).consumers.get(stream, consumer);
      return await durable.consume();
    } catch (cause) {
      throw new TocsinError('TOC_NATS_UNAVAILABLE', `cannot consume the JetStream stream ${stream}`, {
        cause,
      });
    }
  }
}

const maxDeadLetterHeaderBytes = 4096;

/** Begins with messages in their order, with at most `maxInFlight` at a time; resolves when they have ended and all are finished. */
async function takeInOrder<Message>(
  messages: AsyncIterable<Message>,
  take: (message: Message) => Promise<void>,
): Promise<void> {
  const inFlight = new Set<Promise<void>>();
  for await (const message of messages) {
    const turn = take(message).finally(() => inFlight.delete(turn));
    inFlight.add(turn);
    if (inFlight.size >= maxInFlight) await Promise.race(inFlight);
  }
  await Promise.all(inFlight);
}

/** Errors as the value of a header: one line of printable ASCII, at most 1,000 characters. */
function headerText(errors: readonly string[]): string {
  return errors
    .slice(0, 20)
    .join('; ')
    .slice(0, 1000)
    .replaceAll(/[^\x20-\x7e]/g, '?');
}

function domainOf(subject: string): string {
  return subject.slice(subject.lastIndexOf('.') + 1);
}
