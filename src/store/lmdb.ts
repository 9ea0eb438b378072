import { open, type Database, type RootDatabase } from 'lmdb';
import {
  decode,
  encode,
  TocsinError,
  type Checkpoint,
  type CheckpointDelta,
  type Fact,
} from '../engine/index.ts';
import { decodeRow, encodeRow, inItsPlace, rowKey } from './checkpoint-row.ts';
import type { Outcome } from './outcome.ts';
import { shortKey } from './short-key.ts';
import type { Lease, PartitionStore, StagedCheckpoint, StoreOptions } from './store.ts';

/** A lease as it is kept. */
type KeptLease = Omit<Lease, 'expiresInMs'>;

const headKey = 'head';
const leaseKey = 'lease';
/** Outcomes that one transaction forgets. */
const forgetStep = 1000;

/**
 * Opens the store in the folder `path`, which is created when it is missing. What it has taken is synced to disk.
 * Throws TOC_STORE_UNAVAILABLE when the folder cannot be used.
 */
export function openLmdbStore(path: string, { nowMs = Date.now }: StoreOptions = {}): PartitionStore {
  try {
    // A commit is over when it is on disk. lmdb's own batching by event turn leaves promises that nobody awaits: a full disk would
    // end the process by an unhandled rejection.
    const root = open<Uint8Array, string>({
      path,
      encoding: 'binary',
      maxDbs: 4,
      overlappingSync: false,
      eventTurnBatching: false,
    });
    return new LmdbStore(root, nowMs);
  } catch (cause) {
    throw new TocsinError('TOC_STORE_UNAVAILABLE', `the store in ${path} cannot be opened`, { cause });
  }
}

class LmdbStore implements PartitionStore {
  readonly #root: RootDatabase<Uint8Array, string>;
  readonly #rows: Database<Uint8Array, string>;
  readonly #outcomes: Database<Uint8Array, string>;
  /** Keys of `#outcomes` by the time of their recording. */
  readonly #ages: Database<Uint8Array, [atMs: number, key: string]>;
  /** The lease stands under its fencing token as version: a write on the condition of a version is a fenced one. */
  readonly #meta: Database<Uint8Array, string>;
  /** The token that this handle took the lease with; what it writes from then on is written under it. */
  #fencingToken: number | null = null;
  readonly #nowMs: () => number;
  #isClosed = false;

  constructor(root: RootDatabase<Uint8Array, string>, nowMs: () => number) {
    this.#root = root;
    this.#nowMs = nowMs;
    this.#rows = root.openDB({ name: 'rows', encoding: 'binary' });
    this.#outcomes = root.openDB({ name: 'outcomes', encoding: 'binary' });
    this.#ages = root.openDB({ name: 'ages', encoding: 'binary' });
    this.#meta = root.openDB({ name: 'meta', encoding: 'binary', useVersions: true });
  }

  readCheckpoint(): Promise<Checkpoint | null> {
    return this.#guard(async () => {
      const head = this.#meta.get(headKey);
      if (!head) return null;
      const { position, timeMs } = decode(head) as { position: number; timeMs: number };
      const rows: Checkpoint['rows'][number][] = [];
      try {
        for (const { value } of this.#rows.getRange()) rows.push(decodeRow(value));
      } catch (cause) {
        throw new TocsinError('TOC_STORE_CORRUPT', 'a row of the checkpoint cannot be read', { cause });
      }
      const { entryCount } = this.#rows.getStats() as { readonly entryCount: number };
      if (rows.length !== entryCount) {
        const found = `the checkpoint has ${rows.length} rows that can be read, of ${entryCount}`;
        throw new TocsinError('TOC_STORE_CORRUPT', found);
      }
      return { position, timeMs, rows };
    });
  }

  stageCheckpoint({ position, timeMs, changes }: CheckpointDelta): StagedCheckpoint {
    const puts: [string, Uint8Array][] = [];
    const removes: string[] = [];
    for (const change of changes) {
      const key = rowKey(change.table, change.key);
      if (change.value === undefined) removes.push(key);
      else puts.push([key, encodeRow(change)]);
    }
    const head = encode({ position, timeMs });
    return {
      commit: () =>
        this.#write(() => {
          for (const key of removes) void this.#rows.remove(key);
          for (const [key, bytes] of puts) void this.#rows.put(key, inItsPlace(bytes, this.#rows.get(key)));
          void this.#meta.put(headKey, head, 1);
        }),
    };
  }

  reset(): Promise<void> {
    return this.#write(() => {
      for (const database of [this.#rows, this.#outcomes, this.#ages]) void database.clearAsync();
      void this.#meta.remove(headKey);
    });
  }

  outcomeOf(effectId: string): Promise<Fact['outcome'] | undefined> {
    return this.#guard(async () => this.#outcome(shortKey(effectId))?.outcome);
  }

  record(effectId: string, outcome: Fact['outcome'], atMs: number): Promise<void> {
    const key = shortKey(effectId);
    const bytes = encode({ outcome, atMs } satisfies Outcome);
    return this.#write(() => {
      void this.#outcomes.put(key, bytes);
      void this.#ages.put([atMs, key], nothing);
    });
  }

  async forgetOutcomes(beforeMs: number): Promise<number> {
    let count = 0;
    for (;;) {
      const old = await this.#guard(async () => [
        ...this.#ages.getKeys({ end: [beforeMs, ''], limit: forgetStep }),
      ]);
      if (old.length === 0) return count;
      // One that was recorded again since has a later age too, and stays.
      const gone = old.filter(([atMs, key]) => this.#outcome(key)?.atMs === atMs).map(([, key]) => key);
      await this.#write(() => {
        for (const age of old) void this.#ages.remove(age);
        for (const key of gone) void this.#outcomes.remove(key);
      });
      count += gone.length;
    }
  }

  async acquireLease(owner: string, durationMs: number, leastToken = 1): Promise<Lease | null> {
    const lease = await this.#guard(() =>
      this.#root.transaction(() => {
        const [nowMs, held] = [this.#nowMs(), this.#lease()];
        if (held && held.owner !== owner && held.expiresAtMs > nowMs) return null;
        const nextToken = held ? held.fencingToken + (held.owner === owner ? 0 : 1) : 1;
        const fencingToken = Math.max(nextToken, leastToken);
        const kept: KeptLease = { owner, fencingToken, expiresAtMs: nowMs + durationMs };
        void this.#meta.put(leaseKey, encode(kept), fencingToken);
        return { ...kept, expiresInMs: durationMs };
      }),
    );
    if (lease) this.#fencingToken = lease.fencingToken;
    return lease;
  }

  readLease(): Promise<Lease | null> {
    return this.#guard(async () => {
      const held = this.#lease();
      return held && { ...held, expiresInMs: Math.max(0, held.expiresAtMs - this.#nowMs()) };
    });
  }

  async releaseLease(owner: string): Promise<void> {
    await this.#guard(() =>
      this.#root.transaction(() => {
        const held = this.#lease();
        if (held?.owner !== owner) return;
        const expiresAtMs = Math.min(held.expiresAtMs, this.#nowMs());
        void this.#meta.put(leaseKey, encode({ ...held, expiresAtMs }), held.fencingToken);
      }),
    );
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#root.close();
  }

  #lease(): KeptLease | null {
    const bytes = this.#meta.get(leaseKey);
    return bytes ? (decode(bytes) as KeptLease) : null;
  }

  #outcome(key: string): Outcome | undefined {
    const bytes = this.#outcomes.get(key);
    return bytes && (decode(bytes) as Outcome);
  }

  /** One transaction, all or nothing; on the condition that the lease is still ours, once this handle has taken it. */
  #write(operations: () => void): Promise<void> {
    return this.#guard(async () => {
      const token = this.#fencingToken;
      const isDone = await (token === null
        ? this.#meta.batch(operations)
        : this.#meta.ifVersion(leaseKey, token, operations));
      if (isDone) return;
      throw new TocsinError('TOC_STORE_FENCED', 'another owner has taken the lease of this partition');
    });
  }

  async #guard<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isClosed) throw new TocsinError('TOC_STORE_UNAVAILABLE', 'the store is closed');
    try {
      return await work();
    } catch (error) {
      if (error instanceof TocsinError) throw error;
      const cause = await commitErrorOf(error);
      throw new TocsinError('TOC_STORE_UNAVAILABLE', 'the store cannot be read or written', { cause });
    }
  }
}

const nothing = new Uint8Array(0);

/** What is behind lmdb's "Commit failed": it comes later, as a promise that rejects. */
async function commitErrorOf(error: unknown): Promise<unknown> {
  if (!(error instanceof Error) || !('commitError' in error)) return error;
  try {
    await error.commitError;
    return error;
  } catch (cause) {
    return cause;
  }
}
