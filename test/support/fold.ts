import { expect } from 'vitest';
import { sumOf } from './checkpoint.ts';
import type { CheckpointDelta, Effect, Entry, Fold, Frame, HistoryRow } from '../../src/engine/index.ts';

/** Everything that can be seen of a fold's work on one log. */
export interface FoldRun<E extends Entry, Flow> {
  /** As they were when they came out of the fold. */
  readonly frames: readonly Frame<E, Flow>[];
  readonly effects: readonly Effect[];
  readonly rows: readonly HistoryRow[];
  readonly state: FoldState;
}

/** What a fold remembers: comparing two with `toEqual` compares every row, and the order in which stages walk them. */
export interface FoldState {
  readonly position: number;
  readonly timeMs: number;
  /** `[key, value]` in the order of iteration, by table. */
  readonly tables: Readonly<Record<string, readonly (readonly [string, unknown])[]>>;
  readonly pendingEffects: readonly Effect[];
  readonly nextDueMs: number | undefined;
}

/** Where a run loses its process: it comes back with the checkpoint taken at `checkpointAt` (an index into the log). */
export interface CrashPoint {
  readonly checkpointAt: number;
  readonly crashAt: number;
}

export function stateOf<E extends Entry, Flow>(fold: Fold<E, Flow>): FoldState {
  const { position, timeMs, rows } = fold.snapshot();
  const tables: Record<string, [string, unknown][]> = {};
  for (const { table, key, value } of rows) (tables[table] ??= []).push([key, value]);
  return structuredClone({
    position,
    timeMs,
    tables,
    pendingEffects: fold.pendingEffects(),
    nextDueMs: fold.nextDueMs(),
  });
}

/** Cuts a log into slices whose lengths follow `sizes`, again and again; without sizes it is one slice. */
export function cutLog<E extends Entry>(entries: readonly E[], sizes: readonly number[]): E[][] {
  const slices: E[][] = [];
  for (let start = 0, turn = 0; start < entries.length; turn++) {
    const size = Math.max(1, sizes[turn % sizes.length] ?? entries.length);
    slices.push(entries.slice(start, start + size));
    start += size;
  }
  return slices;
}

/** Folds slices one after the other, from where the fold stands. */
export async function foldWith<E extends Entry, Flow>(
  fold: Fold<E, Flow>,
  slices: readonly (readonly E[])[],
): Promise<FoldRun<E, Flow>> {
  const frames: Frame<E, Flow>[] = [];
  for (const entries of slices) {
    const output = await fold.apply({ firstPosition: fold.position + 1, entries });
    expect(output.effects).toEqual(output.frames.flatMap(({ effects }) => effects));
    expect(output.rows).toEqual(output.frames.flatMap(({ rows }) => rows));
    frames.push(...structuredClone(output.frames));
  }
  return runOf(frames, fold);
}

/** Folds a whole log, cut as `sizes` say, in a new fold. */
export async function runWithCuts<E extends Entry, Flow>(
  create: () => Fold<E, Flow>,
  entries: readonly E[],
  sizes: readonly number[] = [],
): Promise<FoldRun<E, Flow>> {
  const fold = create();
  fold.restore(null);
  return foldWith(fold, cutLog(entries, sizes));
}

/**
 * Folds a whole log through crashes: each time a new fold is restored from the sum of the checkpoint deltas taken so far and folds
 * again what came after the last of them. What it says again must be what was said before the crash.
 * Points at which the run has already passed the checkpoint are made to fit.
 */
export async function runWithCrashes<E extends Entry, Flow>(
  create: () => Fold<E, Flow>,
  entries: readonly E[],
  points: readonly CrashPoint[],
  sizes: readonly number[] = [],
): Promise<FoldRun<E, Flow>> {
  const deltas: CheckpointDelta[] = [];
  let fold = create();
  fold.restore(null);
  let frames: readonly Frame<E, Flow>[] = [];
  const advance = async (end: number): Promise<void> => {
    const run = await foldWith(fold, cutLog(entries.slice(fold.position, end), sizes));
    frames = [...frames, ...run.frames];
  };
  for (const { checkpointAt, crashAt } of points) {
    await advance(Math.min(checkpointAt, entries.length));
    deltas.push(structuredClone(fold.takeCheckpoint()));
    const checkpoint = sumOf(deltas);
    await advance(Math.min(crashAt, entries.length));
    const lost = frames.filter(({ position }) => position > checkpoint.position);
    const reached = fold.position;
    fold = create();
    fold.restore(structuredClone(checkpoint));
    frames = frames.filter(({ position }) => position <= checkpoint.position);
    await advance(reached);
    expect(frames.filter(({ position }) => position > checkpoint.position)).toEqual(lost);
  }
  await advance(entries.length);
  return runOf(frames, fold);
}

function runOf<E extends Entry, Flow>(
  frames: readonly Frame<E, Flow>[],
  fold: Fold<E, Flow>,
): FoldRun<E, Flow> {
  return {
    frames,
    effects: frames.flatMap(({ effects }) => effects),
    rows: frames.flatMap(({ rows }) => rows),
    state: stateOf(fold),
  };
}
