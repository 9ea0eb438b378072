import { expect, test } from 'vitest';
import { watchWriters } from '../../src/app/fleet/watched-writers.ts';
import { TocsinError } from '../../src/engine/index.ts';
import type { LogEntry } from '../../src/incident/index.ts';

const entry: LogEntry = { kind: 'tick', timeMs: 1, payload: null };

test('a log that does not take an entry is named until it takes one, for a minute at most', async () => {
  let error: Error | null = null;
  let nowMs = 0;
  const writer = {
    trouble: null,
    append: async () => {
      if (error) throw error;
      return { position: 1, entry };
    },
  };
  const watched = watchWriters([writer, writer], () => nowMs);
  error = new TocsinError('TOC_LOG_UNAVAILABLE', 'the stream does not take entries');
  await expect(watched.writers[1]!.append(entry)).rejects.toThrow(error);
  expect(watched.troubles()).toEqual([
    { code: 'TOC_LOG_UNAVAILABLE', message: 'partition 1: the stream does not take entries' },
  ]);
  error = null;
  await watched.writers[0]!.append(entry);
  expect(watched.troubles()).toHaveLength(1);
  nowMs = 60_000;
  expect(watched.troubles()).toEqual([]);
  nowMs = 0;
  await watched.writers[1]!.append(entry);
  expect(watched.troubles()).toEqual([]);
});

test('an entry that is too large says nothing of the log', async () => {
  const tooLarge = new TocsinError('TOC_LOG_ENTRY_TOO_LARGE', 'an entry is larger than the stream takes');
  const watched = watchWriters(
    [
      {
        trouble: null,
        append: async () => {
          throw tooLarge;
        },
      },
    ],
    () => 0,
  );
  await expect(watched.writers[0]!.append(entry)).rejects.toThrow(tooLarge);
  expect(watched.troubles()).toEqual([]);
});

test('no log takes anything while each has a trouble of its own', () => {
  const gone = new TocsinError('TOC_LOG_UNAVAILABLE', 'the stream does not answer');
  const writers = [null, null].map((trouble: TocsinError | null) => ({
    trouble,
    append: async () => ({ position: 1, entry }),
  }));
  const watched = watchWriters(writers, () => 0);
  expect(watched.areAllAway()).toBe(false);
  writers[0]!.trouble = gone;
  expect(watched.areAllAway()).toBe(false);
  writers[1]!.trouble = gone;
  expect(watched.areAllAway()).toBe(true);
});
