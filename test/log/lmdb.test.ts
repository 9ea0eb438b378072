import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { open } from 'lmdb';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { encodeEntry, openLmdbLog } from '../../src/log/index.ts';
import type { Entry } from '../../src/engine/index.ts';

const child = new URL('lmdb-child.ts', import.meta.url).pathname;
let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tocsin-log-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('a process that is killed loses no acknowledged entry, time after time', async () => {
  const acknowledged: { readonly position: number; readonly text: string }[] = [];
  for (const lifeMs of [150, 60, 220]) {
    const running = spawn(process.execPath, [child, folder, 'endless'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    running.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    await once(running.stdout, 'data');
    await sleep(lifeMs);
    running.kill('SIGKILL');
    await once(running, 'close');
    const lines = output.split('\n').slice(0, -1);
    acknowledged.push(...lines.map((line) => JSON.parse(line) as (typeof acknowledged)[number]));
  }
  expect(acknowledged.length).toBeGreaterThan(100);
  const log = openLmdbLog(folder);
  const { entries } = await log.read(1, log.lastPosition);
  for (const { position, text } of acknowledged)
    expect(entries[position - 1]).toMatchObject({ payload: [text, expect.any(String)] });
  await log.close();
});

test('a full disk is told as TOC_LOG_UNAVAILABLE, leaves no gap, and the log goes on once there is room', async () => {
  const script = `ulimit -f 2000; trap '' XFSZ; exec "$0" "$1" "$2" full`;
  const { stdout, status } = spawnSync('bash', ['-c', script, process.execPath, child, folder], {
    encoding: 'utf8',
  });
  expect(status).toBe(0);
  const { codes, lastPosition, read } = JSON.parse(stdout) as {
    codes: string[];
    lastPosition: number;
    read: number;
  };
  expect(codes).toEqual(['TOC_LOG_UNAVAILABLE']);
  expect(read).toBe(lastPosition);
  const log = openLmdbLog(folder);
  expect(log.lastPosition).toBe(lastPosition);
  const { position } = await log.append({ kind: 'tick', timeMs: 2, payload: null });
  expect(position).toBe(lastPosition + 1);
  expect((await log.read(1, position)).entries).toHaveLength(position);
  await log.close();
});

test('positions go on past 32 bits', async () => {
  const late = 2 ** 32 + 5;
  const tick: Entry = { kind: 'tick', timeMs: 7, payload: null };
  await put(late, encodeEntry(tick).bytes);
  const log = openLmdbLog(folder);
  expect([log.firstPosition, log.lastPosition]).toEqual([late, late]);
  expect((await log.append(tick)).position).toBe(late + 1);
  expect((await log.read(late, 9)).entries).toEqual([tick, tick]);
  await log.close();
});

test('a last entry that cannot be read is told when the log is opened', async () => {
  await put(1, Buffer.from('{"kind":'));
  expect(() => openLmdbLog(folder)).toThrow(expect.objectContaining({ code: 'TOC_LOG_CORRUPT' }));
});

test('an entry that is missing in the middle is told when it is read', async () => {
  for (const position of [1, 3]) {
    await put(position, encodeEntry({ kind: 'tick', timeMs: position, payload: null }).bytes);
  }
  const log = openLmdbLog(folder);
  await expect(log.read(1, 3)).rejects.toMatchObject({ code: 'TOC_LOG_GAP' });
  await log.close();
});

test('a folder that cannot be used is told as TOC_LOG_UNAVAILABLE', async () => {
  const file = join(folder, 'file');
  await writeFile(file, 'in the way');
  await chmod(file, 0o400);
  expect(() => openLmdbLog(join(file, 'log'))).toThrow(
    expect.objectContaining({ code: 'TOC_LOG_UNAVAILABLE' }),
  );
});

async function put(position: number, bytes: Uint8Array): Promise<void> {
  const database = open<Uint8Array, number>({
    path: folder,
    encoding: 'binary',
    maxDbs: 1,
    compression: true,
    overlappingSync: false,
    eventTurnBatching: false,
  });
  await database.put(position, bytes);
  await database.close();
}
