import { setTimeout as sleep } from 'node:timers/promises';
import { TocsinError, type Entry, type LogSlice } from '../engine/index.ts';
import type { EntryCodec } from './encode-entry.ts';
import type { MessageReader, StreamClient, StreamMessage, StreamState } from './jetstream-client.ts';

export interface StreamTailOptions<E extends Entry> {
  readonly client: Pick<StreamClient, 'stream' | 'read' | 'state'>;
  readonly codec: EntryCodec<E>;
  /** The stream when it was opened: it is followed from behind its last entry on. */
  readonly state: StreamState;
  readonly onSlice: (slice: LogSlice<E>) => void;
}

interface Waiter {
  readonly position: number;
  readonly resolve: () => void;
  readonly reject: (error: TocsinError) => void;
}

const retryMs = 250;
/** How often the stream is looked at from outside of its messages. */
const watchMs = 1000;
/** So many looks in a row must agree before a stream counts as gone or cut off: servers that start anew may know less for a moment. */
const agreeingLooks = 3;

/** Follows a stream and hands over each new entry once, in order. Notices what happens to the stream under it. */
export class StreamTail<E extends Entry> {
  readonly failed: Promise<TocsinError>;
  readonly #options: StreamTailOptions<E>;
  readonly #tell: (error: TocsinError) => void;
  readonly #stop = new AbortController();
  #lastPosition: number;
  #failure: TocsinError | null = null;
  #waiters: Waiter[] = [];
  #reader: MessageReader | null = null;
  #work: Promise<unknown> = Promise.resolve();

  constructor(options: StreamTailOptions<E>) {
    this.#options = options;
    this.#lastPosition = options.state.lastPosition;
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

  begin(): void {
    this.#work = Promise.all([this.#follow(), this.#watch()]);
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
    this.#stop.abort();
    for (const { reject } of this.#waiters.splice(0)) reject(error);
    void this.#reader?.close();
  }

  async #follow(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        const reader = await this.#options.client.read(this.#lastPosition + 1);
        this.#reader = reader;
        if (signal.aborted) await reader.close();
        for (let message = await reader.next(); message; message = await reader.next()) this.#take(message);
      } catch {
        // The servers do not answer, or the reader was given up. It is tried again until the watch says that there is no use.
      }
      await sleep(retryMs, undefined, { signal }).catch(() => undefined);
    }
  }

  #take({ position, data }: StreamMessage): void {
    const expected = this.#lastPosition + 1;
    if (position < expected || this.#failure) return;
    if (position > expected) {
      this.fail(gap(this.#options.client.stream, expected, position - 1));
      return;
    }
    let entry: E;
    try {
      entry = this.#options.codec.decode(data);
    } catch (cause) {
      this.fail(unreadable(position, cause));
      return;
    }
    this.#lastPosition = position;
    this.#options.onSlice({ firstPosition: position, entries: [entry] });
    if (this.#waiters.length > 0) this.#answer();
  }

  #answer(): void {
    const isDone = ({ position }: Waiter): boolean => position <= this.#lastPosition;
    const done = this.#waiters.filter(isDone);
    this.#waiters = this.#waiters.filter((waiter) => !isDone(waiter));
    for (const { resolve } of done) resolve();
  }

  /** Looks at the stream again and again: what its messages do not tell. */
  async #watch(): Promise<void> {
    const { client } = this.#options;
    const { signal } = this.#stop;
    let suspicions = 0;
    let lookedAt = this.#lastPosition;
    /** An entry that must be there: what comes while the servers answer is no part of their answer. */
    let certain = this.#lastPosition;
    while (!signal.aborted) {
      await sleep(watchMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      let state: StreamState | null;
      try {
        state = await client.state();
      } catch {
        continue;
      }
      const suspicion = this.#suspicionOf(state, certain);
      suspicions = suspicion ? suspicions + 1 : 0;
      if (suspicion && suspicions >= agreeingLooks) this.fail(suspicion);
      // The reader gives nothing though there is something: it is made anew.
      const isStuck = !suspicion && state!.lastPosition > lookedAt && this.#lastPosition === lookedAt;
      if (isStuck) void this.#reader?.close();
      lookedAt = this.#lastPosition;
      // A suspicion is followed up with the entry that it began with: servers that are behind catch up with that one.
      if (!suspicion) certain = lookedAt;
    }
  }

  #suspicionOf(state: StreamState | null, certain: number): TocsinError | null {
    const { client, state: opened } = this.#options;
    if (!state || state.identity !== opened.identity)
      return new TocsinError(
        'TOC_LOG_REPLACED',
        `the stream ${client.stream} of ${opened.identity} is gone${state ? `; one of ${state.identity} is in its place` : ''}`,
      );
    if (state.lastPosition < certain)
      return new TocsinError(
        'TOC_LOG_GAP',
        `the stream ${client.stream} ends at ${state.lastPosition}; it has lost the entries up to ${certain}`,
      );
    if (state.firstPosition > this.#lastPosition + 1)
      return gap(client.stream, this.#lastPosition + 1, state.firstPosition - 1);
    return null;
  }
}

export function gap(stream: string, first: number, last: number): TocsinError {
  const which = first === last ? `entry ${first} was` : `entries ${first} to ${last} were`;
  return new TocsinError('TOC_LOG_GAP', `${which} taken out of the stream ${stream} before being read`);
}

export function unreadable(position: number, cause: unknown): TocsinError {
  return new TocsinError('TOC_LOG_CORRUPT', `the entry at position ${position} cannot be read`, { cause });
}
