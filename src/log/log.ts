import type { Entry, LogSlice } from '../engine/index.ts';

/**
 * The durable, ordered entries of one partition: the only truth and the only clock.
 *
 * - `append` resolves when the entries are on disk (or replicated), in the order of the calls. It raises `timeMs` where needed so
 *   that time never goes back. Rejects with TOC_LOG_UNAVAILABLE (retryable) when nothing of it was kept for sure, and with
 *   TOC_LOG_CLOSED after `close`.
 * - `subscribe` hands over each slice once it is durable, in order and without gaps, as it was appended; what is read back
 *   later is equal to it. Listeners are called synchronously and must not throw.
 * - `read` gives up to `maxCount` entries from `fromPosition` on; none when that is past the end. Rejects with TOC_LOG_CORRUPT when
 *   an entry is missing or cannot be read.
 * - `trim` forgets the entries before a position.
 */
export interface PartitionLog<E extends Entry = Entry> {
  /** Position of the oldest entry that is kept; `lastPosition + 1` when there is none. */
  readonly firstPosition: number;
  /** Position of the newest durable entry; 0 when there is none. */
  readonly lastPosition: number;
  append(drafts: readonly E[]): Promise<LogSlice<E>>;
  read(fromPosition: number, maxCount: number): Promise<LogSlice<E>>;
  subscribe(listener: (slice: LogSlice<E>) => void): () => void;
  trim(beforePosition: number): Promise<void>;
  close(): Promise<void>;
}
