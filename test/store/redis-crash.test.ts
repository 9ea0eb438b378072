import * as fc from 'fast-check';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TableChange } from '../../src/engine/index.ts';
import {
  connectRedis,
  openRedisStore,
  redisConfig,
  type RedisConnection,
  type StagedCheckpoint,
} from '../../src/store/index.ts';
import { startRedis, type RedisServer } from '../support/redis.ts';
import {
  BreakingConnection,
  CheckpointModel,
  CutProxy,
  RepeatingConnection,
  WatchedConnection,
  inOrder,
  type Fault,
  type RowAct,
} from './redis-scene.ts';

const acts: fc.Arbitrary<RowAct[]> = fc.array(
  fc.record({
    key: fc.constantFrom(...'abcdefgh'.split('')),
    act: fc.constantFrom('put', 'put', 'delete'),
    text: fc.constantFrom('abcd', 'efgh', 'wxyz1'),
  }),
  { minLength: 1, maxLength: 8 },
);

let server: RedisServer;
let connection: RedisConnection;

beforeAll(async () => {
  server = await startRedis();
  connection = await connectRedis(redisConfig.parse({ url: server.url }), 'test');
});
afterAll(async () => {
  await connection.close();
  await server.stop();
});

/** How many commands the commit of the second delta takes. */
async function commandCount(first: readonly RowAct[], second: readonly RowAct[]): Promise<number> {
  const counted = new BreakingConnection(connection);
  const store = openRedisStore(counted, randomUUID());
  const model = new CheckpointModel();
  await store.stageCheckpoint(model.next(first)).commit();
  const before = counted.commandCount;
  await store.stageCheckpoint(model.next(second)).commit();
  return counted.commandCount - before;
}

async function everyBreak(
  first: readonly RowAct[],
  second: readonly RowAct[],
  check: (breakAt: number, fault: Fault) => Promise<void>,
): Promise<void> {
  const count = await commandCount(first, second);
  for (let breakAt = 1; breakAt <= count; breakAt++)
    for (const fault of ['command lost', 'answer lost'] as const) await check(breakAt, fault);
}

test('an owner that dies at any command of a commit leaves the old checkpoint or the new one', async () => {
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(acts, acts, acts, (first, second, third) =>
      everyBreak(first, second, async (breakAt, fault) => {
        let timeMs = 1000;
        const partition = randomUUID();
        const breaking = new BreakingConnection(connection);
        const store = openRedisStore(breaking, partition, { nowMs: () => timeMs });
        const model = new CheckpointModel();
        await store.acquireLease('a', 100);
        await store.stageCheckpoint(model.next(first)).commit();
        const old = model.checkpoint;
        const delta = model.next(second);
        const staged = store.stageCheckpoint(delta);
        breaking.breakAt(breakAt, fault);
        await expect(staged.commit()).rejects.toMatchObject({ code: 'TOC_STORE_UNAVAILABLE' });

        timeMs = 2000;
        const heir = openRedisStore(connection, partition, { nowMs: () => timeMs });
        await heir.acquireLease('b', 100);
        const found = inOrder(await heir.readCheckpoint());
        const isNew = found?.position === delta.position;
        seen.add(isNew ? 'new' : 'old');
        expect(found).toEqual(isNew ? model.checkpoint : old);

        breaking.mend();
        await expect(staged.commit()).rejects.toMatchObject({ code: 'TOC_STORE_FENCED' });
        if (!isNew) await heir.stageCheckpoint(delta).commit();
        await heir.stageCheckpoint(model.next(third)).commit();
        expect(inOrder(await openRedisStore(connection, partition).readCheckpoint())).toEqual(
          model.checkpoint,
        );
      }),
    ),
    { numRuns: 8 },
  );
  expect(seen).toEqual(new Set(['old', 'new']));
});

test('a commit that broke off anywhere is finished when it is called again', async () => {
  await fc.assert(
    fc.asyncProperty(acts, acts, acts, (first, second, third) =>
      everyBreak(first, second, async (breakAt, fault) => {
        const partition = randomUUID();
        const breaking = new BreakingConnection(connection);
        const store = openRedisStore(breaking, partition);
        const model = new CheckpointModel();
        await store.acquireLease('a', 60_000);
        await store.stageCheckpoint(model.next(first)).commit();
        const staged = store.stageCheckpoint(model.next(second));
        breaking.breakAt(breakAt, fault);
        await expect(staged.commit()).rejects.toMatchObject({ code: 'TOC_STORE_UNAVAILABLE' });
        breaking.mend();
        await staged.commit();
        expect(inOrder(await store.readCheckpoint())).toEqual(model.checkpoint);
        await store.stageCheckpoint(model.next(third)).commit();
        expect(inOrder(await openRedisStore(connection, partition).readCheckpoint())).toEqual(
          model.checkpoint,
        );
      }),
    ),
    { numRuns: 8 },
  );
});

test('a command that comes late, or once more, harms no checkpoint', async () => {
  let lateCount = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(acts, { minLength: 2, maxLength: 6 }),
      fc.infiniteStream(
        fc.option(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), { freq: 2 }),
      ),
      async (deltas, picks) => {
        const partition = randomUUID();
        const repeating = new RepeatingConnection(connection, (count) => {
          const pick = picks.next().value;
          if (pick !== null) lateCount++;
          return pick === null ? null : Math.floor(pick * count);
        });
        const store = openRedisStore(repeating, partition);
        const model = new CheckpointModel();
        for (const acts of deltas) {
          const staged = store.stageCheckpoint(model.next(acts));
          await committed(staged);
          expect(inOrder(await openRedisStore(connection, partition).readCheckpoint())).toEqual(
            model.checkpoint,
          );
        }
      },
    ),
    { numRuns: 40 },
  );
  expect(lateCount).toBeGreaterThan(0);
});

test('commands that are each carried out twice write the same checkpoint', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(acts, { minLength: 1, maxLength: 4 }), async (deltas) => {
      const doubling = new WatchedConnection(connection, (_, work) => work());
      const store = openRedisStore(doubling, randomUUID());
      const model = new CheckpointModel();
      await store.acquireLease('a', 60_000);
      for (const acts of deltas) await store.stageCheckpoint(model.next(acts)).commit();
      expect(inOrder(await store.readCheckpoint())).toEqual(model.checkpoint);
    }),
    { numRuns: 10 },
  );
});

test('who reads while a delta is written reads the state before it or after it', async () => {
  const put = (index: number, order: number | null, value: string): TableChange => ({
    table: 't',
    key: `k${index}`,
    order,
    value,
  });
  const first = Array.from({ length: 1200 }, (_, index) => put(index, index + 1, `old ${index}`));
  const second = first.flatMap(({ table, key }, index) => {
    if (index % 3 === 0) return [{ table, key, order: null }];
    return index % 3 === 1 ? [put(index, null, 'new'), put(index + 10_000, index + 10_000, 'more')] : [];
  });
  const seen = new Set<number | undefined>();
  const readWhile = async (writtenCount: number, readCount: number): Promise<boolean> => {
    const partition = randomUUID();
    const breaking = new BreakingConnection(connection);
    const writer = openRedisStore(breaking, partition);
    await writer.stageCheckpoint({ position: 1, timeMs: 1, changes: first }).commit();
    const staged = writer.stageCheckpoint({ position: 2, timeMs: 2, changes: second });
    breaking.breakAt(writtenCount, 'answer lost');
    const isBroken = await staged.commit().then(
      () => false,
      () => true,
    );
    let isFinished = false;
    const watched = new WatchedConnection(connection, async (count) => {
      if (count !== readCount || !isBroken) return;
      breaking.mend();
      await staged.commit();
      isFinished = true;
    });
    const found = inOrder(await openRedisStore(watched, partition).readCheckpoint());
    seen.add(found?.position);
    const after = new Map(first.map((change) => [change.key, change]));
    for (const change of found?.position === 2 ? second : []) {
      const order = change.order ?? after.get(change.key)?.order ?? null;
      if (change.value === undefined) after.delete(change.key);
      else after.set(change.key, { ...change, order });
    }
    expect(found?.rows).toEqual([...after.values()].sort((a, b) => Number(a.order) - Number(b.order)));
    return isFinished;
  };
  for (let writtenCount = 1; await readWhile(writtenCount, 1); writtenCount++)
    for (let readCount = 2; await readWhile(writtenCount, readCount); readCount++);
  expect(seen).toEqual(new Set([1, 2]));
});

/** Commits again as often as it breaks off: that a late command has taken away what is not sealed yet is allowed. */
async function committed(staged: StagedCheckpoint): Promise<void> {
  for (;;)
    try {
      return await staged.commit();
    } catch (error) {
      expect(error).toMatchObject({ code: 'TOC_STORE_UNAVAILABLE' });
    }
}

test('a connection that is cut at any byte harms no checkpoint', async () => {
  const proxy = await CutProxy.start(server.port);
  const cut = await connectRedis(redisConfig.parse({ url: `redis://127.0.0.1:${proxy.port}` }), 'test');
  const partition = randomUUID();
  const store = openRedisStore(cut, partition);
  const model = new CheckpointModel();
  await store.acquireLease('a', 600_000);
  let cutCount = 0;
  await fc.assert(
    fc.asyncProperty(acts, fc.nat(600_000), async (acts, bytes) => {
      const before = model.checkpoint;
      const staged = store.stageCheckpoint(model.next(acts));
      proxy.cutAfter(bytes + 1);
      try {
        await staged.commit();
      } catch (error) {
        cutCount++;
        expect(error).toMatchObject({ code: 'TOC_STORE_UNAVAILABLE' });
        const found = inOrder(await openRedisStore(connection, partition).readCheckpoint());
        const isNew = found?.position === model.checkpoint.position;
        expect(found ?? { ...before, position: 0 }).toEqual(isNew ? model.checkpoint : before);
        await staged.commit();
      }
      proxy.cutAfter(Infinity);
      expect(inOrder(await openRedisStore(connection, partition).readCheckpoint())).toEqual(model.checkpoint);
    }),
    { numRuns: 40, endOnFailure: true },
  );
  expect(cutCount).toBeGreaterThan(0);
  await cut.close();
  await proxy.stop();
});
