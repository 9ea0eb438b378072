import { mkdtemp, open, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkLmdbFile, openLmdbStore } from '../../src/store/index.ts';

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tocsin-lmdb-file-'));
  file = join(folder, 'data.mdb');
  expect(await outcome()).toBe('fine');
  const store = openLmdbStore(folder);
  for (let position = 1; position <= 3; position++) {
    const changes = [{ table: 't', key: `k${position}`, order: position, value: 'x'.repeat(10_000) }];
    await store.stageCheckpoint({ position, timeMs: position, changes }).commit();
  }
  await store.close();
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function outcome(): Promise<string> {
  return checkLmdbFile(folder, 'TOC_STORE_CORRUPT').then(
    () => 'fine',
    (error: { code: string; message: string }) => `${error.code}: ${error.message.replace(folder, '')}`,
  );
}

async function overwrite(start: number, length: number): Promise<void> {
  const handle = await open(file, 'r+');
  await handle.write(Buffer.alloc(length, 0xa5), 0, length, start);
  await handle.close();
}

test('a folder without a file, and a file that was written, are fine', async () => {
  expect(await outcome()).toBe('fine');
});

test('a file that was overwritten is told, whichever of its two heads is gone', async () => {
  await overwrite(4096, 4096);
  expect(await outcome()).toMatch(/^TOC_STORE_CORRUPT: .*overwritten/);
  await overwrite(0, 4096);
  expect(await outcome()).toMatch(/^TOC_STORE_CORRUPT: .*overwritten/);
});

test('a file that was cut off is told', async () => {
  for (const length of [9000, 5000, 100, 10]) {
    await truncate(file, length);
    expect(await outcome()).toMatch(/^TOC_STORE_CORRUPT/);
  }
});
