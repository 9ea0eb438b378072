import type { ConsumerMessages, JsMsg } from '@nats-io/jetstream';
import { headers as createHeaders, type Msg, type Subscription } from '@nats-io/transport-node';
import { setTimeout as sleep } from 'node:timers/promises';
import { TocsinError } from '../engine/index.ts';
import { closeNats, connectNats, type NatsConnection } from '../nats/index.ts';
import type { NatsConfig } from './config.ts';
import { consumeStream } from './consume-stream.ts';
import { deadLetters } from './dead-letter.ts';
import {
  answerOf,
  headersOf,
  isForGood,
  isInbox,
  reportOf,
  type MessageOutcome,
  type ReceivedHeaders,
  type TakeMessage,
} from './nats-message.ts';

/** How long a message that could not be kept waits before JetStream delivers it again. */
const redeliveryMs = 1000;

const maxCloseMs = 2000;

/** How many messages may wait to become durable together: the log writes what waits in one transaction. */
const maxInFlight = 256;

/** Called with what an operator should know while the connection goes on: what the server refuses, what could not be buried. */
export type OnTrouble = (error: TocsinError) => void;

/** A connection to the NATS servers of the configuration: takes reports in and publishes pages. */
export class NatsLink {
  readonly #connection: NatsConnection;
  readonly #config: NatsConfig;
  readonly #take: TakeMessage;
  readonly #onTrouble: OnTrouble;
  readonly #lost = Promise.withResolvers<TocsinError>();
  #subscription: Subscription | null = null;
  #messages: ConsumerMessages | null = null;
  #loop: Promise<void> = Promise.resolve();
  #isConnected = true;
  #isClosing = false;
  #hasRefusedReply = false;

  private constructor(
    connection: NatsConnection,
    config: NatsConfig,
    take: TakeMessage,
    onTrouble: OnTrouble,
  ) {
    this.#connection = connection;
    this.#config = config;
    this.#take = take;
    this.#onTrouble = onTrouble;
    void this.#watch();
  }

  /** Connects, and reconnects for ever afterwards. Rejects as `connectNats` does. */
  static async open(config: NatsConfig, take: TakeMessage, onTrouble: OnTrouble): Promise<NatsLink> {
    return new NatsLink(await connectNats(config, 'tocsin'), config, take, onTrouble);
  }

  /** The connection stands at this moment; while it does not, the client connects again by itself. */
  get isConnected(): boolean {
    return this.#isConnected && !this.#connection.isClosed();
  }

  /** Resolves when no message comes any more though nobody closed the link: the subscription is refused, the stream is gone. */
  get lost(): Promise<TocsinError> {
    return this.#lost.promise;
  }

  /**
   * Takes reports from `nats.ingest.subject`, whose last token is the domain: one JSON alert a message, an array of them, or
   * CloudEvents. A request is answered with `{ accepted, errors }`, and `retry: true` when nothing could be kept, where it wants that at
   * an inbox. From a stream, a
   * message is acknowledged once its alerts are durable, delivered again when they could not be kept, and terminated when none of it
   * could be read. What could not be read is published to `nats.ingest.dead_letter_subject`, if there is one, and so is what could not
   * be kept where nobody would send it again. Messages are taken in the order in which they came. Rejects with TOC_NATS_UNAVAILABLE
   * when the server refuses the subscription, or the stream cannot be consumed.
   */
  async listen(): Promise<void> {
    const { subject, stream, consumer, queue } = this.#config.ingest;
    if (stream !== undefined) {
      this.#messages = await consumeStream(this.#connection, { stream, consumer, subject });
      this.#loop = takeInOrder(this.#untilLost(this.#messages), (message) => this.#settle(message));
      return;
    }
    this.#subscription = this.#connection.subscribe(subject, queue === undefined ? {} : { queue });
    this.#loop = takeInOrder(this.#untilLost(this.#subscription), (message) => this.#answer(message));
    await this.#connection.flush();
    if (this.#subscription.isClosed()) throw await this.lost;
  }

  /** Publishes and waits until the server has it. Rejects with TOC_NATS_UNAVAILABLE. */
  async publish(subject: string, body: Uint8Array, headers: Readonly<Record<string, string>>): Promise<void> {
    try {
      this.#send(subject, body, Object.entries(headers));
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
    this.#isClosing = true;
    if (this.#connection.isClosed()) return this.#loop;
    const waiting = new AbortController();
    const tooLong = sleep(maxCloseMs, undefined, { signal: waiting.signal }).catch(() => undefined);
    // What the client says of a lost server changes nothing any more; a defect in taking a message rejects the loop below.
    const finished = this.#finish().catch(() => undefined);
    await Promise.race([finished, tooLong]);
    waiting.abort();
    await closeNats(this.#connection);
    await this.#loop;
  }

  async #watch(): Promise<void> {
    const told = new Set<string>();
    for await (const status of this.#connection.status()) {
      if (status.type === 'disconnect') this.#isConnected = false;
      if (status.type === 'reconnect') {
        this.#isConnected = true;
        told.clear();
      }
      // What the server refuses it refuses again with each message: that is said once.
      if (status.type !== 'error' || told.has(status.error.message)) continue;
      told.add(status.error.message);
      this.#onTrouble(refusal(status.error));
    }
  }

  /** Passes messages on; when they end by themselves, the link is lost. */
  async *#untilLost<Message>(messages: AsyncIterable<Message>): AsyncGenerator<Message> {
    let cause: unknown;
    try {
      yield* messages;
    } catch (error) {
      cause = error;
    }
    if (!this.#isClosing) this.#lost.resolve(refusal(cause));
  }

  async #finish(): Promise<void> {
    await this.#messages?.close();
    await this.#subscription?.drain();
    await this.#loop;
    await this.#connection.flush();
  }

  async #answer(message: Msg): Promise<void> {
    const headers = headersOf(message);
    const outcome = await this.#take(reportOf(message, headers));
    if (this.#connection.isClosed()) return;
    const isAnswered = this.#mayAnswer(message);
    if (outcome.status === 'accepted' || isForGood(outcome) || !isAnswered)
      this.#bury(message, headers, outcome, null);
    if (!isAnswered) return;
    try {
      message.respond(answerOf(outcome, this.#maxBytes(message)));
    } catch (cause) {
      const what = `a request on ${message.subject} could not be answered`;
      this.#onTrouble(new TocsinError('TOC_NATS_UNAVAILABLE', what, { cause }));
    }
  }

  /** The largest message that the server takes. */
  #maxBytes({ data }: Pick<Msg, 'data'>): number {
    return this.#connection.info?.max_payload ?? data.length;
  }

  #mayAnswer({ subject, reply }: Msg): boolean {
    if (!reply) return false;
    if (isInbox(reply, this.#config.ingest.inbox_prefixes)) return true;
    if (this.#hasRefusedReply) return false;
    this.#hasRefusedReply = true;
    const what = `a request on ${subject} wants its answer at ${reply}, which is no inbox (nats.ingest.inbox_prefixes): it gets none`;
    this.#onTrouble(new TocsinError('TOC_REPORT_INVALID', what));
    return false;
  }

  async #settle(message: JsMsg): Promise<void> {
    const headers = headersOf(message);
    const outcome = await this.#take(reportOf(message, headers));
    if (this.#connection.isClosed()) return;
    if (outcome.status === 'unavailable' && !isForGood(outcome)) {
      message.nak(redeliveryMs);
      return;
    }
    const { stream, streamSequence } = message.info;
    this.#bury(message, headers, outcome, `${stream}/${streamSequence}`);
    // Servers before 2.10.4 pass over a termination that gives a reason.
    const isKept =
      outcome.status === 'accepted' && (outcome.acceptedCount > 0 || outcome.errors.length === 0);
    if (!isKept) message.term();
    else message.ack();
  }

  /** Publishes a message that was not taken as a whole, with the reason, for people to look at. */
  #bury(
    { subject, data }: Pick<Msg, 'subject' | 'data'>,
    headers: ReceivedHeaders | null,
    outcome: MessageOutcome,
    id: string | null,
  ): void {
    const { dead_letter_subject: deadLetterSubject } = this.#config.ingest;
    const isTaken = outcome.status === 'accepted' && outcome.errors.length === 0;
    if (deadLetterSubject === null || isTaken) return;
    const why =
      outcome.status === 'accepted'
        ? { code: 'TOC_REPORT_INVALID', reasons: outcome.errors }
        : { code: outcome.code, reasons: [outcome.message] };
    const maxBytes = this.#maxBytes({ data });
    try {
      const letters = deadLetters({ subject, headers, data, id, ...why }, maxBytes);
      if (letters.length === 0) throw new Error(`max_payload of the server, ${maxBytes}, is too small`);
      for (const letter of letters) this.#send(deadLetterSubject, letter.data, letter.headers);
    } catch (cause) {
      const what = `a message on ${subject} was refused, and could not be published to ${deadLetterSubject}`;
      this.#onTrouble(new TocsinError('TOC_NATS_UNAVAILABLE', what, { cause }));
    }
  }

  #send(subject: string, body: Uint8Array, headers: Iterable<readonly [name: string, value: string]>): void {
    const wireHeaders = createHeaders();
    for (const [name, value] of headers) wireHeaders.append(name, value);
    this.#connection.publish(subject, body, { headers: wireHeaders });
  }
}

function refusal(cause: unknown): TocsinError {
  const reason = cause instanceof Error ? cause.message : 'it sends no more messages';
  return new TocsinError('TOC_NATS_UNAVAILABLE', `the NATS server refuses: ${reason}`, { cause });
}

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
