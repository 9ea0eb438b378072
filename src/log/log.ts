import type { Appended, Entry, LogSlice, TocsinError } from '../engine/index.ts';

/**
 * The durable, ordered entries of one partition: the only truth and the only clock.
 *
 * - `append` resolves when the entry is on disk (or replicated), in the order of the calls. A draft is encoded at once and belongs
 *   to the log from then on. Rejects with TOC_LOG_UNAVAILABLE (retryable) when nobody can say that it was kept, and the next may
 *   succeed; with TOC_LOG_ENTRY_TOO_LARGE where the log has a limit; with TOC_LOG_CLOSED after `close`.
 * - `subscribe` hands over each slice once it is durable, in order and without gaps, without decoding it again. What is read back
 *   later is equal to it (see `EntryCodec`). Listeners are called synchronously, after `lastPosition` has moved on, and must
 *   neither throw nor change what they get.
 * - `read` gives up to `maxCount` entries from `fromPosition` on; none when that is past the end. Rejects with TOC_LOG_GAP when
 *   an entry is missing, with TOC_LOG_CORRUPT when it cannot be read, and with TOC_LOG_CLOSED after `close`.
 * - `trim` forgets the entries before a position; the newest one stays, so that positions and time go on from it.
 */
export interface PartitionLog<E extends Entry = Entry> {
  /** Position of the oldest entry that is kept; `lastPosition + 1` when there is none. */
  readonly firstPosition: number;
  /** Position of the newest durable entry; 0 when there is none. */
  readonly lastPosition: number;
  /** Time of the newest durable entry; -Infinity when there is none. */
  readonly lastTimeMs: number;
  append(draft: E): Promise<Appended<E>>;
  read(fromPosition: number, maxCount: number): Promise<LogSlice<E>>;
  subscribe(listener: (slice: LogSlice<E>) => void): () => void;
  trim(beforePosition: number): Promise<void>;
  close(): Promise<void>;
}

/**
 * A log that can be copied, entry by entry, to another machine.
 *
 * - `readBytes` gives the entries from `fromPosition` on as they lie there: up to `maxCount`, and no more once they are `maxBytes`
 *   together, but at least one if there is one.
 * - `replicate` appends entries of another copy at the position that they have there, and resolves when they are on disk. A log that
 *   never held an entry may begin at any position. Throws RangeError when a gap would be left.
 * - `reset` forgets everything; the log begins anew.
 */
export interface ReplicaLog<E extends Entry = Entry> extends PartitionLog<E> {
  readBytes(fromPosition: number, maxCount: number, maxBytes: number): Promise<Uint8Array[]>;
  replicate(firstPosition: number, bytes: readonly Uint8Array[]): Promise<void>;
  reset(): Promise<void>;
}

/**
 * The way into a log for who only appends to it. `trouble` says why nothing can be appended at the moment, or any more: with
 * TOC_LOG_REPLACED where the log is another than the one that was opened, which takes nothing from this writer.
 */
export interface LogWriter<E extends Entry = Entry> {
  readonly trouble: TocsinError | null;
  append(draft: E): Promise<Appended<E>>;
  close(): Promise<void>;
}

/** The first entry of a new owner, and the last one of those before; null where there was none. */
export interface TakenOver<E extends Entry = Entry> extends Appended<E> {
  readonly before: E | null;
}

/**
 * A log that many processes write. Anybody appends reports and commands (`alerts`, `command`); what an owner says of the partition
 * (all other kinds) only the one process that has taken it over last.
 *
 * - `takeOver` appends the first entry of a new owner, and fences off the one before: from this entry on nothing is taken from that one any
 *   more, whether it knows of its successor or not. Until it has been called, and after another process has, appends of an owner's kinds
 *   reject with TOC_LOG_FENCED.
 * - `assertOwned` resolves when nobody else had taken the log over `maxAgeMs` ago; where nothing was appended since, it appends `draft` to find
 *   out. Time in which the process stood still counts. Rejects as `append`.
 * - `identity` tells the log from one that was made anew in its place.
 * - `failed` resolves when the log can be followed no further: with TOC_LOG_GAP where entries were taken out that had not been handed over,
 *   with TOC_LOG_REPLACED where the log is another than it was, with TOC_LOG_CORRUPT where an entry cannot be read. Reads and appends reject
 *   with the same from then on.
 * - Servers that do not answer are no failure: reads wait for them, and go on where they were. `trouble` says why the log cannot be
 *   followed at the moment; null while it can.
 */
export interface SharedLog<E extends Entry = Entry> extends PartitionLog<E> {
  readonly identity: string;
  readonly failed: Promise<TocsinError>;
  readonly trouble: TocsinError | null;
  takeOver(draft: E): Promise<TakenOver<E>>;
  assertOwned(maxAgeMs: number, draft: E): Promise<void>;
}
