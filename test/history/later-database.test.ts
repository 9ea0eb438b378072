import { expect, test } from 'vitest';
import { LaterDatabase, type HistoryDatabase } from '../../src/history/index.ts';

/** Keeps the lines that it is given. */
function memory(): HistoryDatabase & { readonly lines: string[]; isClosed: boolean } {
  const lines: string[] = [];
  return {
    engine: 'embedded',
    lines,
    isClosed: false,
    async insert(_table, more) {
      lines.push(...more);
    },
    query: async () => [],
    command: async () => undefined,
    async close() {
      this.isClosed = true;
    },
  };
}

const hourMs = 3_600_000;

test('what is written before it is open waits, and is there once somebody is in a hurry', async () => {
  const database = memory();
  const later = new LaterDatabase({
    delayMs: hourMs,
    open: async () => database,
    onMissing: () => undefined,
    onLost: () => undefined,
  });
  const written = later.insert('t', ['a']);
  expect(database.lines).toEqual([]);
  later.hurry();
  await written;
  expect(database.lines).toEqual(['a']);
  await later.close();
  expect(database.isClosed).toBe(true);
});

test('where it cannot be opened, that is told, rows are counted as lost and questions refused', async () => {
  const missing: unknown[] = [];
  let lostCount = 0;
  const later = new LaterDatabase({
    delayMs: 0,
    open: () => Promise.reject(new Error('no engine')),
    onMissing: (error) => missing.push(error),
    onLost: (count) => (lostCount += count),
  });
  await later.insert('t', ['a', 'b']);
  await expect(later.query('SELECT 1')).rejects.toMatchObject({ code: 'TOC_HISTORY_UNAVAILABLE' });
  expect(missing).toHaveLength(1);
  expect(lostCount).toBe(2);
});

test('one that is closed before its time is never opened', async () => {
  let openCount = 0;
  const later = new LaterDatabase({
    delayMs: hourMs,
    open: async () => {
      openCount++;
      return memory();
    },
    onMissing: () => undefined,
    onLost: () => undefined,
  });
  await later.close();
  expect(openCount).toBe(0);
});

test('where nobody may lose rows, opening is tried again, not more often than it should be', async () => {
  const database = memory();
  let openCount = 0;
  const later = new LaterDatabase({
    delayMs: 0,
    open: async () => {
      if (++openCount < 3) throw new Error('the server is too busy');
      return database;
    },
    onMissing: () => undefined,
    onLost: null,
    retryMs: 20,
  });
  await expect
    .poll(() =>
      later.insert('t', ['a']).then(
        () => true,
        () => false,
      ),
    )
    .toBe(true);
  expect([openCount, database.lines]).toEqual([3, ['a']]);
  await later.close();
  expect(database.isClosed).toBe(true);
});

test('where nobody may lose rows, they are refused, and their writer keeps them', async () => {
  const later = new LaterDatabase({
    delayMs: 0,
    open: () => Promise.reject(new Error('tables differ')),
    onMissing: () => undefined,
    onLost: null,
  });
  await expect(later.insert('t', ['a'])).rejects.toMatchObject({ code: 'TOC_HISTORY_UNAVAILABLE' });
});
