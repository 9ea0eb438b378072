import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ReplicatedLog } from '../../src/cluster/replicated-log.ts';
import type { Entry } from '../../src/engine/index.ts';
import { openLmdbLog, type ReplicaLog } from '../../src/log/index.ts';
import { logContract } from './log.contract.ts';
import { appendAll } from '../support/log.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tocsin-replica-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const entry = (payload: unknown): Entry => ({ kind: 'command', timeMs: 1, payload });
const payloadsOf = async (log: ReplicaLog): Promise<unknown[]> =>
  (await log.read(log.firstPosition, 100)).entries.map(({ payload }) => payload);

logContract('of a leader whose followers keep up', async () => {
  const path = await mkdtemp(join(tmpdir(), 'tocsin-leader-'));
  return {
    open: async () => {
      const local = openLmdbLog(join(path, 'own'));
      const copy = openLmdbLog(join(path, 'copy'));
      let isClosed = false;
      let copying: Promise<void> | null = null;
      const log = new ReplicatedLog(local, () => (isClosed ? Infinity : copy.lastPosition));
      const follow = async (): Promise<void> => {
        while (copy.lastPosition < local.lastPosition) {
          const from = copy.lastPosition === 0 ? local.firstPosition : copy.lastPosition + 1;
          await copy.replicate(from, await local.readBytes(from, 7, 1_000_000));
          log.advance();
        }
        copying = null;
      };
      local.subscribe(() => {
        copying ??= follow();
      });
      log.lead();
      const close = log.close.bind(log);
      log.close = async () => {
        isClosed = true;
        log.advance();
        await copying?.catch(() => undefined);
        await close();
        await copy.close();
      };
      return log;
    },
    clean: () => rm(path, { recursive: true, force: true }),
  };
});

test('a copy is equal to what was copied, byte for byte', async () => {
  const [one, other] = [openLmdbLog(join(folder, 'one')), openLmdbLog(join(folder, 'other'))];
  const seen: unknown[] = [];
  other.subscribe(({ entries }) => seen.push(...entries.map(({ payload }) => payload)));
  await appendAll(one, ['a', { b: '\ud800' }, ['c'.repeat(5000)]].map(entry));
  const bytes = await one.readBytes(1, 10, 1_000_000);
  await other.replicate(1, bytes);
  expect(await other.readBytes(1, 10, 1_000_000)).toEqual(bytes);
  expect(seen).toEqual(await payloadsOf(one));
  expect(await other.append(entry('own'))).toMatchObject({ position: 4 });
  await Promise.all([one.close(), other.close()]);
});

test('bytes are read up to a limit, but at least one entry', async () => {
  const log = openLmdbLog(join(folder, 'log'));
  await appendAll(log, ['x'.repeat(1000), 'y', 'z'].map(entry));
  const counts = [1, 1100, 10_000].map(async (limit) => (await log.readBytes(1, 10, limit)).length);
  expect(await Promise.all(counts)).toEqual([1, 2, 3]);
  expect(await log.readBytes(2, 1, 10_000)).toHaveLength(1);
  expect(await log.readBytes(4, 10, 10_000)).toEqual([]);
  await log.close();
});

test('a copy may begin anywhere, and leaves no gap afterwards', async () => {
  const [one, other] = [openLmdbLog(join(folder, 'one')), openLmdbLog(join(folder, 'other'))];
  await appendAll(one, ['a', 'b', 'c', 'd', 'e'].map(entry));
  await other.replicate(3, await one.readBytes(3, 1, 1000));
  expect([other.firstPosition, other.lastPosition]).toEqual([3, 3]);
  await expect(other.replicate(5, await one.readBytes(5, 1, 1000))).rejects.toThrow(RangeError);
  await other.replicate(4, await one.readBytes(4, 2, 1000));
  expect(await payloadsOf(other)).toEqual(['c', 'd', 'e']);
  await Promise.all([one.close(), other.close()]);
});

test('what is no entry is refused, and nothing of it kept', async () => {
  const log = openLmdbLog(join(folder, 'log'));
  await expect(log.replicate(1, [Buffer.from('no entry')])).rejects.toMatchObject({
    code: 'TOC_LOG_CORRUPT',
  });
  expect(await log.append(entry('a'))).toMatchObject({ position: 1 });
  await log.close();
});

test('a log that was reset begins anew, also after a restart', async () => {
  let log = openLmdbLog(join(folder, 'log'));
  await appendAll(log, ['a', 'b'].map(entry));
  await log.reset();
  expect([log.firstPosition, log.lastPosition, log.lastTimeMs]).toEqual([1, 0, -Infinity]);
  await log.close();
  log = openLmdbLog(join(folder, 'log'));
  expect(await log.append(entry('c'))).toMatchObject({ position: 1 });
  await log.close();
});

test('an entry is handed over, and its append answered, once the followers have it', async () => {
  let replicated = 0;
  const local = openLmdbLog(join(folder, 'log'));
  const log = new ReplicatedLog(local, () => replicated);
  const seen: unknown[] = [];
  log.subscribe(({ entries }) => seen.push(...entries.map(({ payload }) => payload)));
  log.lead();
  const appends = [appendAll(log, [entry('a'), entry('b')]), log.append(entry('c'))];
  const isDurable = new Promise<void>((resolve) =>
    local.subscribe(() => local.lastPosition === 3 && resolve()),
  );
  await isDurable;
  expect([seen, log.lastPosition, (await log.read(1, 10)).entries]).toEqual([[], 0, []]);
  replicated = 2;
  log.advance();
  await appends[0];
  expect([seen, log.lastPosition]).toEqual([['a', 'b'], 2]);
  log.resign();
  await expect(appends[1]).rejects.toMatchObject({ code: 'TOC_CLUSTER_NO_LEADER' });
  await log.close();
});
