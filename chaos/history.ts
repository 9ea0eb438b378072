import { createClient, type ClickHouseClient } from '@clickhouse/client';
import { historyOptions } from '../src/app/history-parts.ts';
import { HistoryWriter, historyConfig, openHistory } from '../src/history/index.ts';
import type { PlainPartition } from './plain.ts';

const fleetDatabase = 'tocsin';
const plainDatabase = 'plain';
const mib = 1024 * 1024;

/** The fleet's history beside that of the plain fold, which is written by the same code into a database of its own. */
export class HistoryComparison {
  readonly #client: ClickHouseClient;

  private constructor(client: ClickHouseClient) {
    this.#client = client;
  }

  static async open(
    url: string,
    plain: readonly PlainPartition[],
    folder: string,
  ): Promise<HistoryComparison> {
    const config = historyConfig.parse({ url, database: plainDatabase });
    const { database, ...rest } = await openHistory(historyOptions(config, folder));
    if (!database) throw new Error(`no history could be made for the comparison: ${JSON.stringify(rest)}`);
    const writer = await HistoryWriter.open(database, {
      partition: '0',
      flushIntervalMs: 100,
      maxBatchRows: 10_000,
      maxBufferedRows: 10_000_000,
      maxBufferedBytes: 4096 * mib,
      onDropped: (count, reason) => {
        throw new Error(`${count} rows of the plain fold were not taken: ${reason}`);
      },
    });
    for (const { partition, rows } of plain) writer.sinkOf(String(partition)).write(rows);
    await writer.flushed();
    await writer.close(60_000);
    await database.close();
    return new HistoryComparison(createClient({ url }));
  }

  async tables(): Promise<string[]> {
    const rows = await this.#query<{ name: string }>(
      `SELECT name FROM system.tables WHERE database = '${plainDatabase}' AND engine LIKE '%MergeTree' AND name NOT LIKE '%migration%' ORDER BY name`,
    );
    return rows.map(({ name }) => name);
  }

  /** Rows that only one of the two has; the same row twice counts too. */
  async difference(
    table: string,
  ): Promise<{ readonly rows: number; readonly missing: string[]; readonly alien: string[] }> {
    const lines = (database: string): string =>
      `SELECT formatRowNoNewline('JSONEachRow', *) AS line FROM ${database}.${table} FINAL`;
    const except = (a: string, b: string): Promise<{ line: string }[]> =>
      this.#query(`SELECT line FROM (${lines(a)} EXCEPT ${lines(b)}) LIMIT 5`);
    const count = async (database: string): Promise<number> =>
      Number((await this.#query<{ n: string }>(`SELECT count() AS n FROM ${database}.${table} FINAL`))[0]?.n);
    const [missing, alien] = [
      await except(plainDatabase, fleetDatabase),
      await except(fleetDatabase, plainDatabase),
    ];
    const [ours, plain] = [await count(fleetDatabase), await count(plainDatabase)];
    if (ours !== plain && missing.length + alien.length === 0)
      alien.push({ line: `${ours} rows, not ${plain}` });
    return { rows: ours, missing: missing.map(({ line }) => line), alien: alien.map(({ line }) => line) };
  }

  /** How often each alert began, or ended, by its label `chaos_id`. */
  async countsOf(change: 'fired' | 'resolved'): Promise<Map<string, number>> {
    const rows = await this.#query<{ id: string; n: string }>(
      `SELECT labels['chaos_id'] AS id, count() AS n FROM ${fleetDatabase}.alerts FINAL WHERE change = '${change}' GROUP BY id`,
    );
    return new Map(rows.map(({ id, n }) => [id, Number(n)]));
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  async #query<Row>(query: string): Promise<Row[]> {
    const result = await this.#client.query({ query, format: 'JSONEachRow' });
    return result.json<Row>();
  }
}
