import type { TableChange } from './table.ts';

/** What changed in the fold's tables since the last checkpoint, and the position up to which the log is folded in. */
export interface CheckpointDelta {
  readonly position: number;
  readonly timeMs: number;
  readonly changes: readonly TableChange[];
}

/**
 * A whole state on its way, in parts, while the fold goes on. Rows are encoded before `write` and `finish` return; each may come again in a
 * later part, and the last word counts.
 */
export interface WholeCheckpoint {
  /** Resolves when there is room for more. */
  write(rows: readonly TableChange[]): Promise<void>;
  /** The last part: what has changed since the first was taken, and the position of it all. Nothing of it counts before `commit`. */
  finish(last: CheckpointDelta): { commit(): Promise<void> };
}

/** The sum of all deltas so far: every live row. */
export interface Checkpoint {
  readonly position: number;
  readonly timeMs: number;
  readonly rows: readonly {
    readonly table: string;
    readonly key: string;
    readonly order: number;
    readonly value: unknown;
  }[];
}
