import { open, type Database, type RootDatabase } from 'lmdb';
import { createHash } from 'node:crypto';
import {
  decode,
  encode,
  TocsinError,
  type Checkpoint,
  type CheckpointDelta,
  type Fact,
} from '../engine/index.ts';
import type { Lease, PartitionStore, StagedCheckpoint } from './store.ts';

type Bytes = Database<Uint8Array, string>;

interface Outcome {
  readonly outcome: Fact['outcome'];
  readonly atMs: number;
}

const headKey = 'head';
const leaseKey = 'lease';

/** Opens the store in the folder `path`, which is created when it is missing. */
export function openLmdbStore(path: string): PartitionStore {
  return new LmdbStore(open<Uint8Array, string>({ path, encoding: 'binary', maxDbs: 4 }));
}

class LmdbStore implements PartitionStore {
  readonly #root: RootDatabase<Uint8Array, string>;
  readonly #rows: Bytes;
  readonly #outcomes: Bytes;
  readonly #meta: Bytes;

  constructor(root: RootDatabase<Uint8Array, string>) {
    this.#root = root;
    this.#rows = root.openDB({ name: 'rows', encoding: 'binary' });
    this.#outcomes = root.openDB({ name: 'outcomes', encoding: 'binary' });
    this.#meta = root.openDB({ name: 'meta', encoding: 'binary' });
  }

  async readCheckpoint(): Promise<Checkpoint | null> {
    const head = this.#meta.get(headKey);
    if (!head) return null;
    const { position, timeMs } = decode(head) as { position: number; timeMs: number };
    const rows: Checkpoint['rows'][number][] = [];
    for (const { value } of this.#rows.getRange()) rows.push(decode(value) as Checkpoint['rows'][number]);
    return { position, timeMs, rows };
  }

  stageCheckpoint({ position, timeMs, changes }: CheckpointDelta): StagedCheckpoint {
    const puts: [string, Uint8Array][] = [];
    const removes: string[] = [];
    for (const change of changes) {
      const key = rowKey(change.table, change.key);
      if (change.value === undefined) removes.push(key);
      else puts.push([key, encode(change)]);
    }
    const head = encode({ position, timeMs });
    return {
      commit: () =>
        this.#guard(async () => {
          await this.#root.batch(() => {
            for (const key of removes) void this.#rows.remove(key);
            for (const [key, bytes] of puts) void this.#rows.put(key, bytes);
            void this.#meta.put(headKey, head);
          });
          await this.#root.flushed;
        }),
    };
  }

  async outcomeOf(effectId: string): Promise<Fact['outcome'] | undefined> {
    const bytes = this.#outcomes.get(effectKey(effectId));
    return bytes && (decode(bytes) as Outcome).outcome;
  }

  async record(effectId: string, outcome: Fact['outcome'], atMs: number): Promise<void> {
    await this.#guard(async () => {
      await this.#outcomes.put(effectKey(effectId), encode({ outcome, atMs } satisfies Outcome));
      await this.#root.flushed;
    });
  }

  async forgetOutcomes(beforeMs: number): Promise<number> {
    const old: string[] = [];
    for (const { key, value } of this.#outcomes.getRange()) {
      if ((decode(value) as Outcome).atMs < beforeMs) old.push(key);
    }
    await this.#guard(async () => {
      await this.#root.batch(() => {
        for (const key of old) void this.#outcomes.remove(key);
      });
    });
    return old.length;
  }

  async acquireLease(owner: string, nowMs: number, durationMs: number): Promise<Lease | null> {
    return this.#guard(() =>
      this.#root.transaction(() => {
        const bytes = this.#meta.get(leaseKey);
        const held = bytes ? (decode(bytes) as Lease) : null;
        if (held && held.owner !== owner && held.expiresAtMs > nowMs) return null;
        const fencingToken = held ? held.fencingToken + (held.owner === owner ? 0 : 1) : 1;
        const lease: Lease = { owner, fencingToken, expiresAtMs: nowMs + durationMs };
        void this.#meta.put(leaseKey, encode(lease));
        return lease;
      }),
    );
  }

  async releaseLease(owner: string): Promise<void> {
    await this.#guard(() =>
      this.#root.transaction(() => {
        const bytes = this.#meta.get(leaseKey);
        const held = bytes ? (decode(bytes) as Lease) : null;
        if (held?.owner === owner) void this.#meta.put(leaseKey, encode({ ...held, expiresAtMs: 0 }));
      }),
    );
  }

  async close(): Promise<void> {
    await this.#root.close();
  }

  async #guard<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      throw new TocsinError('TOC_STORE_UNAVAILABLE', 'the store could not be written', { cause });
    }
  }
}

/** LMDB's keys end at 1978 bytes; longer names are told apart by their digest. What a row is called stands in its value. */
const longestKeyLength = 400;

function rowKey(table: string, key: string): string {
  return shorten(`${table}\u0000${key}`);
}

function effectKey(effectId: string): string {
  return shorten(effectId);
}

function shorten(key: string): string {
  return key.length <= longestKeyLength ? key : createHash('sha256').update(key).digest('hex');
}
