import { setTimeout as sleep } from 'node:timers/promises';
import { TocsinError } from '../engine/index.ts';
import type { HistoryDatabase, QueryParameter } from './database.ts';

export interface LaterDatabaseOptions {
  readonly delayMs: number;
  readonly open: () => Promise<HistoryDatabase>;
  readonly onMissing: (error: unknown) => void;
  /** Rows are taken and lost where the database can't be opened; without it they are refused, and their writer keeps them. */
  readonly onLost: ((count: number) => void) | null;
}

/**
 * A database that is opened after a while; calls wait for it. Where it cannot be opened in the end, which `onMissing` is told, rows are taken
 * and lost, which `onLost` counts, and questions reject with TOC_HISTORY_UNAVAILABLE; so do rows where there is no `onLost`.
 */
export class LaterDatabase implements HistoryDatabase {
  readonly engine = 'embedded';
  readonly #hurry = new AbortController();
  readonly #opened: Promise<HistoryDatabase | null>;
  #isClosed = false;

  readonly #onLost: ((count: number) => void) | null;

  constructor({ delayMs, open, onMissing, onLost }: LaterDatabaseOptions) {
    this.#onLost = onLost;
    this.#opened = this.#open(delayMs, open).catch((error: unknown) => {
      onMissing(error);
      return null;
    });
  }

  async insert(table: string, lines: readonly string[]): Promise<void> {
    const database = await this.#opened;
    if (!database && this.#onLost) this.#onLost(lines.length);
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

  async #open(delayMs: number, open: () => Promise<HistoryDatabase>): Promise<HistoryDatabase | null> {
    await sleep(delayMs, undefined, { signal: this.#hurry.signal }).catch(() => undefined);
    return this.#isClosed ? null : open();
  }

  async #required(): Promise<HistoryDatabase> {
    const database = await this.#opened;
    if (database) return database;
    throw new TocsinError('TOC_HISTORY_UNAVAILABLE', 'the history could not be opened');
  }
}
