import { setTimeout as sleep } from 'node:timers/promises';
import type { HistoryRow, HistorySink, TocsinError } from '../engine/index.ts';
import { Backlog } from './backlog.ts';
import type { HistoryDatabase } from './database.ts';
import { encodeRow } from './encode-row.ts';
import { backoffMs, insertRows } from './insert-rows.ts';
import { RowQueue, type QueuedRow } from './row-queue.ts';
import type { RowBatch } from './spill-segment.ts';
import { Spill } from './spill.ts';
import { withinMs } from './within.ts';

/**
 * Why a row is not in the history: it did not fit into the buffer or on the disk's share, the disk did not give it back, the
 * engine refused it, or the writer was closed first.
 */
export type DropReason = 'buffer_full' | 'spill_full' | 'spill_corrupt' | 'refused' | 'closed';

export interface HistoryWriterOptions {
  /** Tells the rows of several partitions apart in one history. */
  readonly partition: string;
  readonly flushIntervalMs: number;
  readonly maxBatchRows: number;
  readonly maxBufferedRows: number;
  readonly maxBufferedBytes: number;
  /** Where rows wait on the disk while the history does not answer; they wait in memory when absent. */
  readonly spill?: { readonly folder: string; readonly maxBytes: number } | undefined;
  /** Called with each loss. `error` says why the engine refused a row. */
  readonly onDropped: (count: number, reason: DropReason, error?: TocsinError) => void;
  /** Called after each failed attempt, before the next. */
  readonly onRetry?: (error: TocsinError, attempt: number) => void;
  /** The disk did not take rows, or did not give them back. They wait where they are. */
  readonly onSpillFailure?: (error: unknown) => void;
  /** Called when rows begin to wait on the disk, and when the last of them is in the history. */
  readonly onBacklog?: (isWaiting: boolean) => void;
}

/** Keeps one insert's work on this thread to a few milliseconds. */
const maxBatchBytes = 4 * 1024 * 1024;
/** How long `close` waits for an attempt that is on its way when its time is up. */
const lastAttemptMs = 1_000;

/**
 * Writes rows to the history in batches, in the order in which they came. Never throws at its caller: while the history does
 * not answer, rows wait on the disk or in memory up to a bound, then the oldest are dropped and counted. A row may be written
 * twice, which its id makes harmless.
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
  #backlog: Backlog | null = null;

  constructor(database: HistoryDatabase, options: HistoryWriterOptions) {
    this.#database = database;
    this.#options = options;
  }

  /**
   * As the constructor, and takes up the rows that an earlier process has left on the disk. Where the spill can't be opened,
   * which `onSpillFailure` is told, rows wait in memory.
   */
  static async open(database: HistoryDatabase, options: HistoryWriterOptions): Promise<HistoryWriter> {
    const writer = new HistoryWriter(database, options);
    if (!options.spill) return writer;
    try {
      const spill = await Spill.open({ ...options.spill, onDropped: options.onDropped });
      writer.#backlog = new Backlog(database, spill, {
        maxBatchRows: options.maxBatchRows,
        maxBatchBytes,
        onRefused: (error) => options.onDropped(1, 'refused', error),
        onRetry: options.onRetry,
        onFailure: options.onSpillFailure,
        onChange: options.onBacklog,
      });
    } catch (error) {
      options.onSpillFailure?.(error);
    }
    return writer;
  }

  /** Rows that are not yet in the history, in memory or on the disk. */
  get pendingCount(): number {
    return this.#queue.length + this.#inFlightCount + this.spilledCount;
  }

  /** Those of them that wait on the disk. */
  get spilledCount(): number {
    return this.#backlog?.rowCount ?? 0;
  }

  /** What they take of it. */
  get spilledBytes(): number {
    return this.#backlog?.bytes ?? 0;
  }

  /** Takes the rows of another partition. */
  sinkOf(partition: string): HistorySink {
    return { write: (rows) => this.#write(rows, partition), flushed: () => this.flushed() };
  }

  /** Queues rows. Costs their encoding; the writing happens later. */
  write(rows: readonly HistoryRow[]): void {
    this.#write(rows, this.#options.partition);
  }

  #write(rows: readonly HistoryRow[], partition: string): void {
    if (rows.length === 0) return;
    if (this.#stop.signal.aborted) {
      this.#options.onDropped(rows.length, 'closed');
      return;
    }
    for (const row of rows) {
      this.#queue.push({ table: row.table, line: encodeRow(row, partition) });
    }
    this.#writtenCount += rows.length;
    this.#dropOverflow();
    this.#schedule();
  }

  /** Resolves when every row given to `write` so far is durable, in the history or on the disk, or was dropped and reported. */
  flushed(): Promise<void> {
    if (this.#settledThrough >= this.#writtenCount) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiters.push({ count: this.#writtenCount, resolve });
    this.#pumpThrough(this.#writtenCount);
    return promise;
  }

  /**
   * Writes what is left, for at most `graceMs`; the rest goes to the disk, or is dropped where there is no spill. The database
   * stays open.
   */
  async close(graceMs: number): Promise<void> {
    await withinMs(this.flushed(), graceMs);
    this.#stop.abort();
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#backlog && this.#queue.length > 0) {
      const rest = this.#queue.take(Infinity, Infinity);
      if (!(await this.#spill(batchesOf(rest)))) this.#reportDropped(rest.length, 'closed');
    }
    this.#drop(this.#queue.length, 'closed');
    if (this.#pumping) await withinMs(this.#pumping, lastAttemptMs);
    await this.#backlog?.close();
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
      await this.#keep(batchesOf(batch));
      this.#batchStart = null;
      this.#inFlightCount = 0;
      this.#resolveWaiters();
    }
  }

  /** Resolves when each row is in the history, on the disk, or dropped. */
  async #keep(batches: readonly RowBatch[]): Promise<void> {
    for (const [index, batch] of batches.entries()) {
      // A server that is known to be away is not asked by each batch anew.
      if (this.#backlog?.isEmpty === false && (await this.#spill(batches.slice(index)))) return;
      await insertRows(this.#database, batch, {
        onRefused: (error) => this.#options.onDropped(1, 'refused', error),
        impatience: this.#backlog ? this.#stop.signal : undefined,
        onUnavailable: (error, attempt, rest) => this.#keepElsewhere(error, attempt, rest),
      });
      this.#inFlightCount -= batch.lines.length;
    }
  }

  async #keepElsewhere(error: TocsinError, attempt: number, batch: RowBatch): Promise<boolean> {
    if (await this.#spill([batch])) return true;
    if (!this.#stop.signal.aborted) {
      this.#options.onRetry?.(error, attempt);
      await this.#pause(backoffMs(attempt));
    }
    if (!this.#stop.signal.aborted) return false;
    this.#options.onDropped(batch.lines.length, 'closed');
    return true;
  }

  /** Whether the rows are on the disk. */
  async #spill(batches: readonly RowBatch[]): Promise<boolean> {
    if (!this.#backlog) return false;
    try {
      await this.#backlog.add(batches);
      return true;
    } catch (error) {
      this.#options.onSpillFailure?.(error);
      return false;
    }
  }

  async #pause(lengthMs: number): Promise<void> {
    await sleep(lengthMs, undefined, { signal: this.#stop.signal }).catch(() => undefined);
  }

  #dropOverflow(): void {
    const { maxBufferedRows, maxBufferedBytes } = this.#options;
    let count = Math.min(this.#queue.length + this.#inFlightCount - maxBufferedRows, this.#queue.length);
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

function batchesOf(rows: readonly QueuedRow[]): RowBatch[] {
  return [...Map.groupBy(rows, ({ table }) => table)].map(([table, of]) => ({
    table,
    lines: of.map(({ line }) => line),
  }));
}
