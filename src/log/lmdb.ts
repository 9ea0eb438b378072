import { open, type RootDatabase } from 'lmdb';
import { decode, encode, TocsinError, type Entry, type LogSlice } from '../engine/index.ts';
import type { PartitionLog } from './log.ts';

/**
 * Opens the log in the folder `path`, which is created when it is missing. Durable means: synced to disk.
 * Concurrent appends share a commit. Only one process may have it open (the store's lease sees to that).
 */
export function openLmdbLog<E extends Entry>(path: string): PartitionLog<E> {
  const database = open<Uint8Array, number>({ path, encoding: 'binary', keyEncoding: 'uint32', maxDbs: 1 });
  return new LmdbLog<E>(database);
}

class LmdbLog<E extends Entry> implements PartitionLog<E> {
  readonly #database: RootDatabase<Uint8Array, number>;
  readonly #listeners = new Set<(slice: LogSlice<E>) => void>();
  #firstPosition: number;
  #lastPosition: number;
  #nextPosition: number;
  #lastMs: number;
  #isClosed = false;
  /** Settles when the append before has; a failed one takes all that were queued behind it with it. */
  #tail: Promise<unknown> = Promise.resolve();
  #inFlightCount = 0;
  #isBroken = false;

  constructor(database: RootDatabase<Uint8Array, number>) {
    this.#database = database;
    const [first] = database.getKeys({ limit: 1 });
    const [last] = database.getKeys({ reverse: true, limit: 1 });
    this.#lastPosition = last ?? 0;
    this.#firstPosition = first ?? this.#lastPosition + 1;
    this.#nextPosition = this.#lastPosition + 1;
    this.#lastMs = last === undefined ? -Infinity : this.#get(last).timeMs;
  }

  get firstPosition(): number {
    return this.#firstPosition;
  }

  get lastPosition(): number {
    return this.#lastPosition;
  }

  async append(drafts: readonly E[]): Promise<LogSlice<E>> {
    if (this.#isClosed) throw new TocsinError('TOC_LOG_CLOSED', 'the log is closed');
    if (this.#isBroken) throw unavailable();
    const firstPosition = this.#nextPosition;
    const entries = drafts.map((draft) => this.#stamp(draft));
    if (entries.length === 0) return { firstPosition, entries };
    const before = this.#tail;
    const turn = this.#write({ firstPosition, entries }, before);
    this.#tail = turn;
    return turn;
  }

  async read(fromPosition: number, maxCount: number): Promise<LogSlice<E>> {
    const end = Math.min(fromPosition + maxCount - 1, this.#lastPosition);
    const entries: E[] = [];
    for (let position = fromPosition; position <= end; position++) entries.push(this.#get(position));
    return { firstPosition: fromPosition, entries };
  }

  subscribe(listener: (slice: LogSlice<E>) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async trim(beforePosition: number): Promise<void> {
    const end = Math.min(beforePosition, this.#lastPosition);
    await this.#database.batch(() => {
      for (let position = this.#firstPosition; position < end; position++)
        void this.#database.remove(position);
    });
    this.#firstPosition = Math.max(this.#firstPosition, end);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#tail.catch(() => undefined);
    await this.#database.close();
  }

  #stamp(draft: E): E {
    this.#nextPosition++;
    if (draft.timeMs >= this.#lastMs) {
      this.#lastMs = draft.timeMs;
      return draft;
    }
    return { ...draft, timeMs: this.#lastMs };
  }

  async #write(slice: LogSlice<E>, before: Promise<unknown>): Promise<LogSlice<E>> {
    this.#inFlightCount++;
    try {
      const puts = slice.entries.map((entry, index) =>
        this.#database.put(slice.firstPosition + index, encode(entry)),
      );
      await Promise.all(puts);
      await this.#database.flushed;
      await before;
    } catch (cause) {
      this.#isBroken = true;
      throw cause instanceof TocsinError ? cause : unavailable(cause);
    } finally {
      this.#inFlightCount--;
      if (this.#isBroken && this.#inFlightCount === 0) await this.#repair();
    }
    this.#lastPosition = slice.firstPosition + slice.entries.length - 1;
    for (const listener of this.#listeners) listener(slice);
    return slice;
  }

  /** After a failure: takes back what no sender was told of, so that positions go on without a gap. */
  async #repair(): Promise<void> {
    try {
      for (const position of this.#database.getKeys({ start: this.#lastPosition + 1 })) {
        await this.#database.remove(position);
      }
      this.#nextPosition = this.#lastPosition + 1;
      this.#tail = Promise.resolve();
      this.#isBroken = false;
    } catch {
      // The disk still refuses. Appends go on being refused; the process must be restarted once there is room.
    }
  }

  #get(position: number): E {
    const bytes = this.#database.get(position);
    if (!bytes) throw new TocsinError('TOC_LOG_CORRUPT', `the log has no entry at position ${position}`);
    try {
      return decode(bytes) as E;
    } catch (cause) {
      throw new TocsinError('TOC_LOG_CORRUPT', `the entry at position ${position} cannot be read`, { cause });
    }
  }
}

function unavailable(cause?: unknown): TocsinError {
  return new TocsinError('TOC_LOG_UNAVAILABLE', 'the log could not be written', { cause });
}
