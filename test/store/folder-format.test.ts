import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkFolderFormat, makeFolder } from '../../src/store/index.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tocsin-format-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('a folder says in what format it is, from its first use on', async () => {
  await checkFolderFormat(folder);
  expect(await readFile(join(folder, 'format'), 'utf8')).toBe('1\n');
  await checkFolderFormat(folder);
});

test('a folder of a later version is refused by name', async () => {
  await writeFile(join(folder, 'format'), '2\n');
  await expect(checkFolderFormat(folder)).rejects.toMatchObject({
    code: 'TOC_STORE_FORMAT_UNKNOWN',
    message: `${folder} is of format "2", and this version reads 1`,
  });
});

test('a folder is made with those above it, and may be there already', async () => {
  const deep = join(folder, 'a', 'b', 'c');
  await makeFolder(deep);
  await makeFolder(deep);
  expect((await stat(deep)).isDirectory()).toBe(true);
});

test('where the system lets nobody make a folder, that is said at once', async () => {
  await expect(makeFolder('/proc/tocsin')).rejects.toMatchObject({ code: 'ENOENT' });
  await expect(makeFolder('/proc/tocsin/data')).rejects.toMatchObject({ code: 'ENOENT' });
});
