import { Cluster, Redis, type ClusterOptions, type RedisOptions } from 'ioredis';
import { TocsinError } from '../engine/index.ts';
import type { RedisConfig } from './redis-config.ts';
import type { RedisArgument, RedisConnection } from './redis-connection.ts';
import { readSecrets, type RedisSecrets } from './redis-files.ts';
import type { RedisScript } from './redis-script.ts';

const defaultPort = 6379;
const defaultSentinelPort = 26_379;
const longestReconnectMs = 1000;
/** How long a server that is left may take to say goodbye. */
const leaveMs = 100;

type Client = Redis | Cluster;
type ScriptCall = (...args: RedisArgument[]) => Promise<unknown>;

/** As `connectRedis`. */
export async function openConnection(config: RedisConfig, name: string): Promise<RedisConnection> {
  const client = createClient(config, name);
  const connection = new IoredisConnection(client, config);
  try {
    await connection.ready(config.connect_timeout);
  } catch (error) {
    await connection.close();
    throw error;
  }
  return connection;
}

class IoredisConnection implements RedisConnection {
  readonly keyPrefix: string;
  readonly #client: Client;
  readonly #where: string;
  readonly #timeoutMs: number;
  readonly #scripts = new Map<RedisScript, ScriptCall>();
  /** Why there is no connection. */
  #lastError: unknown;
  #isClosed = false;

  constructor(client: Client, config: RedisConfig) {
    this.#client = client;
    this.#where = placesOf(config).join(', ');
    this.#timeoutMs = config.command_timeout;
    this.keyPrefix = config.key_prefix;
    // Each command that waits for a connection listens.
    client.setMaxListeners(0);
    client.on('error', (error: unknown) => {
      this.#lastError = error;
    });
    client.on('node error', (error: unknown) => {
      this.#lastError = error;
    });
    client.on('ready', () => {
      this.#lastError = undefined;
    });
  }

  send(command: string, key: string, ...args: readonly RedisArgument[]): Promise<unknown> {
    return this.#bounded(() => this.#client.callBuffer(command, [key, ...args.map(argumentOf)]));
  }

  run(script: RedisScript, keys: readonly string[], args: readonly RedisArgument[]): Promise<unknown> {
    return this.#bounded(() => this.#call(script)(...keys, ...args.map(argumentOf)));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#client.disconnect();
  }

  /** Resolves once commands can be sent; rejects when that takes longer than `maxMs`. */
  async ready(maxMs: number): Promise<void> {
    if (this.#client.status === 'ready') return;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => resolve(false), maxMs);
    const onReady = (): void => resolve(true);
    const onEnd = (): void => resolve(false);
    this.#client.once('ready', onReady).once('end', onEnd);
    const isReady = await promise;
    clearTimeout(timer);
    this.#client.off('ready', onReady).off('end', onEnd);
    if (!isReady) throw this.#unavailable(this.#lastError ?? new Error(`no connection within ${maxMs} ms`));
  }

  /**
   * Waits for a connection and for the answer, `timeoutMs` in all. A server that does not answer is left, so that the client looks for it,
   * or for its successor, anew. INVARIANT: nothing is queued without a connection, so that what was
   * given up is not sent later, and what waits for a lost server takes no memory.
   */
  async #bounded<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isClosed) throw this.#unavailable(new Error('the connection is closed'));
    const endMs = performance.now() + this.#timeoutMs;
    await this.ready(this.#timeoutMs);
    const { promise, reject } = Promise.withResolvers<never>();
    const giveUp = (): void => {
      reject(new Error(`no answer within ${this.#timeoutMs} ms`));
      // INVARIANT: only a connection that stands is left. To stop the client while it connects would end it for good.
      if (this.#client instanceof Redis && this.#client.status === 'ready') this.#client.disconnect(true);
    };
    const timer = setTimeout(giveUp, Math.max(1, endMs - performance.now()));
    try {
      return await Promise.race([work(), promise]);
    } catch (cause) {
      throw this.#unavailable(cause);
    } finally {
      clearTimeout(timer);
    }
  }

  #call(script: RedisScript): ScriptCall {
    let call = this.#scripts.get(script);
    if (!call) {
      this.#client.defineCommand(script.name, { lua: script.lua, numberOfKeys: script.keyCount });
      const commands = this.#client as unknown as Record<string, ScriptCall>;
      const defined = commands[`${script.name}Buffer`]!;
      call = (...args) => defined.apply(this.#client, args);
      this.#scripts.set(script, call);
    }
    return call;
  }

  #unavailable(cause: unknown): TocsinError {
    const reason = cause instanceof Error ? `: ${cause.message}` : '';
    return new TocsinError('TOC_STORE_UNAVAILABLE', `Redis at ${this.#where} cannot be used${reason}`, {
      cause,
    });
  }
}

function createClient(config: RedisConfig, name: string): Client {
  const { url, sentinels, master_name, nodes } = config;
  const secrets = renewedSecrets(config);
  const common = commonOptions(config, secrets(), name);
  if (nodes) {
    const options: ClusterOptions = {
      clusterRetryStrategy: reconnectMs,
      enableOfflineQueue: false,
      slotsRefreshTimeout: config.connect_timeout,
      // A name would be resolved to an address, which the certificate of the server need not hold.
      ...(common.tls ? { dnsLookup: (address, done) => done(null, address) } : {}),
      // Of a node that does not answer its connection alone is given up.
      redisOptions: withRenewedSecrets({ ...common, socketTimeout: config.command_timeout }, secrets),
    };
    return new Cluster(
      nodes.map((node) => addressOf(node, defaultPort)),
      options,
    );
  }
  const options: RedisOptions = {
    ...common,
    db: config.db,
    enableOfflineQueue: false,
    disconnectTimeout: leaveMs,
    retryStrategy: (attempt) => {
      Object.assign(client.options, secretOptions(secrets()));
      return reconnectMs(attempt);
    },
    ...(sentinels && master_name !== undefined
      ? {
          name: master_name,
          sentinels: sentinels.map((sentinel) => addressOf(sentinel, defaultSentinelPort)),
          sentinelRetryStrategy: reconnectMs,
          sentinelCommandTimeout: config.command_timeout,
          ...(config.sentinel_user === undefined ? {} : { sentinelUsername: config.sentinel_user }),
        }
      : addressOf(url?.replace(/^rediss?:\/\//, '').replace(/\/$/, '') ?? '', defaultPort)),
  };
  const client: Redis = new Redis(options);
  return client;
}

function commonOptions(config: RedisConfig, secrets: RedisSecrets, name: string): RedisOptions {
  return {
    connectionName: name,
    connectTimeout: config.connect_timeout,
    // Of the commands with which the client itself begins a connection: a server that takes connections may still not answer.
    commandTimeout: config.command_timeout,
    // What was under way when a connection broke is rejected, never sent again behind the back of whoever sent it.
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    keepAlive: 30_000,
    // A master that has become a replica refuses writes and keeps its connections: look for the new one.
    reconnectOnError: (error) => error.message.startsWith('READONLY '),
    ...(config.user === undefined ? {} : { username: config.user }),
    ...secretOptions(secrets),
  };
}

function secretOptions({ tls, ...passwords }: RedisSecrets): RedisOptions {
  return { ...passwords, ...(tls ? { tls, sentinelTLS: tls, enableTLSForSentinelMode: true } : {}) };
}

/** For Redis Cluster, whose client reads the options anew for each node that it connects to. */
function withRenewedSecrets(options: RedisOptions, secrets: () => RedisSecrets): RedisOptions {
  for (const key of ['password', 'tls'] as const)
    if (options[key] !== undefined)
      Object.defineProperty(options, key, { enumerable: true, get: () => secrets()[key] });
  return options;
}

/** Files that have become unreadable leave the last secrets in use: the server decides whether they still hold, and says so. */
function renewedSecrets(config: RedisConfig): () => RedisSecrets {
  let last = readSecrets(config);
  return () => {
    try {
      last = readSecrets(config);
    } catch {
      return last;
    }
    return last;
  };
}

function reconnectMs(attempt: number): number {
  return Math.min(50 * 2 ** Math.min(attempt, 10), longestReconnectMs);
}

function argumentOf(argument: RedisArgument): string | number | Buffer {
  return argument instanceof Uint8Array
    ? Buffer.from(argument.buffer, argument.byteOffset, argument.byteLength)
    : argument;
}

function placesOf({ url, sentinels, nodes }: RedisConfig): readonly string[] {
  return sentinels ?? nodes ?? [url ?? ''];
}

function addressOf(place: string, port: number): { host: string; port: number } {
  const { hostname, port: given } = new URL(`redis://${place}`);
  return { host: hostname.replaceAll(/^\[|\]$/g, ''), port: given === '' ? port : Number(given) };
}
