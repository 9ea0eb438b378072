import {
  DeliverPolicy,
  DiscardPolicy,
  jetstream,
  JetStreamApiError,
  jetstreamManager,
  type ConsumerMessages,
  type JetStreamClient,
  type JetStreamManager,
  type StreamInfo,
} from '@nats-io/jetstream';
import { headers as createHeaders } from '@nats-io/transport-node';
import { TocsinError } from '../engine/index.ts';
import type { NatsConnection } from '../nats/index.ts';

/** What a stream is made with; one that exists is brought to it. */
export interface StreamSettings {
  /** Servers that keep a copy; an entry counts as durable once a majority of them has it. */
  readonly replicas: number;
  /** Null for no limit. Beyond it appends are refused: nothing is thrown away. */
  readonly maxBytes: number | null;
  /** Null for no limit. Entries older than this leave the stream, folded in or not. */
  readonly maxAgeMs: number | null;
  /** How long the servers know a message again that is sent twice. */
  readonly duplicateWindowMs: number;
  /** What the stream is for. One that is for something else is left as it is. */
  readonly description?: string | undefined;
}

export interface StreamState {
  /** When the stream was made: another stream of the same name has another. */
  readonly identity: string;
  readonly firstPosition: number;
  readonly lastPosition: number;
  /** Whether most of the servers that keep it are there to take entries. Without them whoever answers may be behind. */
  readonly hasMajority: boolean;
}

export interface StreamMessage {
  readonly position: number;
  readonly data: Uint8Array;
}

/** What is told to the servers with a message. */
export interface PublishOptions {
  /** A message of an id that was taken before is not kept twice. */
  readonly id: string;
  /** Who writes: stands with the message. */
  readonly writer: string;
  /** It is only taken where the last message of its subject is at this position; 0 where there is none. */
  readonly lastOfSubject?: number;
}

export type PublishOutcome =
  | { readonly kind: 'kept'; readonly position: number }
  /** Nobody can say whether it was kept: to be sent again under its id. */
  | { readonly kind: 'unknown'; readonly cause: unknown }
  | { readonly kind: 'refused'; readonly cause: unknown }
  | { readonly kind: 'too large'; readonly cause: unknown }
  | { readonly kind: 'not the last' };

const nanosPerMs = 1_000_000;
/** Servers that keep a stream together hear from each other each second. */
const longestSilenceMs = 5000;
const publishTimeoutMs = 2000;
const askTimeoutMs = 3000;
/** Of a server that does not say it. */
const defaultMaxPayload = 1024 * 1024;
const writerHeader = 'Tocsin-Writer';
/** https://github.com/nats-io/nats-server/blob/v2.9.10/server/errors.json */
const apiCodes = {
  streamNameInUse: 10_058,
  streamNotFound: 10_059,
  noMessage: 10_037,
  messageTooLarge: 10_054,
  headersTooLarge: 10_097,
  notTheLast: 10_071,
  notTheLastUnknown: 10_164,
} as const;

/**
 * Of the largest messages a reader has asked for so many at most, and asks again once no more than `askAgainCount` are left of them. What it asks for
 * then must have room for one of the largest: the servers let a message that has none wait until the request expires (measured,
 * bench/jetstream.ts: 25 times slower). No more than needed, because a server cuts off a connection that does not take what waits for it
 * (64 MiB unless its `max_pending` says otherwise), with all other readers on it.
 */
const readAheadCount = 4;
const askAgainCount = 2;
/** How soon a reader notices that the servers have forgotten it. */
const readerHeartbeatMs = 500;
const readerExpiryMs = 2000;

/** One stream, as the log needs it. Rejects with TOC_LOG_UNAVAILABLE where the servers do not answer. */
export class StreamClient {
  readonly #connection: NatsConnection;
  readonly #manager: JetStreamManager;
  readonly #client: JetStreamClient;
  readonly stream: string;

  private constructor(connection: NatsConnection, manager: JetStreamManager, stream: string) {
    this.#connection = connection;
    this.#manager = manager;
    this.#client = jetstream(connection, { timeout: askTimeoutMs });
    this.stream = stream;
  }

  /** Makes the stream where it is missing, and changes it where its settings are others. Rejects with TOC_LOG_MISMATCH where it is for something else. */
  static async open(
    connection: NatsConnection,
    stream: string,
    subjects: readonly string[],
    settings: StreamSettings,
  ): Promise<StreamClient> {
    const { description } = settings;
    const wanted = {
      ...(description === undefined ? {} : { description }),
      subjects: [...subjects],
      num_replicas: settings.replicas,
      max_bytes: settings.maxBytes ?? -1,
      max_age: (settings.maxAgeMs ?? 0) * nanosPerMs,
      duplicate_window: settings.duplicateWindowMs * nanosPerMs,
      discard: DiscardPolicy.New,
    };
    try {
      const manager = await jetstreamManager(connection, { checkAPI: false, timeout: askTimeoutMs });
      const client = new StreamClient(connection, manager, stream);
      const existing = await client.#infoOrNull();
      const info = existing ?? (await client.#add(wanted));
      const { description: found } = info?.config ?? {};
      if (found && description !== undefined && found !== description)
        throw new TocsinError('TOC_LOG_MISMATCH', `the stream ${stream} is "${found}", not "${description}"`);
      if (info && !isAsWanted(info, wanted)) await manager.streams.update(stream, wanted);
      return client;
    } catch (cause) {
      throw unavailable(`the stream ${stream} cannot be made or opened`, cause);
    }
  }

  /** The largest message that the servers take, its headers included. */
  get maxMessageBytes(): number {
    return this.#connection.info?.max_payload ?? defaultMaxPayload;
  }

  /** Null where the stream is gone. */
  async state(): Promise<StreamState | null> {
    try {
      const info = await this.#infoOrNull();
      if (!info) return null;
      const { first_seq, last_seq, messages } = info.state;
      return {
        identity: info.created,
        firstPosition: messages === 0 ? last_seq + 1 : first_seq,
        lastPosition: last_seq,
        hasMajority: hasMajority(info),
      };
    } catch (cause) {
      throw unavailable(`the stream ${this.stream} cannot be looked at`, cause);
    }
  }

  /** The message at a position; null where there is none. */
  message(position: number): Promise<StreamMessage | null> {
    return this.#get({ seq: position });
  }

  /** The last message of a subject, with who wrote it. */
  lastOf(subject: string): Promise<(StreamMessage & { readonly writer: string }) | null> {
    return this.#get({ last_by_subj: subject });
  }

  /** Never rejects. */
  async publish(
    subject: string,
    data: Uint8Array,
    { id, writer, lastOfSubject }: PublishOptions,
  ): Promise<PublishOutcome> {
    const headers = createHeaders();
    headers.set(writerHeader, writer);
    try {
      const ack = await this.#client.publish(subject, data, {
        msgID: id,
        timeout: publishTimeoutMs,
        headers,
        expect: {
          streamName: this.stream,
          ...(lastOfSubject === undefined ? {} : { lastSubjectSequence: lastOfSubject }),
        },
      });
      return { kind: 'kept', position: ack.seq };
    } catch (cause) {
      return outcomeOf(cause);
    }
  }

  /** Messages from a position on, for as long as they are wanted. The client makes its reader anew whenever the servers lose it. */
  async read(fromPosition: number): Promise<MessageReader> {
    try {
      const consumer = await this.#client.consumers.get(this.stream, {
        deliver_policy: DeliverPolicy.StartSequence,
        opt_start_seq: fromPosition,
      });
      const messages = await consumer.consume({
        max_bytes: readAheadCount * this.maxMessageBytes,
        threshold_bytes: askAgainCount * this.maxMessageBytes,
        idle_heartbeat: readerHeartbeatMs,
        expires: readerExpiryMs,
      });
      return new MessageReader(messages);
    } catch (cause) {
      throw unavailable(`the stream ${this.stream} cannot be read`, cause);
    }
  }

  async removeBefore(position: number): Promise<void> {
    // A purge up to the first message is taken for one of everything (nats-server 2.9.10).
    if (position <= 1) return;
    try {
      await this.#manager.streams.purge(this.stream, { seq: position });
    } catch (cause) {
      throw unavailable(`old entries of the stream ${this.stream} cannot be removed`, cause);
    }
  }

  /** The subjects of the stream's messages that fit a pattern. */
  async subjects(filter: string): Promise<string[]> {
    try {
      const { state } = await this.#manager.streams.info(this.stream, { subjects_filter: filter });
      return Object.keys(state.subjects ?? {});
    } catch (cause) {
      throw unavailable(`the stream ${this.stream} cannot be looked at`, cause);
    }
  }

  async removeSubject(subject: string): Promise<void> {
    try {
      await this.#manager.streams.purge(this.stream, { filter: subject });
    } catch (cause) {
      throw unavailable(`old messages of the stream ${this.stream} cannot be removed`, cause);
    }
  }

  async #add(config: Omit<Parameters<JetStreamManager['streams']['add']>[0], 'name'>) {
    try {
      return await this.#manager.streams.add({ ...config, name: this.stream });
    } catch (error) {
      // Another process has made it meanwhile, with other settings.
      if (codeOf(error) === apiCodes.streamNameInUse) return this.#infoOrNull();
      throw error;
    }
  }

  async #infoOrNull(): Promise<StreamInfo | null> {
    try {
      return await this.#manager.streams.info(this.stream);
    } catch (error) {
      if (codeOf(error) === apiCodes.streamNotFound) return null;
      throw error;
    }
  }

  async #get(
    query: { readonly seq: number } | { readonly last_by_subj: string },
  ): Promise<(StreamMessage & { readonly writer: string }) | null> {
    try {
      const found = await this.#manager.streams.getMessage(this.stream, query);
      return found && { position: found.seq, data: found.data, writer: found.header.get(writerHeader) };
    } catch (cause) {
      if (codeOf(cause) === apiCodes.noMessage) return null;
      throw unavailable(`the stream ${this.stream} cannot be read`, cause);
    }
  }
}

/** Gives the messages of a stream in their order. */
export class MessageReader {
  readonly #messages: ConsumerMessages;
  readonly #iterator: AsyncIterator<{ readonly seq: number; readonly data: Uint8Array }>;

  constructor(messages: ConsumerMessages) {
    this.#messages = messages;
    this.#iterator = messages[Symbol.asyncIterator]();
  }

  /** Null once it is closed, or the connection is. */
  async next(): Promise<StreamMessage | null> {
    const { value, done } = await this.#iterator.next();
    return done === true ? null : { position: value.seq, data: value.data };
  }

  async close(): Promise<void> {
    // What `close` of the client gives is only settled by who iterates to the end.
    void this.#messages.close();
    await this.#iterator.return?.();
  }
}

function isAsWanted({ config }: StreamInfo, wanted: Readonly<Record<string, unknown>>): boolean {
  const is: Readonly<Record<string, unknown>> = { ...config };
  return Object.entries(wanted).every(([key, value]) => JSON.stringify(is[key]) === JSON.stringify(value));
}

/** A leader that has lost its followers goes on for a while as if it had them. */
function hasMajority({ cluster }: StreamInfo): boolean {
  if (!cluster?.replicas) return true;
  if (!cluster.leader) return false;
  const heardOf = cluster.replicas.filter(({ active }) => active < longestSilenceMs * nanosPerMs).length;
  return heardOf + 1 > (cluster.replicas.length + 1) / 2;
}

function outcomeOf(cause: unknown): PublishOutcome {
  const code = codeOf(cause);
  if (code === apiCodes.notTheLast || code === apiCodes.notTheLastUnknown) return { kind: 'not the last' };
  if (code === apiCodes.messageTooLarge || code === apiCodes.headersTooLarge)
    return { kind: 'too large', cause };
  // What JetStream answers is a refusal; whatever else happens on the way leaves open what became of the message.
  return code === null ? { kind: 'unknown', cause } : { kind: 'refused', cause };
}

function codeOf(error: unknown): number | null {
  return error instanceof JetStreamApiError ? error.code : null;
}

function unavailable(message: string, cause: unknown): TocsinError {
  return cause instanceof TocsinError ? cause : new TocsinError('TOC_LOG_UNAVAILABLE', message, { cause });
}
