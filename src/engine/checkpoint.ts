import type { TableChange } from './table.ts';

/** What changed in the fold's tables since the last checkpoint, and the position up to which the log is folded in. */
export interface CheckpointDelta {
  readonly position: number;
  readonly timeMs: number;
  readonly changes: readonly TableChange[];
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
