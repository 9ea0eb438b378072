import { expect, test } from 'vitest';
import { Retention } from '../../src/app/retention.ts';

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
