import type { RedisArgument, RedisConnection } from './redis-connection.ts';
import { nowMs, type RedisScript } from './redis-script.ts';
import type { Lease } from './store.ts';

const acquire: RedisScript = {
  name: 'tocsinAcquireLease',
  keyCount: 1,
  lua: `${nowMs}
local owner, durationMs, leastToken, now = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), nowMs(ARGV[4])
local held = redis.call('HMGET', KEYS[1], 'owner', 'token', 'until')
if held[1] and held[1] ~= owner and tonumber(held[3]) > now then return false end
local token = tonumber(held[2] or '0')
if held[1] ~= owner then token = token + 1 end
token = string.format('%.0f', math.max(token, leastToken))
local untilMs = string.format('%.0f', now + durationMs)
redis.call('HSET', KEYS[1], 'owner', owner, 'token', token, 'until', untilMs)
return {owner, token, untilMs, ARGV[2]}`,
};

const read: RedisScript = {
  name: 'tocsinReadLease',
  keyCount: 1,
  lua: `${nowMs}
local held = redis.call('HMGET', KEYS[1], 'owner', 'token', 'until')
if not held[1] then return false end
local leftMs = math.max(0, tonumber(held[3]) - nowMs(ARGV[1]))
return {held[1], held[2], held[3], string.format('%.0f', leftMs)}`,
};

const release: RedisScript = {
  name: 'tocsinReleaseLease',
  keyCount: 1,
  lua: `${nowMs}
local held = redis.call('HMGET', KEYS[1], 'owner', 'until')
if held[1] ~= ARGV[1] then return 'ok' end
local untilMs = math.min(tonumber(held[2]), nowMs(ARGV[2]))
redis.call('HSET', KEYS[1], 'until', string.format('%.0f', untilMs))
return 'ok'`,
};

/** The lease of a partition, which stands under `key`. By the server's clock, unless `nowMs` is a clock for tests. */
export class RedisLease {
  readonly #connection: RedisConnection;
  readonly #key: string;
  readonly #nowMs: (() => number) | undefined;

  constructor(connection: RedisConnection, key: string, nowMs?: () => number) {
    this.#connection = connection;
    this.#key = key;
    this.#nowMs = nowMs;
  }

  async acquire(owner: string, durationMs: number, leastToken: number): Promise<Lease | null> {
    return leaseOf(await this.#run(acquire, owner, durationMs, leastToken, this.#now()));
  }

  async read(): Promise<Lease | null> {
    return leaseOf(await this.#run(read, this.#now()));
  }

  async release(owner: string): Promise<void> {
    await this.#run(release, owner, this.#now());
  }

  #now(): RedisArgument {
    return this.#nowMs?.() ?? '';
  }

  #run(script: RedisScript, ...args: readonly RedisArgument[]): Promise<unknown> {
    return this.#connection.run(script, [this.#key], args);
  }
}

function leaseOf(answer: unknown): Lease | null {
  if (!Array.isArray(answer)) return null;
  const [owner, token, untilMs, leftMs] = answer.map(String);
  return {
    owner: owner ?? '',
    fencingToken: Number(token),
    expiresAtMs: Number(untilMs),
    expiresInMs: Number(leftMs),
  };
}
