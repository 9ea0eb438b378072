import { randomUUID } from 'node:crypto';
import { TocsinError, type Appended, type Entry, type LogSlice } from '../engine/index.ts';
import type { NatsConnection } from '../nats/index.ts';
import { jsonCodec, type EntryCodec } from './encode-entry.ts';
import {
  StreamClient,
  type PublishOptions,
  type PublishOutcome,
  type StreamMessage,
  type StreamSettings,
  type StreamState,
} from './jetstream-client.ts';
import type { LogWriter, SharedLog, TakenOver } from './log.ts';
import { insist } from './insist.ts';
import { Publisher } from './publisher.ts';
import { StreamCursor } from './stream-cursor.ts';
import { gap, unreadable } from './stream-faults.ts';
import { StreamTail } from './stream-tail.ts';
import { StreamWatch } from './stream-watch.ts';

export interface JetStreamLogOptions<E extends Entry> {
  /** Stays open when the log is closed. */
  readonly connection: NatsConnection;
  /** Names of streams and subjects begin with it: letters, digits, `-` and `_`. */
  readonly prefix: string;
  readonly partition: number;
  /** Of how many partitions it is one; not looked at unless it is given. */
  readonly partitionCount?: number;
  readonly settings: StreamSettings;
  readonly codec?: EntryCodec<E>;
  /** How long an append is tried; below the duplicate window. */
  readonly patienceMs?: number;
  /** Called with why the stream cannot be used at the moment, and with null once it can again. Nothing is to be done about it. */
  readonly onTrouble?: (trouble: TocsinError | null) => void;
}

/** How often who only appends looks whether the stream is still the same. */
const writerWatchMs = 2000;
const defaultPatienceMs = 20_000;
const maxWaitingBytes = 64 * 1024 * 1024;
const maxJoined = 4096;

interface Names {
  readonly stream: string;
  /** What anybody may write. */
  readonly openSubject: string;
  /** What only the owner may. */
  readonly ownedSubject: string;
}

function namesOf({ prefix, partition }: Pick<JetStreamLogOptions<Entry>, 'prefix' | 'partition'>): Names {
  return {
    stream: `${prefix}-log-${partition}`,
    openSubject: `${prefix}.log.${partition}.open`,
    ownedSubject: `${prefix}.log.${partition}.owned`,
  };
}

/** As `openJetStreamLog`. */
export async function followStream<E extends Entry>(options: JetStreamLogOptions<E>): Promise<SharedLog<E>> {
  const names = namesOf(options);
  const { codec = jsonCodec<E>() } = options;
  const client = await openClient(options, names);
  const state = await client.state();
  if (!state) throw new TocsinError('TOC_LOG_UNAVAILABLE', `the stream ${names.stream} is gone again`);
  const last = state.lastPosition === 0 ? null : await client.message(state.lastPosition);
  const lastMs = last ? decode(codec, last).timeMs : -Infinity;
  return new JetStreamLog<E>({ ...options, codec }, { client, names, state, lastMs });
}

/** Throws TOC_LOG_CORRUPT. */
function decode<E extends Entry>(codec: EntryCodec<E>, { position, data }: StreamMessage): E {
  try {
    return codec.decode(data);
  } catch (cause) {
    throw unreadable(position, cause);
  }
}

/** As `openJetStreamWriter`. */
export async function writeStream<E extends Entry>(options: JetStreamLogOptions<E>): Promise<LogWriter<E>> {
  const names = namesOf(options);
  const { codec = jsonCodec<E>() } = options;
  const client = await openClient(options, names);
  const state = await client.state();
  if (!state) throw new TocsinError('TOC_LOG_UNAVAILABLE', `the stream ${names.stream} is gone again`);
  const publisher = openPublisher({ ...options, codec }, client, (data, publishing) =>
    client.publish(names.openSubject, data, publishing),
  );
  const stop = new AbortController();
  let failure: TocsinError | null = null;
  const watch = new StreamWatch({
    client,
    identity: state.identity,
    intervalMs: writerWatchMs,
    examine: () => null,
    onFailure(error) {
      failure = error;
      stop.abort();
    },
    onTrouble: options.onTrouble,
  });
  const watching = watch.run(stop.signal);
  return {
    get trouble() {
      return failure ?? watch.trouble;
    },
    async append(draft) {
      if (failure) throw failure;
      // Seen once is enough not to say of anything that it was kept.
      if (watch.trouble?.code === 'TOC_LOG_REPLACED') throw watch.trouble;
      return publisher.append(draft);
    },
    async close() {
      stop.abort();
      await Promise.all([publisher.close(), watching]);
    },
  };
}

function openClient<E extends Entry>(
  { connection, settings, partition, partitionCount }: JetStreamLogOptions<E>,
  { stream, openSubject, ownedSubject }: Names,
): Promise<StreamClient> {
  const description =
    partitionCount === undefined ? undefined : `Tocsin: partition ${partition} of ${partitionCount}, from 0`;
  return StreamClient.open(connection, stream, [openSubject, ownedSubject], { ...settings, description });
}

class JetStreamLog<E extends Entry> implements SharedLog<E> {
  readonly identity: string;
  readonly failed: Promise<TocsinError>;
  readonly #client: StreamClient;
  readonly #names: Names;
  readonly #codec: EntryCodec<E>;
  readonly #patienceMs: number;
  readonly #tail: StreamTail<E>;
  readonly #cursor: StreamCursor<E>;
  readonly #open: Publisher<E>;
  readonly #owned: Publisher<E>;
  readonly #listeners = new Set<(slice: LogSlice<E>) => void>();
  #firstPosition: number;
  #lastMs: number;
  /** Where the last entry of the partition's owner stands; null where that is not this process. */
  #ownedPosition: number | null = null;
  /** When its last entry that was kept was sent, by a clock that is never set. */
  #ownedAtMs = -Infinity;
  #asserting: Promise<unknown> | null = null;
  #reading: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(
    options: JetStreamLogOptions<E> & { readonly codec: EntryCodec<E> },
    { client, names, state, lastMs }: Opened,
  ) {
    const { codec } = options;
    this.identity = state.identity;
    this.#firstPosition = state.firstPosition;
    this.#lastMs = lastMs;
    this.#client = client;
    this.#names = names;
    this.#codec = codec;
    this.#patienceMs = options.patienceMs ?? defaultPatienceMs;
    this.#tail = new StreamTail<E>({
      client,
      codec,
      state,
      onSlice: (slice) => this.#handOver(slice),
      onTrouble: options.onTrouble,
    });
    this.failed = this.#tail.failed;
    this.#cursor = new StreamCursor<E>(client, codec);
    this.#open = openPublisher(options, client, (data, publishing) =>
      client.publish(names.openSubject, data, publishing),
    );
    // An owner's entries stand alone: each has a position of its own.
    const alone = {
      encode: (draft: E) => codec.encode(draft),
      decode: (bytes: Uint8Array) => codec.decode(bytes),
    };
    this.#owned = openPublisher({ ...options, codec: alone }, client, (data, publishing) =>
      this.#publishOwned(data, publishing),
    );
    this.#tail.begin();
    void this.failed.then((error) => this.#cursor.close(error));
  }

  get firstPosition(): number {
    return this.#firstPosition;
  }

  get lastPosition(): number {
    return this.#tail.lastPosition;
  }

  get lastTimeMs(): number {
    return this.#lastMs;
  }

  get trouble(): TocsinError | null {
    return this.#tail.trouble;
  }

  async append(draft: E): Promise<Appended<E>> {
    this.#assertOpen();
    const isOpen = draft.kind === 'alerts' || draft.kind === 'command';
    if (!isOpen && this.#ownedPosition === null)
      throw new TocsinError('TOC_LOG_FENCED', 'this process does not own the partition');
    const appended = await (isOpen ? this.#open : this.#owned).append(draft);
    await this.#tail.reached(appended.position);
    return appended;
  }

  async takeOver(draft: E): Promise<TakenOver<E>> {
    this.#assertOpen();
    const last = await insist(() => this.#client.lastOf(this.#names.ownedSubject), {
      patienceMs: this.#patienceMs,
    });
    this.#ownedPosition = last?.position ?? 0;
    const before = last && decode(this.#codec, last);
    const appended = await this.#owned.append(draft);
    await this.#tail.reached(appended.position);
    return { ...appended, before };
  }

  async assertOwned(maxAgeMs: number, draft: E): Promise<void> {
    if (performance.now() - this.#ownedAtMs <= maxAgeMs) return;
    this.#asserting ??= this.append(draft).finally(() => {
      this.#asserting = null;
    });
    await this.#asserting;
  }

  read(fromPosition: number, maxCount: number): Promise<LogSlice<E>> {
    const reading = this.#reading.then(() => this.#read(fromPosition, maxCount));
    this.#reading = reading.catch(() => undefined);
    return reading;
  }

  subscribe(listener: (slice: LogSlice<E>) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async trim(beforePosition: number): Promise<void> {
    this.#assertOpen();
    // The owner's last entry stays: by its position the owner is told from a stranger.
    const end = Math.min(beforePosition, this.lastPosition, this.#ownedPosition ?? Infinity);
    if (end <= this.#firstPosition) return;
    await this.#client.removeBefore(end);
    this.#firstPosition = end;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const lastPosition = await Promise.all([this.#open.close(), this.#owned.close()]);
    await this.#tail.reached(Math.max(...lastPosition)).catch(() => undefined);
    await Promise.all([this.#tail.close(), this.#cursor.close(closed())]);
  }

  #handOver(slice: LogSlice<E>): void {
    this.#lastMs = slice.entries.at(-1)!.timeMs;
    for (const listener of this.#listeners) listener(slice);
  }

  async #read(fromPosition: number, maxCount: number): Promise<LogSlice<E>> {
    this.#assertOpen();
    const { lastPosition } = this;
    const count = Math.min(maxCount, lastPosition - fromPosition + 1);
    if (count <= 0) return { firstPosition: fromPosition, entries: [] };
    if (fromPosition < this.#firstPosition)
      throw gap(this.#client.stream, fromPosition, this.#firstPosition - 1);
    const slice = await this.#cursor.read(fromPosition, count);
    if (fromPosition + count > lastPosition) await this.#cursor.rest();
    return slice;
  }

  /** INVARIANT: an owner's entries are a chain. Each is taken only behind the one before, so that an owner whose successor has begun writes nothing. */
  async #publishOwned(data: Uint8Array, publishing: PublishOptions): Promise<PublishOutcome> {
    const lastOfSubject = this.#ownedPosition;
    if (lastOfSubject === null) return { kind: 'not the last' };
    const sentAtMs = performance.now();
    const outcome = await this.#client.publish(this.#names.ownedSubject, data, {
      ...publishing,
      lastOfSubject,
    });
    if (outcome.kind === 'kept') {
      this.#ownedPosition = outcome.position;
      this.#ownedAtMs = sentAtMs;
    }
    if (outcome.kind !== 'not the last') return outcome;
    try {
      const last = await this.#client.lastOf(this.#names.ownedSubject);
      // One of its own that it gave up to ask about was kept after all.
      const isOwn = last?.writer === publishing.writer && last.position > lastOfSubject;
      this.#ownedPosition = isOwn ? last.position : null;
      return isOwn ? { kind: 'unknown', cause: null } : outcome;
    } catch (cause) {
      return { kind: 'unknown', cause };
    }
  }

  #assertOpen(): void {
    if (this.#isClosed) throw closed();
    if (this.#tail.failure) throw this.#tail.failure;
  }
}

function closed(): TocsinError {
  return new TocsinError('TOC_LOG_CLOSED', 'the log is closed');
}

/** What is known of a stream once it is open. */
interface Opened {
  readonly client: StreamClient;
  readonly names: Names;
  readonly state: StreamState;
  readonly lastMs: number;
}

function openPublisher<E extends Entry>(
  { codec, patienceMs = defaultPatienceMs }: JetStreamLogOptions<E> & { readonly codec: EntryCodec<E> },
  client: StreamClient,
  publish: (data: Uint8Array, publishing: PublishOptions) => Promise<PublishOutcome>,
): Publisher<E> {
  return new Publisher<E>({
    codec,
    writer: randomUUID(),
    patienceMs,
    maxWaitingBytes,
    maxJoined,
    maxMessageBytes: () => client.maxMessageBytes,
    publish,
  });
}
