import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  HistoryWriter,
  type DropReason,
  type HistoryDatabase,
  type HistoryWriterOptions,
} from '../../src/history/index.ts';
import { FakeDatabase, numberedRows as rows } from './fake-database.ts';

interface Drop {
  readonly count: number;
  readonly reason: DropReason;
}

function createWriter(
  database: HistoryDatabase,
  options: Partial<HistoryWriterOptions> = {},
): { readonly writer: HistoryWriter; readonly drops: Drop[] } {
  const drops: Drop[] = [];
  const writer = new HistoryWriter(database, {
    partition: '0',
    flushIntervalMs: 10,
    maxBatchRows: 100,
    maxBufferedRows: 1_000,
    maxBufferedBytes: 10_000_000,
    onDropped: (count, reason) => drops.push({ count, reason }),
    ...options,
  });
  return { writer, drops };
}

describe('writer', () => {
  test('rows arrive by themselves, in order', async () => {
    const database = new FakeDatabase();
    const { writer } = createWriter(database);
    writer.write(rows(0, 5));
    writer.write(rows(5, 7));
    await expect.poll(() => database.rows.length).toBe(7);
    expect(database.rows.map(({ row_id }) => row_id)).toEqual([
      '0/0',
      '1/0',
      '2/0',
      '3/0',
      '4/0',
      '5/0',
      '6/0',
    ]);
    expect(database.insertSizes).toEqual([7]);
    expect(writer.pendingCount).toBe(0);
  });

  test('flushed means every row given so far is stored, whatever their tables', async () => {
    const plan = fc.array(
      fc.tuple(fc.constantFrom('alerts', 'signals', 'pages'), fc.integer({ min: 1, max: 40 })),
      {
        minLength: 1,
        maxLength: 20,
      },
    );
    await fc.assert(
      fc.asyncProperty(plan, fc.integer({ min: 1, max: 60 }), async (writes, maxBatchRows) => {
        const database = new FakeDatabase();
        const { writer } = createWriter(database, { maxBatchRows });
        let count = 0;
        const checks: Promise<void>[] = [];
        for (const [table, size] of writes) {
          writer.write(rows(count, count + size, table));
          count += size;
          const expected = count;
          const check = async (): Promise<void> => {
            await writer.flushed();
            const stored = new Set(database.rows.map(({ row_id }) => Number.parseInt(row_id, 10)));
            for (let i = 0; i < expected; i++) expect(stored.has(i)).toBe(true);
          };
          checks.push(check());
          await Promise.resolve();
        }
        await Promise.all(checks);
        expect(database.rows).toHaveLength(count);
      }),
      { numRuns: 50 },
    );
  });

  test('a failing history is tried again until it takes the rows', async () => {
    const database = new FakeDatabase();
    database.failuresLeft = 2;
    const attempts: number[] = [];
    const { writer, drops } = createWriter(database, {
      onRetry: (_error, attempt) => attempts.push(attempt),
    });
    writer.write(rows(0, 3));
    await writer.flushed();
    expect(attempts).toEqual([1, 2]);
    expect(database.rows).toHaveLength(3);
    expect(drops).toEqual([]);
  });

  test('a row that the engine refuses is dropped alone', async () => {
    const database = new FakeDatabase();
    database.isRefused = (line) => line.includes('"33/0"') || line.includes('"71/0"');
    const { writer, drops } = createWriter(database);
    writer.write(rows(0, 100));
    await writer.flushed();
    expect(database.rows).toHaveLength(98);
    expect(drops).toEqual([
      { count: 1, reason: 'refused' },
      { count: 1, reason: 'refused' },
    ]);
  });

  test('above the bound the oldest waiting rows are dropped and counted, and flushed still waits for the rest', async () => {
    const database = new FakeDatabase();
    const gate = Promise.withResolvers<void>();
    database.gate = gate.promise;
    const { writer, drops } = createWriter(database, { maxBatchRows: 10, maxBufferedRows: 50 });
    writer.write(rows(0, 10));
    writer.write(rows(10, 60));
    writer.write(rows(60, 80));
    let isFlushed = false;
    const flushed = writer.flushed().then(() => (isFlushed = true));
    expect(writer.pendingCount).toBe(50);
    expect(drops.reduce((sum, { count }) => sum + count, 0)).toBe(30);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(isFlushed).toBe(false);
    gate.resolve();
    await flushed;
    const stored = database.rows.map(({ row_id }) => Number.parseInt(row_id, 10));
    expect(stored).toEqual([...Array(10).keys(), ...Array.from({ length: 40 }, (_, i) => 40 + i)]);
  });

  test('the bound on bytes holds for few but large rows', () => {
    const database = new FakeDatabase();
    database.gate = Promise.withResolvers<void>().promise;
    const { writer, drops } = createWriter(database, { maxBufferedBytes: 10_000 });
    writer.write(rows(0, 20, 'alerts', 'x'.repeat(2_000)));
    expect(writer.pendingCount).toBe(4);
    expect(drops).toEqual([{ count: 16, reason: 'buffer_full' }]);
  });

  test('close writes what is left', async () => {
    const database = new FakeDatabase();
    const { writer, drops } = createWriter(database, { flushIntervalMs: 60_000 });
    writer.write(rows(0, 5));
    await writer.close(1_000);
    expect(database.rows).toHaveLength(5);
    writer.write(rows(5, 6));
    expect(drops).toEqual([{ count: 1, reason: 'closed' }]);
  });

  test('close gives up on a history that does not answer, and says what is lost', async () => {
    const database = new FakeDatabase();
    database.failuresLeft = Number.POSITIVE_INFINITY;
    const { writer, drops } = createWriter(database, { maxBatchRows: 3 });
    writer.write(rows(0, 5));
    await writer.close(50);
    expect(drops.reduce((sum, { count }) => sum + count, 0)).toBe(5);
    expect(drops.every(({ reason }) => reason === 'closed')).toBe(true);
    expect(writer.pendingCount).toBe(0);
  });
});
