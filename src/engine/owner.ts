import type { Checkpoint, CheckpointDelta } from './checkpoint.ts';
import type { Clock } from './clock.ts';
import type { HistoryRow } from './effect.ts';
import type { Entry, LogSlice } from './entry.ts';
import { TocsinError } from './error.ts';
import type { Fold } from './fold.ts';
import type { Frame } from './frame.ts';
import type { EffectRunner } from './runner.ts';

/** The partition's log, as its owner needs it. */
export interface OwnedLog<E extends Entry> {
  readonly lastPosition: number;
  append(drafts: readonly E[]): Promise<LogSlice<E>>;
  read(fromPosition: number, maxCount: number): Promise<LogSlice<E>>;
  subscribe(listener: (slice: LogSlice<E>) => void): () => void;
}

/** Where the owner keeps checkpoints. */
export interface CheckpointStore {
  readCheckpoint(): Promise<Checkpoint | null>;
  stageCheckpoint(delta: CheckpointDelta): { commit(): Promise<void> };
}

/** Takes rows for the history. `write` never throws; `flushed` resolves when all that was written is durable or given up. */
export interface HistorySink {
  write(rows: readonly HistoryRow[]): void;
  flushed(): Promise<void>;
}

export interface OwnerOptions<E extends Entry, Flow> {
  readonly fold: Fold<E, Flow>;
  readonly log: OwnedLog<E>;
  readonly store: CheckpointStore;
  readonly runner: EffectRunner;
  readonly sink: HistorySink | null;
  readonly clock: Clock;
  /** Makes the entry that is nothing but time. */
  readonly createTick: (timeMs: number) => E;
  /** Log time between two checkpoints. */
  readonly checkpointIntervalMs: number;
  /** Called after each batch, live or replayed. */
  readonly onFrames?: (frames: readonly Frame<E, Flow>[]) => void;
  /** Called once when a stage has thrown: the partition stands still from then on. */
  readonly onFailure: (error: TocsinError) => void;
  readonly onCheckpointError?: (error: unknown) => void;
  /** Called when everything up to `position` is in the store. */
  readonly onCheckpoint?: (position: number, timeMs: number) => void;
}

/** Entries folded in one batch at most: bounds how long a command waits behind a storm. */
const maxBatchEntries = 512;

/**
 * The one writer of a partition's state: restores the last checkpoint, folds the rest of the log, then follows it. Emits a tick
 * when a timer falls due and nothing else passes the time; writes checkpoints; hands effects to the runner.
 *
 * While it catches up it only collects effects. Those that the log does not know to have ended are carried out afterwards.
 */
export class PartitionOwner<E extends Entry, Flow> {
  readonly #options: OwnerOptions<E, Flow>;
  #waiters: { readonly position: number; readonly resolve: (isApplied: boolean) => void }[] = [];
  #queue: LogSlice<E>[] = [];
  #pumping: Promise<void> | null = null;
  #unsubscribe: (() => void) | null = null;
  #tick: { dueMs: number; cancel(): void } | null = null;
  #checkpoint: Promise<void> | null = null;
  /** Deltas that are not in the store yet, oldest first: one that could not be written must not be left out. */
  #staged: { commit(): Promise<void> }[] = [];
  #checkpointMs = -Infinity;
  #state: 'new' | 'following' | 'failed' | 'stopped' = 'new';

  constructor(options: OwnerOptions<E, Flow>) {
    this.#options = options;
  }

  /** Entries in the log that are not folded in yet. */
  get lagCount(): number {
    return this.#options.log.lastPosition - this.#options.fold.position;
  }

  get isFailed(): boolean {
    return this.#state === 'failed';
  }

  /**
   * Recovers and begins to follow the log. Resolves once it has caught up with what the log held.
   * Rejects with what the log or the store say, and with TOC_PARTITION_FAILED when a stage throws.
   */
  async start(): Promise<void> {
    const { fold, log, store, runner } = this.#options;
    fold.restore(await store.readCheckpoint());
    this.#checkpointMs = fold.timeMs;
    this.#unsubscribe = log.subscribe((slice) => {
      this.#queue.push(slice);
      if (this.#state === 'following') this.#wake();
    });
    while (fold.position < log.lastPosition) {
      await this.#apply(await log.read(fold.position + 1, maxBatchEntries), false);
    }
    runner.run(fold.pendingEffects());
    this.#state = 'following';
    this.#wake();
    this.#armTick();
  }

  /** Resolves with true once the entry at `position` has been applied; with false when the partition fails or stops before. */
  applied(position: number): Promise<boolean> {
    if (this.#options.fold.position >= position) return Promise.resolve(true);
    if (this.#state === 'failed' || this.#state === 'stopped') return Promise.resolve(false);
    return new Promise((resolve) => this.#waiters.push({ position, resolve }));
  }

  /** Stops following, waits for what is under way and writes a last checkpoint. */
  async stop(): Promise<void> {
    const wasFollowing = this.#state === 'following';
    this.#state = this.#state === 'failed' ? 'failed' : 'stopped';
    this.#unsubscribe?.();
    this.#tick?.cancel();
    await this.#pumping;
    await this.#options.runner.stop();
    this.#releaseWaiters();
    await this.#checkpoint;
    if (wasFollowing) await this.#writeCheckpoint();
  }

  #wake(): void {
    this.#pumping ??= this.#pump().finally(() => {
      this.#pumping = null;
      if (this.#queue.length > 0 && this.#state === 'following') this.#wake();
    });
  }

  async #pump(): Promise<void> {
    while (this.#queue.length > 0 && this.#state === 'following') {
      try {
        await this.#apply(this.#takeBatch(), true);
      } catch {
        return;
      }
    }
    this.#armTick();
  }

  /** Joins what has arrived into one slice, leaving out what was already read while catching up. */
  #takeBatch(): LogSlice<E> {
    const firstPosition = this.#options.fold.position + 1;
    const entries: E[] = [];
    let taken = 0;
    for (const slice of this.#queue) {
      if (entries.length >= maxBatchEntries) break;
      const skip = Math.max(0, firstPosition + entries.length - slice.firstPosition);
      for (let i = skip; i < slice.entries.length; i++) entries.push(slice.entries[i]!);
      taken++;
    }
    this.#queue.splice(0, taken);
    return { firstPosition, entries };
  }

  async #apply(slice: LogSlice<E>, isLive: boolean): Promise<void> {
    const { fold, runner, sink, onFrames, onFailure } = this.#options;
    if (slice.entries.length === 0) return;
    try {
      const { frames, effects, rows } = await fold.apply(slice);
      sink?.write(rows);
      if (isLive) runner.run(effects);
      onFrames?.(frames);
      this.#answerWaiters();
    } catch (cause) {
      this.#state = 'failed';
      this.#releaseWaiters();
      const error = new TocsinError(
        'TOC_PARTITION_FAILED',
        `a stage failed at log positions ${slice.firstPosition} to ${slice.firstPosition + slice.entries.length - 1}`,
        { cause },
      );
      onFailure(error);
      throw error;
    }
    if (fold.timeMs - this.#checkpointMs >= this.#options.checkpointIntervalMs) this.#startCheckpoint();
  }

  #answerWaiters(): void {
    if (this.#waiters.length === 0) return;
    const { position } = this.#options.fold;
    for (const waiter of this.#waiters) if (waiter.position <= position) waiter.resolve(true);
    this.#waiters = this.#waiters.filter((waiter) => waiter.position > position);
  }

  #releaseWaiters(): void {
    for (const { resolve } of this.#waiters) resolve(false);
    this.#waiters = [];
  }

  /** Sets the one tick timer to the fold's next due time. */
  #armTick(): void {
    const { fold, clock } = this.#options;
    const dueMs = fold.nextDueMs();
    if (this.#state !== 'following' || this.#tick?.dueMs === dueMs) return;
    this.#tick?.cancel();
    this.#tick = dueMs === undefined ? null : { dueMs, ...clock.setTimer(dueMs, () => this.#appendTick()) };
  }

  #appendTick(): void {
    const { log, clock, createTick } = this.#options;
    this.#tick = null;
    if (this.#state !== 'following') return;
    log.append([createTick(clock.nowMs())]).catch(() => {
      const retry = clock.setTimer(clock.nowMs() + tickRetryMs, () => this.#appendTick());
      this.#tick = { dueMs: NaN, ...retry };
    });
  }

  #startCheckpoint(): void {
    if (this.#checkpoint) return;
    this.#checkpointMs = this.#options.fold.timeMs;
    this.#checkpoint = this.#writeCheckpoint()
      .catch((error: unknown) => this.#options.onCheckpointError?.(error))
      .finally(() => {
        this.#checkpoint = null;
      });
  }

  /** INVARIANT: rows are durable in the history before the checkpoint that would keep replay from making them again. */
  async #writeCheckpoint(): Promise<void> {
    const { fold, store, sink, onCheckpoint } = this.#options;
    const { position, timeMs } = fold;
    this.#staged.push(store.stageCheckpoint(fold.takeCheckpoint()));
    await sink?.flushed();
    for (let next = this.#staged[0]; next; next = this.#staged[0]) {
      await next.commit();
      this.#staged.shift();
    }
    onCheckpoint?.(position, timeMs);
  }
}

const tickRetryMs = 1000;
