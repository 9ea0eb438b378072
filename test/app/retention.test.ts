import { expect, test } from 'vitest';
import { Retention, SnapshotRetention } from '../../src/app/retention.ts';

const minuteMs = 60_000;

test('the log is trimmed up to a checkpoint that is older than the retention, never past it', async () => {
  const trimmed: number[] = [];
  const forgotten: number[] = [];
  const retention = new Retention({
    log: { trim: async (position) => void trimmed.push(position) },
    store: { forgetOutcomes: async (beforeMs) => forgotten.push(beforeMs) },
    retentionMs: 60 * minuteMs,
    onError: (error) => expect.fail(String(error)),
  });
  for (let minute = 0; minute <= 90; minute += 5) retention.note(minute * 100, minute * minuteMs);
  await Promise.resolve();
  await Promise.resolve();
  expect(trimmed).toEqual([1, 1001, 2001, 3001]);
  expect(forgotten.at(-1)).toBe(30 * minuteMs);
});

test('a log whose store may lose its checkpoints is trimmed up to a snapshot that is older than the retention', async () => {
  const trimmed: number[] = [];
  let last: { position: number; timeMs: number } | null = null;
  const retention = new SnapshotRetention({
    log: { trim: async (position) => void trimmed.push(position) },
    store: { forgetOutcomes: async () => 0 },
    snapshots: {
      get last() {
        return last;
      },
      begin: () => ({ write: async () => undefined, finish: () => ({ commit: async () => undefined }) }),
      readAfter: async () => null,
      close: () => undefined,
    },
    retentionMs: 60 * minuteMs,
    onError: (error) => expect.fail(String(error)),
  });
  const taken: number[] = [];
  for (let minute = 0; minute <= 200; minute += 5) {
    retention.note(minute * 100, minute * minuteMs);
    await Promise.resolve();
    if (!retention.isDue()) continue;
    retention.begin();
    taken.push(minute);
    last = { position: minute * 100, timeMs: minute * minuteMs };
  }
  expect(taken).toEqual([0, 60, 120, 180]);
  expect(trimmed).toEqual([6001, 12_001]);
});
