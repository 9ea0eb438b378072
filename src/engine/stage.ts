import type { Entry } from './entry.ts';
import type { Frame } from './frame.ts';
import type { Table } from './table.ts';

/**
 * A stage folds frames into its own tables and writes its part of each frame's flow.
 *
 * - It is deterministic: no clock, no random source, no network, no file. Time is `frame.timeMs`.
 * - Everything that it remembers is in its tables and timers; anything else is derived from them in `restore`.
 * - It never touches another stage's tables: stages run one after the other over a whole batch of frames, so an earlier
 *   stage's tables are already ahead of the frame at hand. It learns of others by `frame.flow` alone.
 * - Bad data is an outcome in the flow. A throw is a defect and stops the partition.
 */
export interface Stage<E extends Entry = Entry, Flow = unknown> {
  readonly name: string;
  /** Called once before the first frame, when the tables hold the checkpoint; `config` is the config entry then in force. */
  restore?(config: E | null): void;
  /** Called for each frame in log order, those of earlier stages' timers included. */
  onFrame(frame: Frame<E, Flow>): void;
  /** Called when one of its own timers falls due, with a new frame at that time. The timer is gone by then. */
  onTimer?(key: string, frame: Frame<E, Flow>): void;
  /**
   * Called once after all frames of a batch and before the next stage, to finish in one asynchronous step what is
   * best done for many frames at once. It may only write to the frames' flow, effects and rows, and its results
   * must not depend on which frames shared the batch.
   */
  settle?(frames: readonly Frame<E, Flow>[]): Promise<void>;
}

/** What the engine lends to a stage. */
export interface StageContext {
  /** The table `name` of this stage. Call once per table, when the stage is created. */
  table<Value>(name: string): Table<Value>;
  readonly timers: StageTimers;
  /** What names that the stage makes up have in them, so that no other partition's stage makes the same; empty where there is no other. */
  readonly scope: string;
}

export interface StageTimers {
  /** Sets (or moves) the timer `key`. It fires before the first frame whose time is `dueMs` or later. */
  set(key: string, dueMs: number): void;
  cancel(key: string): void;
  /** When `key` falls due, or undefined when it is not set. */
  dueMs(key: string): number | undefined;
}

export type StageFactory<E extends Entry = Entry, Flow = unknown> = (context: StageContext) => Stage<E, Flow>;
