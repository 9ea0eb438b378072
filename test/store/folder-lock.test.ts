import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lockFolder } from '../../src/store/index.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tocsin-lock-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('one holder at a time; what was released can be had again', async () => {
  const lock = await lockFolder(folder);
  await expect(lockFolder(folder)).rejects.toMatchObject({ code: 'TOC_STORE_LOCKED' });
  await lock.release();
  await (await lockFolder(folder)).release();
});

test('a lock file of another kind is told with what to do', async () => {
  await writeFile(join(folder, 'lock'), '4711'.repeat(1000));
  await expect(lockFolder(folder)).rejects.toMatchObject({
    code: 'TOC_STORE_UNAVAILABLE',
    message: expect.stringMatching(/remove it when no other Tocsin works there/) as string,
  });
});
