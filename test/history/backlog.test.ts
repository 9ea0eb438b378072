import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TocsinError } from '../../src/engine/index.ts';
import { HistoryWriter, type HistoryWriterOptions } from '../../src/history/index.ts';
import { FakeDatabase, numberedRows } from './fake-database.ts';

let folder = '';
let drops: { readonly count: number; readonly reason: string }[] = [];
let backlog: boolean[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tocsin-backlog-'));
  drops = [];
  backlog = [];
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function open(database: FakeDatabase, change: Partial<HistoryWriterOptions> = {}): Promise<HistoryWriter> {
  return HistoryWriter.open(database, {
    partition: '0',
    flushIntervalMs: 5,
    maxBatchRows: 100,
    maxBufferedRows: 1_000,
    maxBufferedBytes: 10_000_000,
    spill: { folder: join(folder, 'spill'), maxBytes: 8 * 1024 * 1024 },
    onDropped: (count, reason) => drops.push({ count, reason }),
    onBacklog: (isWaiting) => backlog.push(isWaiting),
    ...change,
  });
}

function numbersOf(database: FakeDatabase): number[] {
  return database.rows.map(({ row_id }) => Number.parseInt(row_id, 10));
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

describe('rows while the history is away', () => {
  test('are flushed once they are on the disk, and arrive in order when it is back', async () => {
    const database = new FakeDatabase();
    database.isAway = true;
    const writer = await open(database);
    for (let i = 0; i < 30; i++) {
      writer.write(numberedRows(i * 100, i * 100 + 100));
      await writer.flushed();
    }
    expect(database.rows).toEqual([]);
    expect([writer.spilledCount, writer.pendingCount]).toEqual([3_000, 3_000]);
    expect(writer.spilledBytes).toBeGreaterThan(0);
    database.isAway = false;
    await expect.poll(() => backlog, { timeout: 5_000 }).toEqual([true, false]);
    expect(writer.spilledCount).toBe(0);
    expect(numbersOf(database)).toEqual(upTo(3_000));
    writer.write(numberedRows(3_000, 3_050));
    await writer.flushed();
    expect(numbersOf(database)).toEqual(upTo(3_050));
    expect(backlog).toEqual([true, false]);
    expect(drops).toEqual([]);
    await writer.close(1_000);
  });

  test('are sent by the next process, with those that come meanwhile', async () => {
    const away = new FakeDatabase();
    away.isAway = true;
    const before = await open(away);
    before.write([...numberedRows(0, 250), ...numberedRows(250, 260, 'signals')]);
    await before.flushed();
    await before.close(1_000);
    const database = new FakeDatabase();
    const after = await open(database);
    after.write(numberedRows(260, 300));
    await after.flushed();
    await expect.poll(() => after.pendingCount).toBe(0);
    expect(numbersOf(database).toSorted((a, b) => a - b)).toEqual(upTo(300));
    expect(database.rows.filter(({ table }) => table === 'signals')).toHaveLength(10);
    await after.close(1_000);
    expect(readdirSync(join(folder, 'spill'))).toEqual([]);
  });

  test('go to the disk when the process ends while a server keeps silent', async () => {
    const database = new FakeDatabase();
    database.gate = Promise.withResolvers<void>().promise;
    const writer = await open(database);
    writer.write(numberedRows(0, 500));
    const flushed = writer.flushed();
    await writer.close(20);
    await flushed;
    expect(drops).toEqual([]);
    const next = new FakeDatabase();
    const writerAfter = await open(next);
    await expect.poll(() => writerAfter.pendingCount).toBe(0);
    expect(numbersOf(next).toSorted((a, b) => a - b)).toEqual(upTo(500));
    await writerAfter.close(1_000);
  });

  test('are passed over one by one where the engine refuses them', async () => {
    const database = new FakeDatabase();
    database.isAway = true;
    database.isRefused = (line) => line.includes('"33/0"') || line.includes('"71/0"');
    const writer = await open(database);
    writer.write(numberedRows(0, 100));
    await writer.flushed();
    database.isAway = false;
    await expect.poll(() => writer.pendingCount, { timeout: 5_000 }).toBe(0);
    expect(database.rows).toHaveLength(98);
    expect(drops).toEqual([
      { count: 1, reason: 'refused' },
      { count: 1, reason: 'refused' },
    ]);
    await writer.close(1_000);
  });

  test('wait in memory where the disk does not take them', async () => {
    writeFileSync(join(folder, 'spill'), 'a file, and no folder');
    const failures: unknown[] = [];
    const database = new FakeDatabase();
    database.failuresLeft = 1;
    const writer = await open(database, { onSpillFailure: (error) => failures.push(error) });
    expect(failures).toHaveLength(1);
    writer.write(numberedRows(0, 10));
    await writer.flushed();
    expect(numbersOf(database)).toEqual(upTo(10));
    await writer.close(1_000);
  });

  test('that do not fit on the disk are counted', async () => {
    const database = new FakeDatabase();
    database.isAway = true;
    const writer = await open(database, { spill: { folder: join(folder, 'spill'), maxBytes: 1024 * 1024 } });
    for (let i = 0; i < 50; i++) {
      writer.write(numberedRows(i * 40, i * 40 + 40, 'alerts', 'x'.repeat(1_000)));
      await writer.flushed();
    }
    const droppedCount = drops.reduce((sum, { count }) => sum + count, 0);
    expect(droppedCount).toBeGreaterThan(0);
    expect(writer.spilledCount + droppedCount).toBe(2_000);
    expect(drops.every(({ reason }) => reason === 'spill_full')).toBe(true);
    await writer.close(1_000);
  });

  test('the history says what is wrong with it at each attempt', async () => {
    const database = new FakeDatabase();
    database.failuresLeft = 3;
    const codes: string[] = [];
    const writer = await open(database, { onRetry: (error: TocsinError) => codes.push(error.code) });
    writer.write(numberedRows(0, 5));
    await expect.poll(() => database.rows.length, { timeout: 5_000 }).toBe(5);
    expect(codes).toEqual(['TOC_HISTORY_UNAVAILABLE', 'TOC_HISTORY_UNAVAILABLE']);
    await writer.close(1_000);
  });
});
