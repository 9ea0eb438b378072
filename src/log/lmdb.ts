import { open, type RootDatabase } from 'lmdb';
import { TocsinError, type Appended, type Entry, type LogSlice } from '../engine/index.ts';
import { jsonCodec, type EntryCodec } from './encode-entry.ts';
import type { ReplicaLog } from './log.ts';

/**
 * Opens the log in the folder `path`, which is created when it is missing. Durable means: synced to disk.
 * Appends that arrive while a commit is under way share the next one. Only one process may have it open (see `lockFolder`).
 * After a crash every acknowledged entry is there; one that was not acknowledged may be.
 * Throws TOC_LOG_UNAVAILABLE when the folder cannot be used, TOC_LOG_CORRUPT when its last entry cannot be read.
 */
export function openLmdbLog<E extends Entry>(
  path: string,
  codec: EntryCodec<E> = jsonCodec<E>(),
): ReplicaLog<E> {
  let database: RootDatabase<Uint8Array, number>;
  try {
    database = open<Uint8Array, number>({
      path,
      encoding: 'binary',
      maxDbs: 1,
      // LZ4 in the writing thread: a batch of alerts takes a quarter of the room (measured: 83 bytes an alert instead of 328).
      compression: true,
      // A commit is over when it is on disk, and says so when it is not. lmdb's own batching by event turn leaves promises that
      // nobody awaits: a full disk would end the process by an unhandled rejection.
      overlappingSync: false,
      eventTurnBatching: false,
    });
  } catch (cause) {
    throw new TocsinError('TOC_LOG_UNAVAILABLE', `the log in ${path} cannot be opened`, { cause });
  }
  try {
    return new LmdbLog<E>(database, codec);
  } catch (error) {
    if (error instanceof TocsinError) throw error;
    throw new TocsinError('TOC_LOG_CORRUPT', `the log in ${path} cannot be read`, { cause: error });
  }
}

/** Entries that wait for their commit. */
interface Turn<E extends Entry> {
  readonly slice: LogSlice<E>;
  readonly bytes: readonly Uint8Array[];
  readonly resolve: () => void;
  readonly reject: (error: TocsinError) => void;
}

/** Entries that one transaction of `trim` removes: keeps the writing thread free for appends. */
const trimStep = 1000;

class LmdbLog<E extends Entry> implements ReplicaLog<E> {
  readonly #database: RootDatabase<Uint8Array, number>;
  readonly #codec: EntryCodec<E>;
  readonly #listeners = new Set<(slice: LogSlice<E>) => void>();
  #firstPosition: number;
  #lastPosition: number;
  #lastMs: number;
  /** Position of the next draft; ahead of what is durable while turns wait. */
  #nextPosition: number;
  #turns: Turn<E>[] = [];
  #writing: Promise<void> | null = null;
  #isClosed = false;

  constructor(database: RootDatabase<Uint8Array, number>, codec: EntryCodec<E>) {
    this.#database = database;
    this.#codec = codec;
    const [first] = database.getKeys({ limit: 1 });
    const [last] = database.getKeys({ reverse: true, limit: 1 });
    this.#lastPosition = last ?? 0;
    this.#firstPosition = first ?? this.#lastPosition + 1;
    this.#lastMs = last === undefined ? -Infinity : this.#read(last, 1)[0]!.timeMs;
    this.#nextPosition = this.#lastPosition + 1;
  }

  get firstPosition(): number {
    return this.#firstPosition;
  }

  get lastPosition(): number {
    return this.#lastPosition;
  }

  get lastTimeMs(): number {
    return this.#lastMs;
  }

  async append(draft: E): Promise<Appended<E>> {
    this.#assertOpen();
    if (!Number.isFinite(draft.timeMs)) throw new RangeError(`an entry has no time: ${draft.timeMs}`);
    const { entry, bytes } = this.#codec.encode(draft);
    const position = this.#nextPosition;
    await this.#take({ firstPosition: position, entries: [entry] }, [bytes]);
    return { position, entry };
  }

  async replicate(firstPosition: number, bytes: readonly Uint8Array[]): Promise<void> {
    this.#assertOpen();
    if (bytes.length === 0) return;
    if (this.#nextPosition === 1) {
      this.#firstPosition = firstPosition;
      this.#lastPosition = firstPosition - 1;
      this.#nextPosition = firstPosition;
    }
    if (firstPosition !== this.#nextPosition)
      throw new RangeError(`the log goes on at ${this.#nextPosition}, not at ${firstPosition}`);
    const entries = bytes.map((value, index) => this.#decode(value, firstPosition + index));
    await this.#take({ firstPosition, entries }, bytes);
  }

  async readBytes(fromPosition: number, maxCount: number, maxBytes: number): Promise<Uint8Array[]> {
    this.#assertOpen();
    const found: Uint8Array[] = [];
    let length = 0;
    for (const { key, value } of this.#database.getRange({ start: fromPosition, limit: maxCount })) {
      if (key !== fromPosition + found.length || key > this.#lastPosition) break;
      if (found.length > 0 && length + value.length > maxBytes) break;
      length += value.length;
      // What LMDB hands out is valid until the next read only.
      found.push(Uint8Array.from(value));
    }
    return found;
  }

  async reset(): Promise<void> {
    this.#assertOpen();
    await this.#writing;
    await this.#commit(() => {
      void this.#database.clearAsync();
    });
    this.#firstPosition = 1;
    this.#lastPosition = 0;
    this.#lastMs = -Infinity;
    this.#nextPosition = 1;
  }

  async read(fromPosition: number, maxCount: number): Promise<LogSlice<E>> {
    this.#assertOpen();
    const count = Math.min(maxCount, this.#lastPosition - fromPosition + 1);
    return { firstPosition: fromPosition, entries: count > 0 ? this.#read(fromPosition, count) : [] };
  }

  subscribe(listener: (slice: LogSlice<E>) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async trim(beforePosition: number): Promise<void> {
    const end = Math.min(beforePosition, this.#lastPosition);
    while (this.#firstPosition < end) {
      this.#assertOpen();
      const stop = Math.min(this.#firstPosition + trimStep, end);
      await this.#commit(() => {
        for (let position = this.#firstPosition; position < stop; position++) {
          void this.#database.remove(position);
        }
      });
      this.#firstPosition = stop;
    }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#writing;
    await this.#database.close();
  }

  #take(slice: LogSlice<E>, bytes: readonly Uint8Array[]): Promise<void> {
    this.#nextPosition = slice.firstPosition + slice.entries.length;
    return new Promise((resolve, reject) => {
      this.#turns.push({ slice, bytes, resolve, reject });
      this.#writing ??= this.#write().finally(() => (this.#writing = null));
    });
  }

  /** INVARIANT: one transaction at a time. When one fails, nothing after it was written, so that positions stay without a gap. */
  async #write(): Promise<void> {
    while (this.#turns.length > 0) {
      const turns = this.#turns;
      this.#turns = [];
      try {
        await this.#commit(() => {
          for (const { slice, bytes } of turns) {
            for (const [index, value] of bytes.entries()) {
              void this.#database.put(slice.firstPosition + index, value);
            }
          }
        });
      } catch (error) {
        // Those that came meanwhile got positions behind the lost ones: all senders are told to come again.
        const lost = [...turns, ...this.#turns];
        this.#turns = [];
        this.#nextPosition = this.#lastPosition + 1;
        for (const { reject } of lost) reject(error as TocsinError);
        continue;
      }
      for (const turn of turns) this.#tell(turn);
    }
  }

  #tell({ slice, resolve }: Turn<E>): void {
    this.#lastPosition = slice.firstPosition + slice.entries.length - 1;
    this.#lastMs = slice.entries.at(-1)!.timeMs;
    for (const listener of this.#listeners) listener(slice);
    resolve();
  }

  /** Rejects with TOC_LOG_UNAVAILABLE when the transaction was not made. */
  async #commit(operations: () => void): Promise<void> {
    try {
      await this.#database.batch(operations);
    } catch (error) {
      const cause = await commitErrorOf(error);
      throw new TocsinError('TOC_LOG_UNAVAILABLE', 'the log could not be written', { cause });
    }
  }

  #read(fromPosition: number, count: number): E[] {
    const entries: E[] = [];
    for (const { key, value } of this.#database.getRange({ start: fromPosition, limit: count })) {
      const position = fromPosition + entries.length;
      if (key !== position) break;
      entries.push(this.#decode(value, position));
    }
    if (entries.length === count) return entries;
    throw new TocsinError('TOC_LOG_GAP', `the log has no entry at position ${fromPosition + entries.length}`);
  }

  #decode(value: Uint8Array, position: number): E {
    try {
      return this.#codec.decode(value);
    } catch (cause) {
      throw new TocsinError('TOC_LOG_CORRUPT', `the entry at position ${position} cannot be read`, { cause });
    }
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new TocsinError('TOC_LOG_CLOSED', 'the log is closed');
  }
}

/** What is behind lmdb's "Commit failed": it comes later, as a promise that rejects. */
async function commitErrorOf(error: unknown): Promise<unknown> {
  if (!(error instanceof Error) || !('commitError' in error)) return error;
  try {
    await error.commitError;
    return error;
  } catch (cause) {
    return cause;
  }
}
