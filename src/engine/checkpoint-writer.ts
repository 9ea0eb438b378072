import type { Checkpoint, CheckpointDelta } from './checkpoint.ts';
import type { HistoryRow } from './effect.ts';

/** Where the owner keeps checkpoints. */
export interface CheckpointStore {
  readCheckpoint(): Promise<Checkpoint | null>;
  /** Encodes the delta at once; `commit` writes it in one transaction, and may be called again when it has failed. */
  stageCheckpoint(delta: CheckpointDelta): { commit(): Promise<void> };
}

/** Takes rows for the history. `write` never throws; `flushed` resolves when all that was written is durable or given up. */
export interface HistorySink {
  write(rows: readonly HistoryRow[]): void;
  flushed(): Promise<void>;
}

export interface CheckpointWriterOptions {
  readonly fold: { readonly timeMs: number; readonly newCount: number; takeCheckpoint(): CheckpointDelta };
  readonly store: CheckpointStore;
  readonly sink: HistorySink | null;
  /** Log time between two checkpoints. */
  readonly intervalMs: number;
  /** Called when everything up to `position` is in the store. */
  readonly onWritten?: ((position: number, timeMs: number) => void) | undefined;
  readonly onError?: ((error: unknown) => void) | undefined;
}

/** So many new rows are written at once, whatever the time: a burst of new series must not pile up into one huge transaction. */
const maxNewRows = 25_000;

interface Staged {
  readonly position: number;
  readonly timeMs: number;
  commit(): Promise<void>;
}

/**
 * Writes checkpoints one after the other while the fold goes on.
 *
 * INVARIANT: rows are durable in the history before the checkpoint that would keep replay from making them again.
 * INVARIANT: a delta that could not be written is written before the next is taken. Until then the changes wait in the tables, once
 * a row however often it changes, so that a store that is away for hours costs no more memory than the state.
 */
export class CheckpointWriter {
  readonly #options: CheckpointWriterOptions;
  #staged: Staged | null = null;
  #writing: Promise<void> | null = null;
  #lastMs = -Infinity;
  #isAbandoned = false;

  constructor(options: CheckpointWriterOptions) {
    this.#options = options;
  }

  /** Counts the interval from here on. */
  begin(timeMs: number): void {
    this.#lastMs = timeMs;
  }

  /** To be called between two batches: begins a checkpoint when it is time for one and none is under way. */
  offer(): void {
    const { fold, intervalMs } = this.#options;
    if (this.#writing) return;
    if (fold.timeMs - this.#lastMs < intervalMs && fold.newCount < maxNewRows) return;
    this.#lastMs = fold.timeMs;
    void this.#start();
  }

  /** Writes a last checkpoint, with the fold at rest. Never rejects. */
  async finish(): Promise<void> {
    await this.#writing;
    if (this.#staged) await this.#start();
    if (!this.#staged) await this.#start();
  }

  /** Resolves when no write is under way. */
  async settled(): Promise<void> {
    await this.#writing;
  }

  /** Writes nothing more, whatever is still waited for. What was not written is replayed. */
  abandon(): void {
    this.#isAbandoned = true;
  }

  #start(): Promise<void> {
    const { fold, store, onError } = this.#options;
    if (this.#isAbandoned) return Promise.resolve();
    if (!this.#staged) {
      const delta = fold.takeCheckpoint();
      try {
        const staged = store.stageCheckpoint(delta);
        this.#staged = { position: delta.position, timeMs: delta.timeMs, commit: () => staged.commit() };
      } catch (error) {
        // The delta is lost, and without it no later one would be true.
        this.#isAbandoned = true;
        onError?.(error);
        return Promise.resolve();
      }
    }
    this.#writing = this.#commit(this.#staged)
      .catch((error: unknown) => onError?.(error))
      .finally(() => {
        this.#writing = null;
      });
    return this.#writing;
  }

  async #commit(staged: Staged): Promise<void> {
    await this.#options.sink?.flushed();
    if (this.#isAbandoned) return;
    await staged.commit();
    this.#staged = null;
    this.#options.onWritten?.(staged.position, staged.timeMs);
  }
}
