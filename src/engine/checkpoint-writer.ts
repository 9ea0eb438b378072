import type { Checkpoint, CheckpointDelta, WholeCheckpoint } from './checkpoint.ts';
import type { HistoryRow } from './effect.ts';
import { TocsinError } from './error.ts';
import type { TableChange } from './table.ts';

/** Where the owner keeps checkpoints. */
export interface CheckpointStore {
  readCheckpoint(): Promise<Checkpoint | null>;
  /**
   * Encodes the delta at once; `commit` writes it in one transaction, and may be called again when it has failed. With
   * TOC_STORE_ROLLED_BACK it rejects where the store has lost what the delta was made on.
   */
  stageCheckpoint(delta: CheckpointDelta): { commit(): Promise<void> };
  /** Writes the whole state in the place of whatever the store has; absent where the store loses nothing. */
  replaceCheckpoint?(): WholeCheckpoint;
}

/** Whole checkpoints where the log lies, from which the state is rebuilt when the store has lost its own. */
export interface SnapshotStore {
  /** Whether it is time for another; asked before each checkpoint. */
  isDue(): boolean;
  begin(): WholeCheckpoint;
  /** The last complete one, where it is of a later position. */
  readAfter(position: number): Promise<Checkpoint | null>;
}

/** Takes rows for the history. `write` never throws; `flushed` resolves when all that was written is durable or given up. */
export interface HistorySink {
  write(rows: readonly HistoryRow[]): void;
  flushed(): Promise<void>;
}

export interface CheckpointWriterOptions {
  readonly fold: {
    readonly timeMs: number;
    readonly newCount: number;
    takeCheckpoint(): CheckpointDelta;
    walk(maxCount: number): Iterable<TableChange[]>;
  };
  readonly store: CheckpointStore;
  readonly snapshots?: SnapshotStore | undefined;
  readonly sink: HistorySink | null;
  /** Log time between two checkpoints. */
  readonly intervalMs: number;
  /** Called when everything up to `position` is in the store. */
  readonly onWritten?: ((position: number, timeMs: number) => void) | undefined;
  readonly onError?: ((error: unknown) => void) | undefined;
}

/** So many new rows are written at once, whatever the time: a burst of new series must not pile up into one huge transaction. */
const maxNewRows = 25_000;
/** Rows that are encoded in one turn while the whole state is written: a few milliseconds. */
const partRows = 500;

interface Staged {
  readonly position: number;
  readonly timeMs: number;
  commit(): Promise<void>;
  /** The same, as the end of a snapshot. */
  readonly snapshot: { commit(): Promise<void> } | null;
}

/** The whole state, of which only the end is missing. */
interface Walked {
  readonly to: 'store' | 'snapshots';
  readonly whole: WholeCheckpoint;
}

/**
 * Writes checkpoints one after the other while the fold goes on: what changed since the last one, or the whole state, in parts, where
 * the store has lost what it had or a snapshot is due.
 *
 * INVARIANT: rows are durable in the history before the checkpoint that would keep replay from making them again.
 * INVARIANT: a delta that could not be written is written before the next is taken. Until then the changes wait in the tables, once
 * a row however often it changes, so that a store that is away for hours costs no more memory than the state.
 */
export class CheckpointWriter {
  readonly #options: CheckpointWriterOptions;
  #staged: Staged | null = null;
  #walked: Walked | null = null;
  #writing: Promise<void> | null = null;
  #lastMs = -Infinity;
  /** Whether the store has another checkpoint than the next delta would be made on. */
  #isOff = false;
  #isAbandoned = false;

  constructor(options: CheckpointWriterOptions) {
    this.#options = options;
  }

  /** Counts the interval from here on. */
  begin(timeMs: number): void {
    this.#lastMs = timeMs;
  }

  /** What the store has is not what the fold began with: the next checkpoint is the whole state. */
  replaceNext(): void {
    this.#isOff = true;
  }

  /** To be called between two batches: begins a checkpoint when it is time for one and none is under way. */
  offer(): void {
    const { fold, intervalMs } = this.#options;
    if (this.#writing) return;
    if (!this.#walked && fold.timeMs - this.#lastMs < intervalMs && fold.newCount < maxNewRows) return;
    this.#lastMs = fold.timeMs;
    void this.#start(true);
  }

  /** Writes a last checkpoint, with the fold at rest. Never rejects. */
  async finish(): Promise<void> {
    await this.#writing;
    if (this.#staged) await this.#start(false);
    if (!this.#staged) await this.#start(false);
    if (this.#walked) await this.#start(false);
  }

  /** Resolves when no write is under way. */
  async settled(): Promise<void> {
    await this.#writing;
  }

  /** Writes nothing more, whatever is still waited for. What was not written is replayed. */
  abandon(): void {
    this.#isAbandoned = true;
  }

  #start(maySnapshot: boolean): Promise<void> {
    const { onError } = this.#options;
    if (this.#isAbandoned) return Promise.resolve();
    const walk = this.#staged || this.#walked ? null : this.#nextWalk(maySnapshot);
    if (!walk) {
      try {
        this.#staged ??= this.#stage();
      } catch (error) {
        // The delta is lost, and without it no later one would be true.
        this.#isAbandoned = true;
        onError?.(error);
        return Promise.resolve();
      }
    }
    this.#writing = (walk ? this.#walk(walk) : this.#commit(this.#staged!))
      .catch((error: unknown) => onError?.(error))
      .finally(() => {
        this.#writing = null;
      });
    return this.#writing;
  }

  #nextWalk(maySnapshot: boolean): Walked | null {
    const { store, snapshots } = this.#options;
    if (this.#isOff && store.replaceCheckpoint) return { to: 'store', whole: store.replaceCheckpoint() };
    if (maySnapshot && snapshots?.isDue()) return { to: 'snapshots', whole: snapshots.begin() };
    return null;
  }

  /** Writes what the tables hold, part by part. What changes meanwhile is in the delta that is taken at the end. */
  async #walk(walked: Walked): Promise<void> {
    for (const rows of this.#options.fold.walk(partRows)) {
      if (this.#isAbandoned) return;
      await walked.whole.write(rows);
    }
    this.#walked = walked;
  }

  #stage(): Staged {
    const { fold, store } = this.#options;
    const walked = this.#walked;
    this.#walked = null;
    const delta = fold.takeCheckpoint();
    const { position, timeMs } = delta;
    const staged = walked?.to === 'store' ? walked.whole.finish(delta) : store.stageCheckpoint(delta);
    const snapshot = walked?.to === 'snapshots' ? walked.whole.finish(delta) : null;
    return { position, timeMs, commit: () => staged.commit(), snapshot };
  }

  async #commit(staged: Staged): Promise<void> {
    const { sink, onWritten } = this.#options;
    await sink?.flushed();
    if (this.#isAbandoned) return;
    try {
      await staged.commit();
      this.#isOff = false;
    } catch (error) {
      if (isRolledBack(error)) {
        this.#isOff = true;
        this.#staged = null;
        this.#lastMs = -Infinity;
      }
      throw error;
    }
    this.#staged = null;
    onWritten?.(staged.position, staged.timeMs);
    await staged.snapshot?.commit();
  }
}

function isRolledBack(error: unknown): boolean {
  return error instanceof TocsinError && error.code === 'TOC_STORE_ROLLED_BACK';
}
