import type { PartitionLog } from '../log/index.ts';
import type { PartitionStore } from '../store/index.ts';

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
export class Retention {
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
