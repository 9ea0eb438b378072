import type { Entry, LogSlice } from './entry.ts';
import { TocsinError } from './error.ts';
import { weightOf } from './inbox.ts';

/** Entries read at once at most. */
const maxEntries = 64;

interface ReadableLog<E extends Entry> {
  read(fromPosition: number, maxCount: number): Promise<LogSlice<E>>;
}

/** Reads a log on in slices that are about as heavy as a batch may be, judged by the slice before. */
export class LogReader<E extends Entry> {
  readonly #log: ReadableLog<E>;
  readonly #maxWeight: number;
  #count = 1;

  /** `maxWeight` counts reports; see `weightOf`. */
  constructor(log: ReadableLog<E>, maxWeight: number) {
    this.#log = log;
    this.#maxWeight = maxWeight;
  }

  /** Rejects with TOC_LOG_CORRUPT where the log has nothing at `fromPosition`. */
  async read(fromPosition: number): Promise<LogSlice<E>> {
    const slice = await this.#log.read(fromPosition, this.#count);
    const { length } = slice.entries;
    if (length === 0)
      throw new TocsinError('TOC_LOG_CORRUPT', `the log has no entry at position ${fromPosition}`);
    const fitting = Math.floor((this.#maxWeight * length) / weightOf(slice.entries));
    this.#count = Math.min(maxEntries, Math.max(1, fitting));
    return slice;
  }
}
