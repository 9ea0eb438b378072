import type { Effect, HistoryRow } from './effect.ts';
import type { Entry } from './entry.ts';

/**
 * One moment of the fold on its way through the stages: a log entry, or a timer that fell due before that entry
 * (then `entry` is null). `flow` is what the stages so far have said about this moment; a stage reads what earlier
 * stages wrote and writes its own part. That is the only way by which stages speak to each other.
 */
export interface Frame<E extends Entry = Entry, Flow = unknown> {
  /** Position of the entry, or of the entry before which the timer fired. */
  readonly position: number;
  readonly timeMs: number;
  readonly entry: E | null;
  readonly flow: Flow;
  readonly effects: Effect[];
  readonly rows: HistoryRow[];
}
