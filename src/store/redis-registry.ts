import { decode, encode, TocsinError } from '../engine/index.ts';
import type { RedisArgument, RedisConnection } from './redis-connection.ts';
import { partitionKeys } from './redis-keys.ts';
import { RedisLease } from './redis-lease.ts';
import { nowMs, type RedisScript } from './redis-script.ts';
import type { AnnouncedMember, FleetMember, FleetRegistry } from './registry.ts';
import type { Lease, StoreOptions } from './store.ts';

/** Members that one announcement forgets because their time is over. */
const forgetStep = 100;

const announce: RedisScript = {
  name: 'tocsinAnnounceMember',
  keyCount: 2,
  lua: `${nowMs}
local now = nowMs(ARGV[4])
local gone = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', string.format('%.0f', now), 'LIMIT', 0, ${forgetStep})
if #gone > 0 then
  redis.call('HDEL', KEYS[1], unpack(gone))
  redis.call('ZREM', KEYS[2], unpack(gone))
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[2], string.format('%.0f', now + tonumber(ARGV[3])), ARGV[1])
return 'ok'`,
};

const withdraw: RedisScript = {
  name: 'tocsinWithdrawMember',
  keyCount: 2,
  lua: `
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
return 'ok'`,
};

const list: RedisScript = {
  name: 'tocsinListMembers',
  keyCount: 2,
  lua: `${nowMs}
local now = nowMs(ARGV[1])
local found = redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. string.format('%.0f', now), '+inf', 'WITHSCORES')
local members = {}
for index = 1, #found, 2 do
  local member = redis.call('HGET', KEYS[1], found[index])
  if member then members[#members + 1] = {member, string.format('%.0f', tonumber(found[index + 1]) - now)} end
end
return members`,
};

/** The fleet's registry in Redis. The connection stays with whoever opened it. */
export function openRedisRegistry(connection: RedisConnection, options: StoreOptions = {}): FleetRegistry {
  return new RedisRegistry(connection, options);
}

class RedisRegistry implements FleetRegistry {
  readonly #connection: RedisConnection;
  readonly #keys: readonly [members: string, expiries: string];
  readonly #nowMs: (() => number) | undefined;

  constructor(connection: RedisConnection, { nowMs }: StoreOptions) {
    this.#connection = connection;
    const { keyPrefix } = connection;
    this.#keys = [`${keyPrefix}:{members}:announced`, `${keyPrefix}:{members}:expiries`];
    this.#nowMs = nowMs;
  }

  async announce(member: FleetMember, ttlMs: number): Promise<void> {
    const { id, address, attributes } = member;
    await this.#run(announce, id, encode({ id, address, attributes }), ttlMs, this.#now());
  }

  async withdraw(id: string): Promise<void> {
    await this.#run(withdraw, id);
  }

  async members(): Promise<readonly AnnouncedMember[]> {
    const answer = (await this.#run(list, this.#now())) as readonly (readonly [Buffer, Buffer])[];
    return answer
      .map(([bytes, leftMs]) => ({ ...readMember(bytes), expiresInMs: Number(leftMs) }))
      .sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  async leases(partitions: readonly string[]): Promise<ReadonlyMap<string, Lease>> {
    const found = await Promise.all(
      partitions.map(async (partition) => {
        const key = partitionKeys(this.#connection.keyPrefix, partition).lease;
        return [partition, await new RedisLease(this.#connection, key, this.#nowMs).read()] as const;
      }),
    );
    return new Map(
      found.flatMap(([partition, lease]) => (lease && lease.expiresInMs > 0 ? [[partition, lease]] : [])),
    );
  }

  #now(): RedisArgument {
    return this.#nowMs?.() ?? '';
  }

  #run(script: RedisScript, ...args: readonly RedisArgument[]): Promise<unknown> {
    return this.#connection.run(script, this.#keys, args);
  }
}

function readMember(bytes: Buffer): FleetMember {
  try {
    return decode(bytes) as FleetMember;
  } catch (cause) {
    throw new TocsinError('TOC_STORE_CORRUPT', 'a member of the registry cannot be read', { cause });
  }
}
