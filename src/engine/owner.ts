import { setImmediate as nextTurnOfNode } from 'node:timers/promises';
import {
  CheckpointWriter,
  type CheckpointStore,
  type HistorySink,
  type SnapshotStore,
} from './checkpoint-writer.ts';
import type { Clock } from './clock.ts';
import type { Appended, Entry, LogSlice, Ownership } from './entry.ts';
import { TocsinError } from './error.ts';
import type { Fold } from './fold.ts';
import type { Frame } from './frame.ts';
import { Inbox } from './inbox.ts';
import { latestCheckpoint } from './latest-checkpoint.ts';
import { LogReader } from './log-reader.ts';
import type { EffectRunner } from './runner.ts';

/** The partition's log, as its owner needs it. */
export interface OwnedLog<E extends Entry> {
  /** Tells the log from one that was made anew in its place; absent where that cannot happen. */
  readonly identity?: string;
  /** Position of the oldest entry that it still has; one above the newest when there is none. */
  readonly firstPosition: number;
  readonly lastPosition: number;
  /** Time of the newest entry; -Infinity when there is none. */
  readonly lastTimeMs: number;
  append(draft: E): Promise<Appended<E>>;
  read(fromPosition: number, maxCount: number): Promise<LogSlice<E>>;
  subscribe(listener: (slice: LogSlice<E>) => void): () => void;
}

export interface OwnerOptions<E extends Entry, Flow> {
  readonly fold: Fold<E, Flow>;
  readonly log: OwnedLog<E>;
  readonly store: CheckpointStore;
  /** For a log that is trimmed though the store may lose what it has. */
  readonly snapshots?: SnapshotStore | undefined;
  readonly runner: EffectRunner;
  readonly sink: HistorySink | null;
  readonly clock: Clock;
  /** Lets others have the thread between two batches; Node's next turn unless said otherwise. */
  readonly nextTurn?: () => Promise<unknown>;
  /** Makes the entry that is nothing but time. */
  readonly createTick: (timeMs: number) => E;
  /** Makes the entry that says that nobody followed the log from `sinceMs` to `atMs`. */
  readonly createResume: (sinceMs: number, atMs: number) => E;
  /** Log time between two checkpoints. */
  readonly checkpointIntervalMs: number;
  /** False where another process writes the log and carries out effects, until `lead` is called; true unless said otherwise. */
  readonly leads?: boolean;
  /** How long `stop` waits for the history and the store before it leaves the last checkpoint out; 5 s unless said otherwise. */
  readonly stopGraceMs?: number;
  /** Called after each batch, live or replayed. */
  readonly onFrames?: (frames: readonly Frame<E, Flow>[]) => void;
  /** Called once when a stage has thrown: the partition stands still from then on. */
  readonly onFailure: (error: TocsinError) => void;
  readonly onCheckpointError?: (error: unknown) => void;
  /** Called when everything up to `position` is in the store. */
  readonly onCheckpoint?: (position: number, timeMs: number) => void;
}

/** Entries and reports folded in one batch at most: bounds how long a command waits behind a storm. */
const maxBatchEntries = 512;
const maxBatchWeight = 16_384;
const tickRetryMs = 1000;
/** A start so long after the last entry, and a timer that fires so late, say that nobody followed the log in between. */
const leastDowntimeMs = 10_000;
const leastSleepMs = 30_000;
/** Rows that a replay may write to the history ahead of its disk, and how long it waits for one that does not answer. */
const maxReplayedRows = 20_000;
const sinkPatienceMs = 10_000;
const defaultStopGraceMs = 5000;

/**
 * The one writer of a partition's state: restores the last checkpoint, folds the rest of the log, then follows it. Emits a tick
 * when a timer falls due and nothing else passes the time; writes checkpoints; hands effects to the runner.
 *
 * When the process was down, or the machine slept, the log is told so before anything falls due.
 *
 * While it catches up it only collects effects. Those that the log does not know to have ended are carried out afterwards.
 */
export class PartitionOwner<E extends Entry, Flow> {
  readonly #options: OwnerOptions<E, Flow>;
  readonly #checkpoints: CheckpointWriter;
  readonly #inbox = new Inbox<E>();
  readonly #reader: LogReader<E>;
  #waiters: { readonly position: number; readonly resolve: (isApplied: boolean) => void }[] = [];
  #starting: Promise<void> | null = null;
  #pumping: Promise<void> | null = null;
  #unsubscribe: (() => void) | null = null;
  #tick: { readonly dueMs: number; cancel(): void } | null = null;
  /** Rows replayed since the history was last seen to keep up. */
  #replayedRows = 0;
  /** Until then somebody followed the log, or it was told that nobody did. */
  #awakeAtMs = -Infinity;
  /** Whether it acts on the log, or only follows what another process writes. */
  #leads: boolean;
  #state: 'new' | 'following' | 'failed' | 'stopped' = 'new';

  constructor(options: OwnerOptions<E, Flow>) {
    this.#options = options;
    this.#leads = options.leads ?? true;
    this.#reader = new LogReader(options.log, maxBatchWeight);
    const { fold, store, snapshots, sink, checkpointIntervalMs, onCheckpoint, onCheckpointError } = options;
    this.#checkpoints = new CheckpointWriter({
      fold,
      store,
      snapshots,
      sink,
      intervalMs: checkpointIntervalMs,
      onWritten: onCheckpoint,
      onError: onCheckpointError,
    });
  }

  /** Entries in the log that are not folded in yet. */
  get lagCount(): number {
    return this.#options.log.lastPosition - this.#options.fold.position;
  }

  get isFailed(): boolean {
    return this.#state === 'failed';
  }

  /**
   * Recovers and begins to follow the log. Resolves once it has caught up with what the log held, or when `stop` was called.
   * Rejects with what the log or the store say, with TOC_LOG_CORRUPT when the log ends before the checkpoint, and with
   * TOC_PARTITION_FAILED when a stage throws.
   */
  start(): Promise<void> {
    this.#starting ??= this.#recover();
    return this.#starting;
  }

  /**
   * Takes over from the process that wrote the log so far: acts on it from now on. To be called after `start`. Until `followedUntilMs` that
   * process is known to have acted, though nothing may have been written; left out where nobody knows.
   */
  async lead(followedUntilMs = -Infinity): Promise<void> {
    if (this.#leads) return;
    this.#awakeAtMs = followedUntilMs;
    await this.applied(this.#options.log.lastPosition);
    this.#leads = true;
    if (this.#state === 'following') await this.#act();
  }

  /** Resolves with true once the entry at `position` has been applied; with false when the partition fails or stops before. */
  applied(position: number): Promise<boolean> {
    if (this.#options.fold.position >= position) return Promise.resolve(true);
    if (this.#state === 'failed' || this.#state === 'stopped') return Promise.resolve(false);
    return new Promise((resolve) => this.#waiters.push({ position, resolve }));
  }

  /** Stops following, waits for what is under way and writes a last checkpoint. Waits for nobody longer than its grace. */
  async stop(): Promise<void> {
    const hasState = this.#state === 'following';
    if (this.#state !== 'failed') this.#state = 'stopped';
    this.#unsubscribe?.();
    this.#tick?.cancel();
    const graceMs = this.#options.stopGraceMs ?? defaultStopGraceMs;
    // A read that hangs ends when the log is closed, which may be after this.
    await this.#within(graceMs, this.#settle());
    this.#releaseWaiters();
    await this.#options.runner.stop();
    await this.#within(graceMs, hasState ? this.#checkpoints.finish() : this.#checkpoints.settled());
    this.#checkpoints.abandon();
  }

  /** Resolves when nothing is folded any more. */
  async #settle(): Promise<void> {
    await this.#starting?.catch(() => undefined);
    await this.#pumping;
  }

  async #recover(): Promise<void> {
    const {
      fold,
      log,
      store,
      snapshots,
      onCheckpointError: onError,
      nextTurn = nextTurnOfNode,
    } = this.#options;
    const { checkpoint, isOfStore } = await latestCheckpoint({ store, snapshots, onError });
    if (!isOfStore) this.#checkpoints.replaceNext();
    fold.restore(checkpoint);
    if (fold.ownership && log.identity !== undefined && fold.ownership.log !== log.identity) {
      const { log: folded } = fold.ownership;
      throw new TocsinError(
        'TOC_LOG_REPLACED',
        `the checkpoint is of the log ${folded}, and this is ${log.identity}`,
      );
    }
    if (fold.position > log.lastPosition) {
      throw new TocsinError(
        'TOC_LOG_CORRUPT',
        `the log ends at position ${log.lastPosition}, before the checkpoint at ${fold.position}`,
      );
    }
    await this.#assertFoldedFromThis();
    this.#checkpoints.begin(fold.timeMs);
    while (this.#state === 'new' && fold.position < log.lastPosition) {
      await this.#apply(await this.#reader.read(fold.position + 1), false);
      await this.#letHistoryKeepUp();
      await nextTurn();
    }
    if (this.#state !== 'new') return;
    this.#state = 'following';
    this.#unsubscribe = log.subscribe((slice) => {
      this.#inbox.push(slice);
      this.#wake();
    });
    if (this.#leads) await this.#act();
  }

  /** A log may have lost entries and gone on since, or be an older copy: then the last owner's entry is not where it was folded in. */
  async #assertFoldedFromThis(): Promise<void> {
    const { fold, log } = this.#options;
    if (!fold.ownership) return;
    const { name, fencingToken, position } = fold.ownership;
    if (position < log.firstPosition) return;
    const { entries } = await log.read(position, 1);
    const found = entries[0]?.kind === 'owner' ? (entries[0].payload as Ownership) : null;
    if (found?.name === name && found?.fencingToken === fencingToken) return;
    throw new TocsinError(
      'TOC_LOG_REPLACED',
      `the checkpoint is of a log whose entry at position ${position} is of the owner ${name}; that of this log is not`,
    );
  }

  /** Carries out what is pending, and lets timers fall due. */
  async #act(): Promise<void> {
    const { fold, log, runner } = this.#options;
    runner.run(fold.pendingEffects(), (effectId) => fold.isClaimed(effectId));
    await this.#noteSleep(log.lastTimeMs, leastDowntimeMs);
    this.#armTick();
  }

  /** Says in the log that nobody followed it since `sinceMs`, if that is long ago and nothing was written since. */
  async #noteSleep(sinceMs: number, leastMs: number): Promise<void> {
    const { log, clock, createResume } = this.#options;
    const atMs = clock.nowMs();
    const fromMs = Math.max(sinceMs, this.#awakeAtMs);
    if (log.lastPosition === 0 || log.lastTimeMs > sinceMs || atMs - fromMs < leastMs) return;
    this.#awakeAtMs = atMs;
    const { position } = await log.append(createResume(fromMs, atMs));
    await this.applied(position);
  }

  #wake(): void {
    this.#pumping ??= this.#pump().finally(() => {
      this.#pumping = null;
    });
  }

  /** Folds what has arrived. Between batches it lets others have the thread: requests are answered during a storm. */
  async #pump(): Promise<void> {
    const { fold, log, nextTurn = nextTurnOfNode } = this.#options;
    while (this.#state === 'following' && fold.position < log.lastPosition) {
      try {
        await this.#apply(await this.#nextSlice(), true);
      } catch {
        return;
      }
      if (fold.position < log.lastPosition) await nextTurn();
    }
    this.#armTick();
  }

  async #nextSlice(): Promise<LogSlice<E>> {
    const firstPosition = this.#options.fold.position + 1;
    const entries = this.#inbox.take(firstPosition, maxBatchEntries, maxBatchWeight);
    if (entries) return { firstPosition, entries };
    try {
      return await this.#reader.read(firstPosition);
    } catch (error) {
      throw this.#state === 'following' ? this.#fail(error) : error;
    }
  }

  async #apply(slice: LogSlice<E>, isLive: boolean): Promise<void> {
    const { fold, runner, sink, onFrames } = this.#options;
    try {
      const { frames, effects, rows } = await fold.apply(slice);
      sink?.write(rows);
      if (isLive && this.#leads) runner.run(effects);
      if (!isLive) this.#replayedRows += rows.length;
      onFrames?.(frames);
      this.#answerWaiters();
    } catch (cause) {
      const last = slice.firstPosition + slice.entries.length - 1;
      const where = `a stage failed at log positions ${slice.firstPosition} to ${last}`;
      throw this.#fail(new TocsinError('TOC_PARTITION_FAILED', where, { cause }));
    }
    this.#checkpoints.offer();
  }

  /** The partition stands still from here on. Gives the error back, as one of ours. */
  #fail(cause: unknown): TocsinError {
    const error =
      cause instanceof TocsinError
        ? cause
        : new TocsinError('TOC_PARTITION_FAILED', 'the log could not be read', { cause });
    this.#state = 'failed';
    this.#unsubscribe?.();
    this.#tick?.cancel();
    this.#inbox.clear();
    this.#releaseWaiters();
    this.#options.onFailure(error);
    return error;
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

  /** Sets the one tick timer to the fold's next due time. While a tick is on its way, there is no other for the same time. */
  #armTick(): void {
    const { fold, clock } = this.#options;
    const dueMs = fold.nextDueMs();
    if (!this.#leads || this.#state !== 'following' || this.#tick?.dueMs === dueMs) return;
    this.#tick?.cancel();
    this.#tick =
      dueMs === undefined ? null : { dueMs, ...clock.setTimer(dueMs, () => void this.#sendTick(dueMs)) };
  }

  async #sendTick(dueMs: number): Promise<void> {
    const { log, clock, createTick } = this.#options;
    const sent = { dueMs, cancel: () => undefined };
    this.#tick = sent;
    try {
      await this.#noteSleep(dueMs, leastSleepMs);
      // A timer may fire a moment early; a tick before its time would only be followed by another.
      const { position } = await log.append(createTick(Math.max(dueMs, clock.nowMs())));
      await this.applied(position);
    } catch {
      await this.#pause(tickRetryMs);
    }
    if (this.#tick !== sent) return;
    this.#tick = null;
    this.#armTick();
  }

  /** While replaying: waits until the history has what was written, so that its buffer does not have to drop rows. */
  async #letHistoryKeepUp(): Promise<void> {
    const { sink } = this.#options;
    if (!sink || this.#replayedRows < maxReplayedRows) return;
    const isFlushed = await this.#within(sinkPatienceMs, sink.flushed());
    this.#replayedRows = isFlushed ? 0 : -Infinity;
  }

  /** Waits for `work`, but no longer than `limitMs`; says whether it ended in time. */
  async #within(limitMs: number, work: Promise<void>): Promise<boolean> {
    const { clock } = this.#options;
    const { promise: late, resolve } = Promise.withResolvers<false>();
    const limit = clock.setTimer(clock.nowMs() + limitMs, () => resolve(false));
    const isDone = await Promise.race([work.then(() => true), late]);
    limit.cancel();
    return isDone;
  }

  #pause(lengthMs: number): Promise<void> {
    const { clock } = this.#options;
    return new Promise((resolve) => clock.setTimer(clock.nowMs() + lengthMs, resolve));
  }
}
