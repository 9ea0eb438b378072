import { readFile, mkdir } from 'node:fs/promises';
import { Readable } from 'node:stream';
import {
  ClickHouseLogLevel,
  createClient,
  drainStream,
  type ClickHouseClient,
  type ClickHouseClientConfigOptions,
} from '@clickhouse/client';
import { TocsinError } from '../engine/index.ts';
import type { HistoryDatabase, QueryParameter } from './database.ts';
import { migrate } from './migrations.ts';
import { PreparedDatabase } from './prepared-database.ts';

export type HistoryOptions =
  /** The embedded engine on a folder. One process at a time may hold it, and one folder at a time a process. */
  | { readonly path: string }
  /** A ClickHouse server. */
  | {
      readonly url: string;
      readonly user: string;
      readonly passwordFile?: string | undefined;
      readonly database: string;
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
  const database = 'path' in options ? await openEmbedded(options.path) : await openServer(options);
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

async function openEmbedded(path: string): Promise<PreparedDatabase | { readonly missing: string }> {
  const connection = await connectEmbedded(path);
  if ('missing' in connection) return connection;
  const database = new ClickHouseDatabase('embedded', connection);
  return new PreparedDatabase(database, () => migrate(database));
}

async function openServer(options: ServerOptions): Promise<PreparedDatabase> {
  const client = await connectServer(options, options.database);
  const database = new ClickHouseDatabase('server', { client, release: async () => {} });
  return new PreparedDatabase(database, async () => {
    await createDatabase(options);
    await migrate(database);
  });
}

class ClickHouseDatabase implements HistoryDatabase {
  readonly engine: HistoryDatabase['engine'];
  readonly #client: ClickHouseClient;
  readonly #release: () => Promise<void>;
  readonly #running = new Set<Promise<unknown>>();
  #isClosed = false;

  constructor(
    engine: HistoryDatabase['engine'],
    { client, release }: { readonly client: ClickHouseClient; readonly release: () => Promise<void> },
  ) {
    this.engine = engine;
    this.#client = client;
    this.#release = release;
  }

  async insert(table: string, lines: readonly string[]): Promise<void> {
    if (lines.length === 0) return;
    await this.#run(async () => {
      const { stream } = await this.#client.exec({
        query: `INSERT INTO ${table} FORMAT JSONEachRow`,
        values: Readable.from([`${lines.join('\n')}\n`], { objectMode: false }),
      });
      await drainStream(stream);
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
      return result.json<Row>();
    }, 'TOC_HISTORY_QUERY_FAILED');
  }

  async command(statement: string): Promise<void> {
    await this.#run(() => this.#client.command({ query: statement }), 'TOC_HISTORY_QUERY_FAILED');
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await Promise.allSettled(this.#running);
    await this.#client.close();
    await this.#release();
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
      throw wrap(error, refusal);
    } finally {
      this.#running.delete(running);
    }
  }
}

interface EmbeddedConnection {
  readonly client: ClickHouseClient;
  readonly release: () => Promise<void>;
}

async function connectEmbedded(path: string): Promise<EmbeddedConnection | { readonly missing: string }> {
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

type ServerOptions = Extract<HistoryOptions, { url: string }>;

async function connectServer(
  { url, user, passwordFile }: ServerOptions,
  database: string,
): Promise<ClickHouseClient> {
  const password = passwordFile === undefined ? '' : await readPassword(passwordFile);
  return createClient({
    url,
    username: user,
    password,
    database,
    application: 'tocsin',
    use_multipart_params_auto: true,
    log: { level: ClickHouseLogLevel.OFF },
    clickhouse_settings: { output_format_json_quote_64bit_integers: 0 },
  });
}

async function readPassword(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).replace(/\r?\n$/, '');
  } catch (error) {
    throw new TocsinError('TOC_HISTORY_UNAVAILABLE', `history.password_file ${file} can't be read`, {
      cause: error,
    });
  }
}

/** Creates the database where the user may do so; where not, an administrator has. */
async function createDatabase(options: ServerOptions): Promise<void> {
  const client = await connectServer(options, 'default');
  try {
    await client.command({ query: `CREATE DATABASE IF NOT EXISTS ${options.database}` });
  } catch (error) {
    if (answerType(error) !== 'ACCESS_DENIED') {
      throw wrap(error, 'TOC_HISTORY_QUERY_FAILED');
    }
  } finally {
    await client.close();
  }
}

/** What ClickHouse says of rows that it can't read. Everything else that stops an insert may pass, or be put right. */
const rowRefusals =
  /^(CANNOT_PARSE_|CANNOT_READ_|CANNOT_CONVERT_|INCORRECT_DATA$|TYPE_MISMATCH$|ARGUMENT_OUT_OF_BOUND$|VALUE_IS_OUT_OF_RANGE|TOO_LARGE_|ILLEGAL_COLUMN$)/;

/** What ClickHouse says when it is too busy or not whole; asking again later may help. */
const passingTroubles =
  /^(MEMORY_LIMIT_EXCEEDED|TIMEOUT_EXCEEDED|TOO_MANY_|NETWORK_ERROR|SOCKET_TIMEOUT|TABLE_IS_READ_ONLY|KEEPER_EXCEPTION|NOT_ENOUGH_SPACE|ALL_CONNECTION_TRIES_FAILED|NO_ZOOKEEPER|AUTHENTICATION_FAILED|REQUIRED_PASSWORD|UNKNOWN_DATABASE|QUERY_WAS_CANCELLED)/;

function wrap(error: unknown, refusal: 'TOC_HISTORY_ROW_REFUSED' | 'TOC_HISTORY_QUERY_FAILED'): TocsinError {
  if (error instanceof TocsinError) return error;
  const type = answerType(error);
  if (type === null) {
    return new TocsinError('TOC_HISTORY_UNAVAILABLE', "the history can't be reached", { cause: error });
  }
  const isRefused =
    refusal === 'TOC_HISTORY_ROW_REFUSED' ? rowRefusals.test(type) : !passingTroubles.test(type);
  const code = isRefused ? refusal : 'TOC_HISTORY_UNAVAILABLE';
  return new TocsinError(code, `ClickHouse answers ${type}`, { cause: error });
}

/** ClickHouse's own name of the error, such as `UNKNOWN_TABLE`; null when it is not an answer of ClickHouse. */
function answerType(error: unknown): string | null {
  return error instanceof Error && 'type' in error && typeof error.type === 'string' ? error.type : null;
}
