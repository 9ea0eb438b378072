import { expect } from 'vitest';
import type { Checkpoint, Fold, TableChange } from '../../src/engine/index.ts';
import type { Flow, LogEntry, TocsinFrame } from '../../src/incident/index.ts';

export type TocsinFold = Fold<LogEntry, Flow>;

/** Folds `log` on from where the fold is, in slices of the given sizes, over and over. */
export async function applyAll(
  fold: TocsinFold,
  log: readonly LogEntry[],
  sizes: readonly number[] = [1],
): Promise<TocsinFrame[]> {
  const frames: TocsinFrame[] = [];
  for (let turn = 0; fold.position < log.length; turn++) {
    const entries = log.slice(fold.position, fold.position + (sizes[turn % sizes.length] ?? 1));
    frames.push(...(await fold.apply({ firstPosition: fold.position + 1, entries })).frames);
  }
  return frames;
}

/** Fails when the way in which the log was cut shows in any frame, or in what the fold remembers. */
export async function expectCutsDoNotMatter(
  createFold: () => TocsinFold,
  log: readonly LogEntry[],
  sizes: readonly number[],
): Promise<void> {
  const [whole, cut] = [createFold(), createFold()];
  for (const fold of [whole, cut]) fold.restore(null);
  expect(await applyAll(cut, log, sizes)).toEqual(await applyAll(whole, log, [log.length]));
  expect(rowsOf(cut)).toEqual(rowsOf(whole));
}

/**
 * Fails when a crash after `crashAt` entries, with the last checkpoint after `checkpointAt`, shows in any later frame or in what
 * the fold remembers in the end. The checkpoint is summed up from deltas, one every `checkpointEvery` entries, as a store does.
 */
export async function expectCrashDoesNotMatter(
  createFold: () => TocsinFold,
  log: readonly LogEntry[],
  { checkpointAt, checkpointEvery }: { readonly checkpointAt: number; readonly checkpointEvery: number },
): Promise<void> {
  const whole = createFold();
  whole.restore(null);
  const expected = await applyAll(whole, log);

  const before = createFold();
  before.restore(null);
  const rows = new Map<string, TableChange>();
  let taken = before.takeCheckpoint();
  while (taken.position < checkpointAt) {
    await applyAll(before, log.slice(0, Math.min(taken.position + checkpointEvery, checkpointAt)));
    taken = before.takeCheckpoint();
    addChanges(rows, structuredClone(taken.changes));
  }
  const { position, timeMs } = taken;
  const checkpoint: Checkpoint = {
    position,
    timeMs,
    rows: structuredClone([...rows.values()].map((row) => ({ ...row, value: row.value }))),
  };

  const after = createFold();
  after.restore(checkpoint);
  expect(await applyAll(after, log)).toEqual(expected.filter((frame) => frame.position > position));
  expect(after.pendingEffects()).toEqual(whole.pendingEffects());
  expect(after.nextDueMs()).toEqual(whole.nextDueMs());
  expect(rowsOf(after, rows)).toEqual(rowsOf(whole));
}

/** What a store makes of deltas: the last change of each row counts. */
function addChanges(rows: Map<string, TableChange>, changes: readonly TableChange[]): void {
  for (const change of changes) {
    const key = `${change.table}\n${change.key}`;
    if (change.value === undefined) rows.delete(key);
    else rows.set(key, change);
  }
}

/** All that the fold remembers: what it was restored from, and what it has changed since. */
function rowsOf(fold: TocsinFold, restored: ReadonlyMap<string, TableChange> = new Map()): unknown {
  const rows = new Map(restored);
  addChanges(rows, fold.takeCheckpoint().changes);
  return [...rows.keys()].toSorted().map((key) => [key, rows.get(key)?.value]);
}
