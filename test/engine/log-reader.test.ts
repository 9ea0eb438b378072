import { expect, test } from 'vitest';
import type { Entry, LogSlice } from '../../src/engine/index.ts';
import { LogReader } from '../../src/engine/log-reader.ts';

/** A log of `count` entries with `weight` reports each that notes how many it was asked for. */
function logOf(count: number, weight: number): { asked: number[]; read: LogReader<Entry>['read'] } {
  const asked: number[] = [];
  const reader = new LogReader<Entry>(
    {
      async read(firstPosition, maxCount): Promise<LogSlice> {
        asked.push(maxCount);
        const length = Math.max(0, Math.min(maxCount, count - firstPosition + 1));
        const payload = Array.from({ length: weight }, () => 0);
        return {
          firstPosition,
          entries: Array.from({ length }, () => ({ kind: 'alerts', timeMs: 0, payload })),
        };
      },
    },
    1000,
  );
  return { asked, read: (fromPosition) => reader.read(fromPosition) };
}

test.each([
  ['light ones many at once', 1, [1, 64, 64]],
  ['heavy ones as many as a batch may have', 300, [1, 3, 3]],
  ['such that are more than a batch one by one', 5000, [1, 1, 1]],
])('entries are read on: %s', async (_, weight, asked) => {
  const log = logOf(1000, weight);
  let position = 0;
  for (let turn = 0; turn < 3; turn++) position += (await log.read(position + 1)).entries.length;
  expect(log.asked).toEqual(asked);
});

test('a log without the entry that it must have is told by its code', async () => {
  await expect(logOf(3, 1).read(4)).rejects.toMatchObject({ code: 'TOC_LOG_CORRUPT' });
});
