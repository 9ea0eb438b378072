import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RowBatch } from '../../src/history/spill-segment.ts';
import { Spill } from '../../src/history/spill.ts';

const mib = 1024 * 1024;
let folder = '';
let drops: { readonly count: number; readonly reason: string }[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tocsin-spill-'));
  drops = [];
});

afterEach(() => rmSync(folder, { recursive: true }));

function open(maxBytes = 64 * mib): Promise<Spill> {
  return Spill.open({ folder, maxBytes, onDropped: (count, reason) => drops.push({ count, reason }) });
}

function batch(from: number, count: number, table = 'alerts', padding = ''): RowBatch {
  return {
    table,
    lines: Array.from({ length: count }, (_, i) => JSON.stringify({ n: from + i, ключ: padding })),
  };
}

/** Takes everything there is, in pieces, and gives the numbers of its rows. */
async function drain(spill: Spill, maxRows = 10_000): Promise<number[]> {
  const numbers: number[] = [];
  for (;;) {
    const batches = await spill.peek(maxRows, 4 * mib);
    if (batches.length === 0) return numbers;
    for (const { lines } of batches)
      numbers.push(...lines.map((line) => (JSON.parse(line) as { n: number }).n));
    await spill.take();
  }
}

function files(): string[] {
  return readdirSync(folder)
    .toSorted()
    .map((name) => join(folder, name));
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

describe('spill', () => {
  test('rows come back in order, after any number of openings, and leave nothing behind', async () => {
    for (let i = 0; i < 5; i++) {
      const spill = await open();
      await spill.append([batch(i * 10, 6), batch(i * 10 + 6, 4, 'signals')]);
      expect(spill.rowCount).toBe((i + 1) * 10);
      await spill.close();
    }
    const spill = await open();
    expect(await drain(spill, 7)).toEqual(upTo(50));
    expect([spill.rowCount, spill.bytes, files()]).toEqual([0, 0, []]);
    await spill.append([batch(50, 3)]);
    expect(await drain(spill)).toEqual([50, 51, 52]);
    await spill.close();
  });

  test('small records are gathered by table, up to the bound on rows', async () => {
    const spill = await open();
    for (let i = 0; i < 6; i++) await spill.append([batch(2 * i, 1), batch(2 * i + 1, 1, 'signals')]);
    const first = await spill.peek(8, mib);
    expect(first.map(({ table, lines }) => [table, lines.length])).toEqual([
      ['alerts', 4],
      ['signals', 4],
    ]);
    expect(await spill.peek(8, mib)).toEqual(first);
    await spill.take();
    expect(spill.rowCount).toBe(4);
    await spill.close();
  });

  test('what was appended while others are taken is not lost', async () => {
    const spill = await open();
    const taken: number[] = [];
    let next = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 20 }), async (sizes) => {
        const appends = sizes.map((size) => spill.append([batch((next += size) - size, size)]));
        taken.push(...(await drain(spill, 5)));
        await Promise.all(appends);
        taken.push(...(await drain(spill, 5)));
      }),
      { numRuns: 20 },
    );
    expect(taken).toEqual(upTo(next));
    await spill.close();
  });

  test('a file that ends anywhere gives every record that is whole, and what comes after it', async () => {
    const whole = await open();
    const ends: number[] = [0];
    for (let i = 0; i < 4; i++) {
      await whole.append([batch(i * 3, 3)]);
      ends.push(whole.bytes);
    }
    await whole.close();
    const [path = ''] = files();
    const content = readFileSync(path);
    const cuts = [...ends, ...ends.slice(1).flatMap((end) => [end - 1, end - 20]), 1, 15, 16, 17];
    for (const cut of cuts) {
      writeFileSync(path, content);
      truncateSync(path, cut);
      const spill = await open();
      const wholeCount = ends.filter((end) => end > 0 && end <= cut).length * 3;
      expect(spill.rowCount, `cut at ${cut}`).toBe(wholeCount);
      await spill.append([batch(900, 1)]);
      expect(await drain(spill), `cut at ${cut}`).toEqual([...upTo(wholeCount), 900]);
      expect(files()).toEqual([]);
      await spill.close();
    }
    expect(drops).toEqual([]);
  });

  test('a record that is not what was written is counted with what follows in its file, and the next file is read', async () => {
    for (const from of [0, 10, 20]) {
      const spill = await open();
      await spill.append([batch(from, 5)]);
      await spill.append([batch(from + 5, 5)]);
      await spill.close();
    }
    const [, second = ''] = files();
    const content = readFileSync(second);
    content[content.length - 3]! ^= 1;
    writeFileSync(second, content);
    const spill = await open();
    expect(await drain(spill)).toEqual([...upTo(15), ...upTo(10).map((i) => 20 + i)]);
    expect(drops).toEqual([{ count: 5, reason: 'spill_corrupt' }]);
    await spill.close();
  });

  test('above the bound the oldest rows go, and every row is either given back or counted', async () => {
    const spill = await open(mib);
    const padding = 'x'.repeat(1_000);
    for (let i = 0; i < 100; i++) {
      await spill.append([batch(i * 50, 50, 'alerts', padding)]);
      const onDisk = files().reduce((sum, file) => sum + statSync(file).size, 0);
      expect(onDisk).toBe(spill.bytes);
      expect(onDisk).toBeLessThan(mib + 60_000);
    }
    const left = await drain(spill);
    const droppedCount = drops.reduce((sum, { count }) => sum + count, 0);
    expect(left).toEqual(upTo(5_000).slice(droppedCount));
    expect(left.length).toBeGreaterThan(500);
    expect(new Set(drops.map(({ reason }) => reason))).toEqual(new Set(['spill_full']));
    await spill.close();
  });

  test('rows that are dropped while somebody sends them are not taken twice', async () => {
    const spill = await open(mib);
    const padding = 'x'.repeat(1_000);
    await spill.append([batch(0, 50, 'alerts', padding)]);
    expect(await spill.peek(10_000, mib)).toHaveLength(1);
    for (let i = 1; i < 40; i++) await spill.append([batch(i * 50, 50, 'alerts', padding)]);
    expect(drops.length).toBeGreaterThan(0);
    const before = spill.rowCount;
    await spill.take();
    expect(spill.rowCount).toBe(before);
    expect(await drain(spill)).toHaveLength(before);
    await spill.close();
  });

  test('a bound that was made smaller holds from the next opening on', async () => {
    const spill = await open();
    for (let i = 0; i < 40; i++) await spill.append([batch(i * 1_000, 1_000, 'alerts', 'x'.repeat(1_000))]);
    await spill.close();
    const smaller = await open(20 * mib);
    expect(smaller.bytes).toBeLessThanOrEqual(20 * mib);
    expect(drops.reduce((sum, { count }) => sum + count, 0) + smaller.rowCount).toBe(40_000);
    await smaller.close();
  });
});
