import { expect, test } from 'vitest';
import { CheckpointWriter, type CheckpointDelta } from '../../src/engine/index.ts';

/** A fold of which only time and the number of new rows are of interest, and the positions written. */
function writerOf(fold: { timeMs: number; newCount: number }) {
  const written: number[] = [];
  let position = 0;
  const writer = new CheckpointWriter({
    fold: {
      get timeMs() {
        return fold.timeMs;
      },
      get newCount() {
        return fold.newCount;
      },
      walk: () => [],
      takeCheckpoint: (): CheckpointDelta => ({ position: ++position, timeMs: fold.timeMs, changes: [] }),
    },
    store: {
      readCheckpoint: async () => null,
      stageCheckpoint: () => ({ commit: async () => undefined }),
    },
    sink: null,
    intervalMs: 10_000,
    onWritten: (at) => written.push(at),
  });
  writer.begin(fold.timeMs);
  return { writer, written };
}

test('a checkpoint is written when its time has come, and before that when very much is new', async () => {
  const fold = { timeMs: 1000, newCount: 5 };
  const { writer, written } = writerOf(fold);
  const offer = async (): Promise<number> => {
    writer.offer();
    await writer.settled();
    return written.length;
  };
  expect(await offer()).toBe(0);
  fold.timeMs = 11_000;
  expect(await offer()).toBe(1);
  expect(await offer()).toBe(1);
  fold.newCount = 25_000;
  expect(await offer()).toBe(2);
});
