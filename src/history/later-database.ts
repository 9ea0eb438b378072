import { setTimeout as sleep } from 'node:timers/promises';
import { TocsinError } from '../engine/index.ts';
import type { HistoryDatabase, QueryParameter } from './database.ts';

export interface LaterDatabaseOptions {
  readonly delayMs: number;
  readonly open: () => Promise<HistoryDatabase>;
  readonly onMissing: (error: unknown) => void;
  /**
   * Rows are taken and lost where the database can't be opened; without it they are refused, their writer keeps them, and opening is tried
   * again when it comes again.
   */
  readonly onLost: ((count: number) => void) | null;
  /** The least time between two attempts to open it; 5 s unless said otherwise. */
  readonly retryMs?: number;
}

const defaultRetryMs = 5_000;

/**
 * A database that is opened after a while; calls wait for it. Where it cannot be opened, which `onMissing` is told, rows are taken and lost, which
 * `onLost` counts, and questions reject with TOC_HISTORY_UNAVAILABLE; so do rows where there is no `onLost`.
 */
export class LaterDatabase implements HistoryDatabase {
  readonly engine = 'embedded';
  readonly #hurry = new AbortController();
  readonly #options: LaterDatabaseOptions;
  #opened: Promise<HistoryDatabase | null>;
  /** When it could not be opened, by a clock that is never set. */
  #failedAtMs = Infinity;
  #isClosed = false;

  constructor(options: LaterDatabaseOptions) {
    this.#options = options;
    this.#opened = this.#open(options.delayMs);
  }

  async insert(table: string, lines: readonly string[]): Promise<void> {
    const database = await this.#opened;
    const { onLost } = this.#options;
    if (!database && onLost) onLost(lines.length);
    else await (await this.#required()).insert(table, lines);
  }

  async query<Row>(
    statement: string,
    parameters?: Readonly<Record<string, QueryParameter>>,
  ): Promise<readonly Row[]> {
    return (await this.#required()).query<Row>(statement, parameters);
  }

  async command(statement: string): Promise<void> {
    await (await this.#required()).command(statement);
  }

  /** Resolves when it is open, or known to be missing. */
  get opened(): Promise<unknown> {
    return this.#opened;
  }

  /** Opens it now. */
  hurry(): void {
    this.#hurry.abort();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#hurry.abort();
    await (await this.#opened)?.close();
  }

  async #open(delayMs: number): Promise<HistoryDatabase | null> {
    await sleep(delayMs, undefined, { signal: this.#hurry.signal }).catch(() => undefined);
    if (this.#isClosed) return null;
    try {
      return await this.#options.open();
    } catch (error) {
      this.#failedAtMs = performance.now();
      this.#options.onMissing(error);
      return null;
    }
  }

  async #required(): Promise<HistoryDatabase> {
    const { onLost, retryMs = defaultRetryMs } = this.#options;
    if (onLost === null && performance.now() - this.#failedAtMs >= retryMs) {
      this.#failedAtMs = Infinity;
      this.#opened = this.#open(0);
    }
    const database = await this.#opened;
    if (database) return database;
    throw new TocsinError('TOC_HISTORY_UNAVAILABLE', 'the history could not be opened');
  }
}
