import { mkdir } from 'node:fs/promises';
import { Readable } from 'node:stream';
import {
  ClickHouseLogLevel,
  createClient,
  drainStream,
  type ClickHouseClient,
  type ClickHouseClientConfigOptions,
  type ClickHouseSettings,
} from '@clickhouse/client';
import { TocsinError } from '../engine/index.ts';
import type { HistoryDatabase, QueryParameter } from './database.ts';
import { migrate } from './migrations.ts';
import { checkPlacement, placeStatement } from './placement.ts';
import { PreparedDatabase } from './prepared-database.ts';
import { answerType, asRefusal } from './refusal.ts';
import { serverConnection, type ServerOptions } from './server-connection.ts';
import { applyTtl, type Ttl } from './ttl.ts';
import { withinMs } from './within.ts';

export type HistoryOptions = (
  | /** The embedded engine on a folder. One process at a time may hold it, and one folder at a time a process. */ {
      readonly path: string;
    }
  | ServerOptions
) & {
  /** How long rows are kept. What is set stays as it is when absent. */
  readonly ttl?: Ttl | undefined;
};

export type OpenedHistory =
  | {
      readonly database: HistoryDatabase;
      readonly missing: null;
      /** The server could not be reached yet. The database prepares itself at the first call that gets through. */
      readonly problem: TocsinError | null;
    }
  /** There is no history: no server is configured and the embedded engine is not installed. */
  | { readonly database: null; readonly missing: string; readonly problem: null };

/**
 * Opens the history and brings its schema up to date.
 * Rejects with TOC_HISTORY_UNAVAILABLE when the embedded engine can't take its folder (another process holds it), and with
 * the errors of `migrate`. Loading the embedded engine holds up this thread (0.1 to 0.8 s); later calls don't.
 */
export async function openHistory(options: HistoryOptions): Promise<OpenedHistory> {
  const database = 'path' in options ? await openEmbedded(options) : await openServer(options);
  if ('missing' in database) return { database: null, missing: database.missing, problem: null };
  try {
    await database.prepare();
    return { database, missing: null, problem: null };
  } catch (error) {
    if (database.engine === 'server' && error instanceof TocsinError && error.retryable) {
      return { database, missing: null, problem: error };
    }
    await database.close();
    throw error;
  }
}

async function openEmbedded({
  path,
  ttl,
}: Extract<HistoryOptions, { path: string }>): Promise<PreparedDatabase | { readonly missing: string }> {
  const connection = await connectEmbedded(path);
  if ('missing' in connection) return connection;
  const database = new ClickHouseDatabase('embedded', connection);
  return new PreparedDatabase(database, async () => {
    await migrate(database);
    if (ttl) await applyTtl(database, ttl);
  });
}

async function openServer(options: Extract<HistoryOptions, { url: string }>): Promise<PreparedDatabase> {
  const { placement = {}, ttl } = options;
  const client = await connectServer(options, options.database);
  const database = new ClickHouseDatabase('server', {
    client,
    release: async () => {},
    insertSettings: insertSettings(options),
    commandSettings: commandSettings(options),
  });
  const place = (statement: string): string => placeStatement(statement, placement);
  return new PreparedDatabase(database, async () => {
    await createDatabase(options);
    await checkPlacement(database, placement);
    await migrate(database, { place });
    if (ttl) await applyTtl(database, ttl, place);
  });
}

class ClickHouseDatabase implements HistoryDatabase {
  readonly engine: HistoryDatabase['engine'];
  readonly #client: ClickHouseClient;
  readonly #release: () => Promise<void>;
  readonly #insertSettings: ClickHouseSettings;
  readonly #commandSettings: ClickHouseSettings;
  readonly #running = new Set<Promise<unknown>>();
  #isClosed = false;

  constructor(
    engine: HistoryDatabase['engine'],
    { client, release, insertSettings = {}, commandSettings = {} }: Connected,
  ) {
    this.engine = engine;
    this.#client = client;
    this.#release = release;
    this.#insertSettings = insertSettings;
    this.#commandSettings = commandSettings;
  }

  async insert(table: string, lines: readonly string[]): Promise<void> {
    if (lines.length === 0) return;
    await this.#run(async () => {
      const { stream, response_headers } = await this.#client.exec({
        query: `INSERT INTO ${table} FORMAT JSONEachRow`,
        values: Readable.from([`${lines.join('\n')}\n`], { objectMode: false }),
        clickhouse_settings: this.#insertSettings,
      });
      await drainStream(stream);
      this.#assertAnswered(response_headers);
    }, 'TOC_HISTORY_ROW_REFUSED');
  }

  query<Row>(
    statement: string,
    parameters: Readonly<Record<string, QueryParameter>> = {},
  ): Promise<readonly Row[]> {
    return this.#run(async () => {
      const result = await this.#client.query({
        query: statement,
        query_params: parameters,
        format: 'JSONEachRow',
      });
      this.#assertAnswered(result.response_headers);
      return result.json<Row>();
    }, 'TOC_HISTORY_QUERY_FAILED');
  }

  async command(statement: string): Promise<void> {
    await this.#run(async () => {
      const { response_headers } = await this.#client.command({
        query: statement,
        clickhouse_settings: this.#commandSettings,
      });
      this.#assertAnswered(response_headers);
    }, 'TOC_HISTORY_QUERY_FAILED');
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const settled = Promise.allSettled(this.#running);
    // A server that keeps silent is not waited for: closing the client ends what is under way. The engine in here can't be left.
    if (this.engine === 'server') await withinMs(settled, lastAnswerMs);
    else await settled;
    await this.#client.close();
    await this.#release();
  }

  /** INVARIANT: rows count as kept only by an answer of ClickHouse. A proxy in its place may answer 200 to anything. */
  #assertAnswered(headers: Readonly<Record<string, unknown>>): void {
    if (this.engine === 'embedded') return;
    if (Object.keys(headers).some((name) => name.toLowerCase().startsWith('x-clickhouse-'))) return;
    throw new TocsinError('TOC_HISTORY_UNAVAILABLE', 'what answers at history.url is no ClickHouse server');
  }

  async #run<Result>(
    work: () => Promise<Result>,
    refusal: 'TOC_HISTORY_ROW_REFUSED' | 'TOC_HISTORY_QUERY_FAILED',
  ): Promise<Result> {
    if (this.#isClosed) throw new TocsinError('TOC_HISTORY_UNAVAILABLE', 'the history is closed');
    const running = work();
    this.#running.add(running);
    try {
      return await running;
    } catch (error) {
      throw asRefusal(error, refusal);
    } finally {
      this.#running.delete(running);
    }
  }
}

/** How long a server's last answers are waited for. */
const lastAnswerMs = 1_000;

interface Connected {
  readonly client: ClickHouseClient;
  readonly release: () => Promise<void>;
  readonly insertSettings?: ClickHouseSettings;
  readonly commandSettings?: ClickHouseSettings;
}

async function connectEmbedded(path: string): Promise<Connected | { readonly missing: string }> {
  const modules = await importEmbedded();
  if ('missing' in modules) return modules;
  await mkdir(path, { recursive: true });
  try {
    // The two packages carry the same declaration of a connection, each its own copy.
    const connection = modules.createChdbConnection({ path }) as unknown as Connection;
    const client = createClient({ connection, log: { level: ClickHouseLogLevel.OFF } });
    await client.command({ query: `CREATE DATABASE IF NOT EXISTS ${embeddedDatabase}` });
    await client.command({ query: `USE ${embeddedDatabase}` });
    return { client, release: modules.drainPending };
  } catch (error) {
    const message = `the embedded history can't open ${path}; another process may hold it`;
    throw new TocsinError('TOC_HISTORY_UNAVAILABLE', message, { cause: error });
  }
}

const embeddedDatabase = 'tocsin';

type Connection = NonNullable<ClickHouseClientConfigOptions['connection']>;

type EmbeddedModules = Pick<typeof import('chdb'), 'drainPending'> &
  Pick<typeof import('chdb/connection'), 'createChdbConnection'>;

/** Imports the optional engine. It is missing on platforms without a build, and after an install without optional packages. */
async function importEmbedded(): Promise<EmbeddedModules | { readonly missing: string }> {
  try {
    const [{ drainPending }, { createChdbConnection }] = [
      await import('chdb'),
      await import('chdb/connection'),
    ];
    return { drainPending, createChdbConnection };
  } catch (error) {
    const detail = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    return {
      missing: `no ClickHouse server is configured (history.url) and the embedded engine (package chdb) can't be loaded: ${detail}`,
    };
  }
}

async function connectServer(options: ServerOptions, database: string): Promise<ClickHouseClient> {
  return createClient({
    ...(await serverConnection(options)),
    database,
    log: { level: ClickHouseLogLevel.OFF },
    clickhouse_settings: { output_format_json_quote_64bit_integers: 0 },
  });
}

/**
 * INVARIANT: blocks are not dropped for being equal to an earlier one. A block whose first attempt failed behind the table, in the
 * view that makes bands, would be passed over at the second and never reach the view; rows have ids instead.
 * Said in words either way: a server's profile may have gathering inserts turned on, and then it must be waited for.
 */
function insertSettings({ asyncInsert = false }: ServerOptions): ClickHouseSettings {
  return { insert_deduplicate: 0, async_insert: asyncInsert ? 1 : 0, wait_for_async_insert: 1 };
}

/** Statements of the schema answer when every host of the cluster has, but before the client takes the silence for death. */
function commandSettings({ placement, requestTimeoutMs = 30_000 }: ServerOptions): ClickHouseSettings {
  if (placement?.cluster === undefined) return {};
  return { distributed_ddl_task_timeout: String(Math.max(1, Math.floor((requestTimeoutMs * 0.8) / 1000))) };
}

/** Creates the database where the user may do so; where not, an administrator has. */
async function createDatabase(options: ServerOptions): Promise<void> {
  const client = await connectServer(options, 'default');
  const statement = `CREATE DATABASE IF NOT EXISTS ${options.database}`;
  try {
    await client.command({
      query: placeStatement(statement, options.placement ?? {}),
      clickhouse_settings: commandSettings(options),
    });
  } catch (error) {
    if (answerType(error) !== 'ACCESS_DENIED') throw asRefusal(error, 'TOC_HISTORY_QUERY_FAILED');
  } finally {
    await client.close();
  }
}
