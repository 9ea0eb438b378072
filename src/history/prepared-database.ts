import type { HistoryDatabase, QueryParameter } from './database.ts';

/**
 * A database whose schema is brought up to date before the first call reaches it. When that fails, the call fails and the
 * next one tries again: a server that was down at start is taken into use when it comes up.
 */
export class PreparedDatabase implements HistoryDatabase {
  readonly #database: HistoryDatabase;
  readonly #migrate: () => Promise<unknown>;
  #prepared: Promise<unknown> | null = null;

  constructor(database: HistoryDatabase, migrateSchema: () => Promise<unknown>) {
    this.#database = database;
    this.#migrate = migrateSchema;
  }

  get engine(): HistoryDatabase['engine'] {
    return this.#database.engine;
  }

  async prepare(): Promise<void> {
    const preparing = (this.#prepared ??= this.#migrate());
    try {
      await preparing;
    } catch (error) {
      if (this.#prepared === preparing) this.#prepared = null;
      throw error;
    }
  }

  async insert(table: string, lines: readonly string[]): Promise<void> {
    await this.prepare();
    await this.#database.insert(table, lines);
  }

  async query<Row>(
    statement: string,
    parameters?: Readonly<Record<string, QueryParameter>>,
  ): Promise<readonly Row[]> {
    await this.prepare();
    return this.#database.query<Row>(statement, parameters);
  }

  async command(statement: string): Promise<void> {
    await this.prepare();
    await this.#database.command(statement);
  }

  async close(): Promise<void> {
    await this.#database.close();
  }
}
