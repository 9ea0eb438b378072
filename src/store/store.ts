import type { Checkpoint, CheckpointDelta, Fact, WholeCheckpoint } from '../engine/index.ts';

/** A delta that is encoded already and waits to be written. */
export interface StagedCheckpoint {
  /** Writes it in one transaction. The caller commits deltas one after the other, in the order in which they were staged. */
  commit(): Promise<void>;
}

export interface Lease {
  readonly owner: string;
  /** Rises with each new holder. Whoever writes under another one is refused (see `acquireLease`). */
  readonly fencingToken: number;
  /** By the store's clock. */
  readonly expiresAtMs: number;
  /** How long it goes on, as of the store's answer; 0 when it is over. What an owner counts from before it asked. */
  readonly expiresInMs: number;
}

export interface StoreOptions {
  /** The clock of leases, for tests. Without it that of the machine which keeps the store. */
  readonly nowMs?: (() => number) | undefined;
}

/**
 * What a partition's owner keeps outside of the log: loss of it costs replay, never correctness.
 * All methods reject with TOC_STORE_UNAVAILABLE (retryable) when the store does not answer.
 */
export interface PartitionStore {
  readCheckpoint(): Promise<Checkpoint | null>;
  /** Encodes the delta at once, so that the fold may go on changing its rows. */
  stageCheckpoint(delta: CheckpointDelta): StagedCheckpoint;
  /**
   * Writes the whole state, part by part, in the place of whatever there is; what was there counts until the end is committed. Absent
   * where nothing that was written can be lost.
   */
  replaceCheckpoint?(): WholeCheckpoint;
  /** Forgets checkpoint and outcomes; leases stay. */
  reset(): Promise<void>;
  /** How the effect ended, if that was recorded. */
  outcomeOf(effectId: string): Promise<Fact['outcome'] | undefined>;
  record(effectId: string, outcome: Fact['outcome'], atMs: number): Promise<void>;
  /** Forgets outcomes recorded before `beforeMs`; resolves with their number. */
  forgetOutcomes(beforeMs: number): Promise<number>;
  /**
   * Takes or renews the lease for `durationMs` by the store's clock. Resolves with null while somebody else holds it.
   * Renewing keeps the fencing token; taking over raises it. A token is never less than `leastToken` (1 when left out): with one more
   * than the highest that the log has seen, tokens go on rising after the store has lost its data. `owner` is the name of one process
   * in one life.
   *
   * From then on what is written through this store is fenced: once another owner has taken the lease, or the store has lost it,
   * checkpoints and outcomes are refused with TOC_STORE_FENCED, even where this owner has not noticed yet that its time is over.
   */
  acquireLease(owner: string, durationMs: number, leastToken?: number): Promise<Lease | null>;
  /** The lease that was taken last, over or not; null when none ever was. */
  readLease(): Promise<Lease | null>;
  /** Ends the lease where `owner` holds it: it was over at this moment, as `readLease` says from then on. */
  releaseLease(owner: string): Promise<void>;
  close(): Promise<void>;
}
