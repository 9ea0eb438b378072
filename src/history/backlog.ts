import { setTimeout as sleep } from 'node:timers/promises';
import type { TocsinError } from '../engine/index.ts';
import type { HistoryDatabase } from './database.ts';
import { backoffMs, insertRows } from './insert-rows.ts';
import type { RowBatch } from './spill-segment.ts';
import type { Spill } from './spill.ts';

export interface BacklogOptions {
  readonly maxBatchRows: number;
  readonly maxBatchBytes: number;
  readonly onRefused: (error: TocsinError) => void;
  /** Called after each failed attempt, before the next. */
  readonly onRetry?: ((error: TocsinError, attempt: number) => void) | undefined;
  /** The disk does not give back what was written to it. */
  readonly onFailure?: ((error: unknown) => void) | undefined;
  /** Called when rows begin to wait on the disk, and when the last of them is in the history. */
  readonly onChange?: ((isWaiting: boolean) => void) | undefined;
}

/** How long a disk that could not be read is left alone. */
const unreadablePauseMs = 30_000;

/**
 * Rows that wait on the disk for a server that is away, those of an earlier process first. It sends them in their order, in as few inserts
 * as if they had come at once, and tries again for as long as it takes.
 */
export class Backlog {
  readonly #database: HistoryDatabase;
  readonly #spill: Spill;
  readonly #options: BacklogOptions;
  readonly #stop = new AbortController();
  #sending: Promise<void> | null = null;

  constructor(database: HistoryDatabase, spill: Spill, options: BacklogOptions) {
    this.#database = database;
    this.#spill = spill;
    this.#options = options;
    if (!this.isEmpty) this.#send();
  }

  get isEmpty(): boolean {
    return this.rowCount === 0;
  }

  get rowCount(): number {
    return this.#spill.rowCount;
  }

  get bytes(): number {
    return this.#spill.bytes;
  }

  /** Resolves when the rows are on the disk. Rejects with what the file system says. */
  async add(batches: readonly RowBatch[]): Promise<void> {
    await this.#spill.append(batches);
    this.#send();
  }

  /** Sends nothing more; what is left stays on the disk. Does not wait for a server that keeps silent. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#sending;
    await this.#spill.close();
  }

  #send(): void {
    if (this.#sending || this.#stop.signal.aborted || this.isEmpty) return;
    this.#options.onChange?.(true);
    this.#sending = this.#sendAll()
      .catch(async (error: unknown) => {
        this.#options.onFailure?.(error);
        await this.#pause(unreadablePauseMs);
      })
      .finally(() => {
        this.#sending = null;
        if (this.isEmpty) this.#options.onChange?.(false);
        else this.#send();
      });
  }

  async #sendAll(): Promise<void> {
    const { maxBatchRows, maxBatchBytes } = this.#options;
    while (!this.#stop.signal.aborted) {
      const batches = await this.#spill.peek(maxBatchRows, maxBatchBytes);
      if (batches.length === 0) return;
      for (const batch of batches) await this.#insert(batch);
      if (this.#stop.signal.aborted) return;
      await this.#spill.take();
    }
  }

  #insert(batch: RowBatch): Promise<void> {
    const { signal } = this.#stop;
    return insertRows(this.#database, batch, {
      onRefused: this.#options.onRefused,
      impatience: signal,
      onUnavailable: async (error, attempt) => {
        if (signal.aborted) return true;
        this.#options.onRetry?.(error, attempt);
        await this.#pause(backoffMs(attempt));
        return signal.aborted;
      },
    });
  }

  async #pause(lengthMs: number): Promise<void> {
    await sleep(lengthMs, undefined, { signal: this.#stop.signal }).catch(() => undefined);
  }
}
