import {
  TocsinError,
  type Checkpoint,
  type CheckpointDelta,
  type Fact,
  type WholeCheckpoint,
} from '../engine/index.ts';
import { RedisCheckpoint } from './redis-checkpoint.ts';
import type { RedisConnection } from './redis-connection.ts';
import { RedisFence } from './redis-fence.ts';
import { partitionKeys } from './redis-keys.ts';
import { RedisLease } from './redis-lease.ts';
import { RedisOutcomes } from './redis-outcomes.ts';
import type { Lease, PartitionStore, StagedCheckpoint, StoreOptions } from './store.ts';

/**
 * The store of one partition in Redis. Closing it leaves the connection open. What it has taken is as durable as Redis is configured
 * to be: loss costs replay, and effects whose outcome was lost may be carried out again.
 *
 * Beside what every store rejects with, `commit` rejects with TOC_STORE_ROLLED_BACK when Redis has lost a checkpoint that this handle
 * has written or read. It takes no delta then, until `replaceCheckpoint` has written the whole state.
 */
export function openRedisStore(
  connection: RedisConnection,
  partition: string,
  options: StoreOptions = {},
): PartitionStore {
  return new RedisStore(connection, partition, options);
}

class RedisStore implements PartitionStore {
  readonly #fence = new RedisFence();
  readonly #lease: RedisLease;
  readonly #checkpoint: RedisCheckpoint;
  readonly #outcomes: RedisOutcomes;
  #isClosed = false;

  constructor(connection: RedisConnection, partition: string, { nowMs }: StoreOptions) {
    const keys = partitionKeys(connection.keyPrefix, partition);
    this.#lease = new RedisLease(connection, keys.lease, nowMs);
    this.#checkpoint = new RedisCheckpoint(connection, keys, this.#fence);
    this.#outcomes = new RedisOutcomes(connection, keys, this.#fence);
  }

  async readCheckpoint(): Promise<Checkpoint | null> {
    this.#checkOpen();
    return this.#checkpoint.read();
  }

  stageCheckpoint(delta: CheckpointDelta): StagedCheckpoint {
    const staged = this.#checkpoint.stage(delta);
    return {
      commit: async () => {
        this.#checkOpen();
        await staged.commit();
      },
    };
  }

  replaceCheckpoint(): WholeCheckpoint {
    const whole = this.#checkpoint.replace();
    return {
      write: async (rows) => {
        this.#checkOpen();
        await whole.write(rows);
      },
      finish(last) {
        return whole.finish(last);
      },
    };
  }

  async reset(): Promise<void> {
    this.#checkOpen();
    await this.#checkpoint.reset();
  }

  async outcomeOf(effectId: string): Promise<Fact['outcome'] | undefined> {
    this.#checkOpen();
    return this.#outcomes.read(effectId);
  }

  async record(effectId: string, outcome: Fact['outcome'], atMs: number): Promise<void> {
    this.#checkOpen();
    await this.#outcomes.record(effectId, outcome, atMs);
  }

  async forgetOutcomes(beforeMs: number): Promise<number> {
    this.#checkOpen();
    return this.#outcomes.forget(beforeMs);
  }

  async acquireLease(owner: string, durationMs: number, leastToken = 1): Promise<Lease | null> {
    this.#checkOpen();
    const lease = await this.#lease.acquire(owner, durationMs, leastToken);
    if (lease) this.#fence.raise(lease);
    return lease;
  }

  async readLease(): Promise<Lease | null> {
    this.#checkOpen();
    return this.#lease.read();
  }

  async releaseLease(owner: string): Promise<void> {
    this.#checkOpen();
    await this.#lease.release(owner);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new TocsinError('TOC_STORE_UNAVAILABLE', 'the store is closed');
  }
}
