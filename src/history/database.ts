/** A value that may be bound to a `{name:Type}` place of a statement. Times go as texts of `timeColumn`. */
export type QueryParameter = string | number | boolean | null | readonly QueryParameter[];

/**
 * The history's database: the ClickHouse engine in this process or a server. Both run the same statements.
 *
 * Calls may overlap. All reject with a `TocsinError`: TOC_HISTORY_UNAVAILABLE (retryable) when the engine can't be reached
 * or is too busy.
 */
export interface HistoryDatabase {
  readonly engine: 'embedded' | 'server';
  /**
   * Inserts rows given as lines of JSON. Resolves when they are on the engine's disk.
   * Rejects with TOC_HISTORY_ROW_REFUSED when the engine does not take one of them; then none is stored for sure.
   */
  insert(table: string, lines: readonly string[]): Promise<void>;
  /** Rejects with TOC_HISTORY_QUERY_FAILED when the statement is wrong. */
  query<Row>(
    statement: string,
    parameters?: Readonly<Record<string, QueryParameter>>,
  ): Promise<readonly Row[]>;
  /** Runs a statement without a result. Rejects as `query` does. */
  command(statement: string): Promise<void>;
  /** Waits for what runs and lets go of the engine. Calls after that reject. */
  close(): Promise<void>;
}
