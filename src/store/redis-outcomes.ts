import { decode, encode, TocsinError, type Fact } from '../engine/index.ts';
import type { Outcome } from './outcome.ts';
import type { RedisConnection } from './redis-connection.ts';
import type { RedisFence } from './redis-fence.ts';
import type { PartitionKeys } from './redis-keys.ts';
import { fenced, isFenced, refuseFenced, type RedisScript } from './redis-script.ts';
import { shortKey } from './short-key.ts';

/** Outcomes that one command forgets. */
const forgetStep = 1000;

const record: RedisScript = {
  name: 'tocsinRecordOutcome',
  keyCount: 3,
  lua: `${isFenced}
if isFenced(KEYS[1], ARGV[1], ARGV[2]) then return '${fenced}' end
redis.call('HSET', KEYS[2], ARGV[3], ARGV[4])
redis.call('ZADD', KEYS[3], ARGV[5], ARGV[3])
return 'ok'`,
};

const forget: RedisScript = {
  name: 'tocsinForgetOutcomes',
  keyCount: 3,
  lua: `${isFenced}
if isFenced(KEYS[1], ARGV[1], ARGV[2]) then return '${fenced}' end
local old = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', '(' .. ARGV[3], 'LIMIT', 0, ${forgetStep})
if #old == 0 then return 0 end
redis.call('HDEL', KEYS[2], unpack(old))
redis.call('ZREM', KEYS[3], unpack(old))
return #old`,
};

/** The delivery log of a partition. */
export class RedisOutcomes {
  readonly #connection: RedisConnection;
  readonly #keys: PartitionKeys;
  readonly #fence: RedisFence;

  constructor(connection: RedisConnection, keys: PartitionKeys, fence: RedisFence) {
    this.#connection = connection;
    this.#keys = keys;
    this.#fence = fence;
  }

  async read(effectId: string): Promise<Fact['outcome'] | undefined> {
    const bytes = await this.#connection.send('hget', this.#keys.outcomes, shortKey(effectId));
    if (!(bytes instanceof Uint8Array)) return undefined;
    try {
      return (decode(bytes) as Outcome).outcome;
    } catch (cause) {
      throw new TocsinError('TOC_STORE_CORRUPT', `the outcome of ${effectId} cannot be read`, { cause });
    }
  }

  async record(effectId: string, outcome: Fact['outcome'], atMs: number): Promise<void> {
    await this.#write(record, shortKey(effectId), encode({ outcome, atMs } satisfies Outcome), atMs);
  }

  async forget(beforeMs: number): Promise<number> {
    let count = 0;
    for (;;) {
      const step = Number(await this.#write(forget, beforeMs));
      count += step;
      if (step < forgetStep) return count;
    }
  }

  async #write(script: RedisScript, ...args: readonly (string | number | Uint8Array)[]): Promise<unknown> {
    const { lease, outcomes, ages } = this.#keys;
    const all = [...this.#fence.args, ...args];
    const answer = await this.#connection.run(script, [lease, outcomes, ages], all);
    refuseFenced(answer);
    return answer;
  }
}
