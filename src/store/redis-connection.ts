import type { RedisConfig } from './redis-config.ts';
import type { RedisScript } from './redis-script.ts';

export type RedisArgument = string | number | Uint8Array;

/**
 * A connection to Redis, shared by all who work over it in this process. Bulk strings of answers are Buffers.
 *
 * Everything rejects with TOC_STORE_UNAVAILABLE when the server refuses, does not answer in time or cannot be reached. A command that was
 * given up may still have been carried out, or may be yet: what is written must bear that.
 */
export interface RedisConnection {
  /** What the names of all keys begin with. */
  readonly keyPrefix: string;
  send(command: 'hget' | 'hmget' | 'hscan', key: string, ...args: readonly RedisArgument[]): Promise<unknown>;
  /** Runs a script, which is one atomic command. Its keys share a hash tag. */
  run(script: RedisScript, keys: readonly string[], args: readonly RedisArgument[]): Promise<unknown>;
  close(): Promise<void>;
}

/**
 * Connects to Redis and reconnects for ever afterwards; whoever asked closes the connection. `name` is what the server's operators see
 * of it. Passwords and certificates are read now and again whenever the client reconnects, so that those that are renewed are taken up.
 * Rejects with TOC_CONFIG_UNREADABLE or TOC_CONFIG_INVALID when a file cannot be read or does not hold what it should, and with
 * TOC_STORE_UNAVAILABLE when no server answers or takes the credentials.
 *
 * The client is loaded only where it is used.
 */
export async function connectRedis(config: RedisConfig, name: string): Promise<RedisConnection> {
  const { openConnection } = await import('./redis-client.ts');
  return openConnection(config, name);
}
