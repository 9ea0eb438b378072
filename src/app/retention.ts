import type { SnapshotStore } from '../engine/index.ts';
import type { PartitionLog, Snapshots } from '../log/index.ts';
import type { PartitionStore } from '../store/index.ts';

/** Told of checkpoints; forgets what they make needless. */
export interface Cleaning {
  note(position: number, timeMs: number): void;
}

export interface RetentionOptions {
  readonly log: Pick<PartitionLog, 'trim'>;
  readonly store: Pick<PartitionStore, 'forgetOutcomes'>;
  readonly retentionMs: number;
  readonly onError: (error: unknown) => void;
}

/** Log time between two cleanings. */
const cleanEveryMs = 600_000;

/**
 * Forgets what is old and no longer needed: log entries that a checkpoint has, and outcomes of effects. Told of each checkpoint,
 * it cleans at most every ten minutes of log time. Nothing after a checkpoint is ever touched.
 */
export class Retention implements Cleaning {
  readonly #options: RetentionOptions;
  #checkpoints: { readonly position: number; readonly timeMs: number }[] = [];
  #cleanedMs = -Infinity;

  constructor(options: RetentionOptions) {
    this.#options = options;
  }

  note(position: number, timeMs: number): void {
    if (timeMs - this.#cleanedMs < cleanEveryMs) return;
    this.#cleanedMs = timeMs;
    this.#checkpoints.push({ position, timeMs });
    const limitMs = timeMs - this.#options.retentionMs;
    const old = this.#checkpoints.filter((checkpoint) => checkpoint.timeMs <= limitMs).at(-1);
    if (!old) return;
    this.#checkpoints = this.#checkpoints.filter((checkpoint) => checkpoint.timeMs > limitMs);
    this.#clean(old.position, limitMs).catch(this.#options.onError);
  }

  async #clean(position: number, beforeMs: number): Promise<void> {
    await this.#options.log.trim(position + 1);
    await this.#options.store.forgetOutcomes(beforeMs);
  }
}

export interface SnapshotRetentionOptions extends RetentionOptions {
  readonly snapshots: Snapshots;
}

/**
 * As `Retention`, where the store may lose its checkpoints: the log is trimmed up to the last snapshot that lies beside it, once that is as
 * old as the retention, and another is wanted then. So there is a snapshot for each retention, and the log holds one to two of them.
 */
export class SnapshotRetention implements Cleaning, SnapshotStore {
  readonly #options: SnapshotRetentionOptions;
  #cleanedMs = -Infinity;
  #isDue = false;

  constructor(options: SnapshotRetentionOptions) {
    this.#options = options;
  }

  isDue(): boolean {
    return this.#isDue;
  }

  /** Where it fails it is due again with the next cleaning. */
  begin(): ReturnType<Snapshots['begin']> {
    this.#isDue = false;
    return this.#options.snapshots.begin();
  }

  readAfter(position: number): ReturnType<Snapshots['readAfter']> {
    return this.#options.snapshots.readAfter(position);
  }

  note(_position: number, timeMs: number): void {
    const { retentionMs, snapshots, onError } = this.#options;
    if (timeMs - this.#cleanedMs < Math.min(cleanEveryMs, retentionMs)) return;
    this.#cleanedMs = timeMs;
    const limitMs = timeMs - retentionMs;
    const { last } = snapshots;
    const isOld = last !== null && last.timeMs <= limitMs;
    this.#isDue = last === null || isOld;
    this.#clean(isOld ? last.position : 0, limitMs).catch(onError);
  }

  async #clean(position: number, beforeMs: number): Promise<void> {
    const { log, store } = this.#options;
    if (position > 0) await log.trim(position + 1);
    await store.forgetOutcomes(beforeMs);
  }
}
