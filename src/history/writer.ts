import { setTimeout as sleep } from 'node:timers/promises';
import { TocsinError, type HistoryRow, type HistorySink } from '../engine/index.ts';
import type { HistoryDatabase } from './database.ts';
import { encodeRow } from './encode-row.ts';
import { RowQueue } from './row-queue.ts';

/** Why a row is not in the history: it did not fit into the buffer, the engine refused it, or the writer was closed first. */
export type DropReason = 'buffer_full' | 'refused' | 'closed';

export interface HistoryWriterOptions {
  /** Tells the rows of several partitions apart in one history. */
  readonly partition: string;
  readonly flushIntervalMs: number;
  readonly maxBatchRows: number;
  readonly maxBufferedRows: number;
  readonly maxBufferedBytes: number;
  /** Called with each loss. `error` says why the engine refused a row. */
  readonly onDropped: (count: number, reason: DropReason, error?: TocsinError) => void;
  /** Called after each failed attempt, before the next. */
  readonly onRetry?: (error: TocsinError, attempt: number) => void;
}

const firstBackoffMs = 200;
const longestBackoffMs = 30_000;
/** Keeps one insert's work on this thread to a few milliseconds. */
const maxBatchBytes = 4 * 1024 * 1024;
/** How long `close` waits for an attempt that is on its way when its time is up. */
const lastAttemptMs = 1_000;

/**
 * Writes rows to the history in batches, in the order in which they came. Never throws at its caller: while the history does
 * not answer, rows wait in memory up to a bound, then the oldest are dropped and counted. A row may be written twice, which
 * its id makes harmless.
 */
export class HistoryWriter implements HistorySink {
  readonly #database: HistoryDatabase;
  readonly #options: HistoryWriterOptions;
  readonly #queue = new RowQueue();
  readonly #stop = new AbortController();
  /** Rows ever given to `write`. The last `#queue.length` of them are queued. */
  #writtenCount = 0;
  /** Rows taken from the queue and not yet written or dropped; `#batchStart` is the number of rows before them. */
  #inFlightCount = 0;
  #batchStart: number | null = null;
  /** Rows up to this number are to be written without waiting for more. */
  #wantedCount = 0;
  #waiters: { readonly count: number; readonly resolve: () => void }[] = [];
  #timer: NodeJS.Timeout | null = null;
  #pumping: Promise<void> | null = null;

  constructor(database: HistoryDatabase, options: HistoryWriterOptions) {
    this.#database = database;
    this.#options = options;
  }

  /** Rows that are not yet in the history. */
  get pendingCount(): number {
    return this.#queue.length + this.#inFlightCount;
  }

  /** Queues rows. Costs their encoding; the writing happens later. */
  write(rows: readonly HistoryRow[]): void {
    if (rows.length === 0) return;
    if (this.#stop.signal.aborted) {
      this.#options.onDropped(rows.length, 'closed');
      return;
    }
    for (const row of rows) {
      this.#queue.push({ table: row.table, line: encodeRow(row, this.#options.partition) });
    }
    this.#writtenCount += rows.length;
    this.#dropOverflow();
    this.#schedule();
  }

  /** Resolves when every row given to `write` so far is durable in the history, or was dropped and reported. */
  flushed(): Promise<void> {
    if (this.#settledThrough >= this.#writtenCount) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiters.push({ count: this.#writtenCount, resolve });
    this.#pumpThrough(this.#writtenCount);
    return promise;
  }

  /** Writes what is left, for at most `graceMs`, then drops the rest. The database stays open. */
  async close(graceMs: number): Promise<void> {
    await withinMs(this.flushed(), graceMs);
    this.#stop.abort();
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#drop(this.#queue.length, 'closed');
    if (this.#pumping) await withinMs(this.#pumping, lastAttemptMs);
  }

  /** How many rows, from the first ever on, are durable or dropped without a gap. */
  get #settledThrough(): number {
    return this.#batchStart ?? this.#writtenCount - this.#queue.length;
  }

  #schedule(): void {
    if (this.#queue.length >= this.#options.maxBatchRows) this.#pumpThrough(this.#wantedCount);
    else if (this.#queue.length > 0 && !this.#stop.signal.aborted) {
      this.#timer ??= setTimeout(() => {
        this.#timer = null;
        this.#pumpThrough(this.#writtenCount);
      }, this.#options.flushIntervalMs);
    }
  }

  #pumpThrough(count: number): void {
    this.#wantedCount = Math.max(this.#wantedCount, count);
    this.#pumping ??= this.#pump().finally(() => {
      this.#pumping = null;
      this.#schedule();
    });
  }

  async #pump(): Promise<void> {
    const { maxBatchRows } = this.#options;
    while (!this.#stop.signal.aborted && this.#queue.length > 0) {
      const start = this.#writtenCount - this.#queue.length;
      if (start >= this.#wantedCount && this.#queue.length < maxBatchRows) return;
      const batch = this.#queue.take(maxBatchRows, maxBatchBytes);
      this.#batchStart = start;
      this.#inFlightCount = batch.length;
      for (const [table, rows] of Map.groupBy(batch, (row) => row.table)) {
        const lines = rows.map(({ line }) => line);
        await this.#insert(table, lines);
      }
      this.#batchStart = null;
      this.#resolveWaiters();
    }
  }

  async #insert(table: string, lines: readonly string[]): Promise<void> {
    for (let attempt = 1; !this.#stop.signal.aborted; attempt++) {
      try {
        await this.#database.insert(table, lines);
        this.#inFlightCount -= lines.length;
        return;
      } catch (thrown) {
        const error = asTocsinError(thrown);
        if (error.code === 'TOC_HISTORY_ROW_REFUSED') return this.#insertHalves(table, lines, error);
        this.#options.onRetry?.(error, attempt);
        const backoffMs = Math.min(firstBackoffMs * 2 ** (attempt - 1), longestBackoffMs);
        await sleep(backoffMs, undefined, { signal: this.#stop.signal }).catch(() => undefined);
      }
    }
    this.#inFlightCount -= lines.length;
    this.#options.onDropped(lines.length, 'closed');
  }

  /** Finds the rows that the engine refuses by halving, so that one bad row takes no other with it. */
  async #insertHalves(table: string, lines: readonly string[], error: TocsinError): Promise<void> {
    if (lines.length === 1) {
      this.#inFlightCount -= 1;
      this.#options.onDropped(1, 'refused', error);
      return;
    }
    const middle = lines.length >> 1;
    await this.#insert(table, lines.slice(0, middle));
    await this.#insert(table, lines.slice(middle));
  }

  #dropOverflow(): void {
    const { maxBufferedRows, maxBufferedBytes } = this.#options;
    let count = Math.min(this.pendingCount - maxBufferedRows, this.#queue.length);
    if (count > 0) this.#drop(count, 'buffer_full');
    for (count = 0; this.#queue.bytes > maxBufferedBytes; count++) this.#queue.take(1, Infinity);
    if (count > 0) this.#reportDropped(count, 'buffer_full');
  }

  #drop(count: number, reason: DropReason): void {
    if (count === 0) return;
    this.#queue.take(count, Infinity);
    this.#reportDropped(count, reason);
  }

  #reportDropped(count: number, reason: DropReason): void {
    this.#options.onDropped(count, reason);
    this.#resolveWaiters();
  }

  #resolveWaiters(): void {
    const through = this.#settledThrough;
    const ready = this.#waiters.filter(({ count }) => count <= through);
    if (ready.length === 0) return;
    this.#waiters = this.#waiters.filter(({ count }) => count > through);
    for (const { resolve } of ready) resolve();
  }
}

function asTocsinError(thrown: unknown): TocsinError {
  return thrown instanceof TocsinError
    ? thrown
    : new TocsinError('TOC_HISTORY_UNAVAILABLE', 'the history failed unexpectedly', { cause: thrown });
}

/** Resolves when `work` does, but after `limitMs` at the latest. */
async function withinMs(work: Promise<void>, limitMs: number): Promise<void> {
  const limit = new AbortController();
  await Promise.race([work, sleep(limitMs, undefined, { signal: limit.signal }).catch(() => undefined)]);
  limit.abort();
}
