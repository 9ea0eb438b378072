import { TocsinError, type Entry, type LogSlice } from '../engine/index.ts';
import type { EntryCodec } from './encode-entry.ts';
import { insist } from './insist.ts';
import type { MessageReader, StreamClient, StreamMessage, StreamState } from './jetstream-client.ts';
import { confirmGap, gap, unreadable } from './stream-faults.ts';
import { StreamWatch } from './stream-watch.ts';

export interface StreamTailOptions<E extends Entry> {
  readonly client: Pick<StreamClient, 'stream' | 'read' | 'state' | 'message'>;
  readonly codec: EntryCodec<E>;
  /** The stream when it was opened: it is followed from behind its last entry on. */
  readonly state: StreamState;
  readonly onSlice: (slice: LogSlice<E>) => void;
  /** Called with why the stream cannot be followed at the moment, and with null once it can again. */
  readonly onTrouble?: ((trouble: TocsinError | null) => void) | undefined;
}

interface Waiter {
  readonly position: number;
  readonly resolve: () => void;
  readonly reject: (error: TocsinError) => void;
}

/** How often the stream is looked at from outside of its messages. */
const watchMs = 1000;

/** Follows a stream and hands over each new entry once, in order. Rides out any outage of the servers; notices what happens to the stream under it. */
export class StreamTail<E extends Entry> {
  readonly failed: Promise<TocsinError>;
  readonly #options: StreamTailOptions<E>;
  readonly #tell: (error: TocsinError) => void;
  readonly #stop = new AbortController();
  readonly #watch: StreamWatch;
  #lastPosition: number;
  /** `lastPosition` when the stream was looked at last. */
  #lookedAt: number;
  /**
   * An entry that the stream must have: it was handed over before the servers were asked. It stays the same while they say otherwise, so that
   * servers which are behind catch up with it.
   */
  #certain: number;
  #failure: TocsinError | null = null;
  #waiters: Waiter[] = [];
  #reader: MessageReader | null = null;
  #work: Promise<unknown> = Promise.resolve();

  constructor(options: StreamTailOptions<E>) {
    const { client, state, onTrouble } = options;
    this.#options = options;
    this.#lastPosition = state.lastPosition;
    this.#lookedAt = state.lastPosition;
    this.#certain = state.lastPosition;
    this.#watch = new StreamWatch({
      client,
      identity: state.identity,
      intervalMs: watchMs,
      examine: (now) => this.#examine(now),
      onFailure: (error) => this.fail(error),
      onTrouble,
    });
    const { promise, resolve } = Promise.withResolvers<TocsinError>();
    this.failed = promise;
    this.#tell = resolve;
  }

  /** Position of the newest entry that was handed over. */
  get lastPosition(): number {
    return this.#lastPosition;
  }

  get failure(): TocsinError | null {
    return this.#failure;
  }

  /** Why the stream cannot be followed at the moment, or any more; null while it can. */
  get trouble(): TocsinError | null {
    return this.#failure ?? this.#watch.trouble;
  }

  begin(): void {
    this.#work = Promise.all([this.#follow(), this.#watch.run(this.#stop.signal)]);
  }

  /** Resolves once the entry at `position` was handed over. Rejects when that cannot be any more. */
  reached(position: number): Promise<void> {
    if (this.#failure) return Promise.reject(this.#failure);
    if (position <= this.#lastPosition) return Promise.resolve();
    return new Promise((resolve, reject) => this.#waiters.push({ position, resolve, reject }));
  }

  /** The stream can be followed no further. */
  fail(error: TocsinError): void {
    if (this.#failure || this.#stop.signal.aborted) return;
    this.#failure = error;
    this.#tell(error);
    this.#end(error);
  }

  async close(): Promise<void> {
    this.#end(new TocsinError('TOC_LOG_CLOSED', 'the log is closed'));
    await this.#work;
  }

  #end(error: TocsinError): void {
    this.#stop.abort(error);
    for (const { reject } of this.#waiters.splice(0)) reject(error);
    void this.#reader?.close();
  }

  async #follow(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        await insist(() => this.#readOn(), { signal });
      } catch (error) {
        this.fail(error as TocsinError);
      }
    }
  }

  /** Reads on for as long as its reader lasts. Rejects where that brought nothing. */
  async #readOn(): Promise<void> {
    const { client } = this.#options;
    const from = this.#lastPosition + 1;
    const reader = await client.read(from);
    this.#reader = reader;
    try {
      if (this.#stop.signal.aborted) return;
      for (let message = await reader.next(); message; message = await reader.next())
        await this.#take(message);
    } finally {
      await reader.close();
    }
    if (this.#lastPosition < from)
      throw new TocsinError('TOC_LOG_UNAVAILABLE', `the stream ${client.stream} does not send entries`);
  }

  #take({ position, data }: StreamMessage): Promise<void> | void {
    const expected = this.#lastPosition + 1;
    if (position < expected || this.#failure) return undefined;
    if (position > expected)
      return confirmGap(this.#options.client, expected, position - 1).then((error) => {
        throw error;
      });
    let entry: E;
    try {
      entry = this.#options.codec.decode(data);
    } catch (cause) {
      throw unreadable(position, cause);
    }
    this.#lastPosition = position;
    this.#options.onSlice({ firstPosition: position, entries: [entry] });
    if (this.#waiters.length > 0) this.#answer();
    return undefined;
  }

  #answer(): void {
    const isDone = ({ position }: Waiter): boolean => position <= this.#lastPosition;
    const done = this.#waiters.filter(isDone);
    this.#waiters = this.#waiters.filter((waiter) => !isDone(waiter));
    for (const { resolve } of done) resolve();
  }

  #examine(state: StreamState): TocsinError | null {
    const { stream } = this.#options.client;
    const lookedAt = this.#lookedAt;
    this.#lookedAt = this.#lastPosition;
    if (state.lastPosition < this.#certain)
      return new TocsinError(
        'TOC_LOG_GAP',
        `the stream ${stream} ends at ${state.lastPosition}; it has lost the entries up to ${this.#certain}`,
      );
    this.#certain = this.#lastPosition;
    if (state.firstPosition > this.#lastPosition + 1)
      return gap(stream, this.#lastPosition + 1, state.firstPosition - 1);
    if (state.lastPosition <= lookedAt || this.#lastPosition > lookedAt) return null;
    // The reader gives nothing though there is something: it is made anew.
    void this.#reader?.close();
    return new TocsinError('TOC_LOG_UNAVAILABLE', `the stream ${stream} does not send its newest entries`);
  }
}
