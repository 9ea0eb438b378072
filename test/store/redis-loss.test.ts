import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Fact, TableChange } from '../../src/engine/index.ts';
import {
  connectRedis,
  openRedisStore,
  redisConfig,
  type PartitionStore,
  type RedisConnection,
} from '../../src/store/index.ts';
import { startRedis, type RedisServer } from '../support/redis.ts';
import { BreakingConnection, inOrder } from './redis-scene.ts';

const done: Fact['outcome'] = { status: 'done', result: null };
const rows = (count: number, value: unknown = 'v'): TableChange[] =>
  Array.from({ length: count }, (_, index) => ({ table: 't', key: `k${index}`, order: index + 1, value }));

describe('a Redis that has lost data', () => {
  let server: RedisServer;
  let connection: RedisConnection;
  let store: PartitionStore;
  let turn = 0;

  const keyOf = (what: string): string => `tocsin:{p${turn}}:${what}`;

  beforeAll(async () => {
    server = await startRedis();
    connection = await connectRedis(redisConfig.parse({ url: server.url }), 'test');
  });
  beforeEach(() => {
    store = openRedisStore(connection, `p${++turn}`);
  });
  afterAll(async () => {
    await connection.close();
    await server.stop();
  });

  test('that of everything reads as a new store, refuses who wrote before, and goes on with higher tokens', async () => {
    await store.acquireLease('a', 60_000, 5);
    await store.stageCheckpoint({ position: 1, timeMs: 1, changes: rows(3) }).commit();
    await server.admin.flushall();
    await expect(
      store.stageCheckpoint({ position: 2, timeMs: 2, changes: [] }).commit(),
    ).rejects.toMatchObject({ code: 'TOC_STORE_FENCED' });
    await expect(store.record('effect', done, 1)).rejects.toMatchObject({ code: 'TOC_STORE_FENCED' });
    expect([await store.readCheckpoint(), await store.readLease()]).toEqual([null, null]);
    const heir = openRedisStore(connection, `p${turn}`);
    expect(await heir.acquireLease('b', 60_000, 6)).toMatchObject({ fencingToken: 6 });
    await heir.stageCheckpoint({ position: 9, timeMs: 9, changes: rows(1) }).commit();
    expect(await heir.readCheckpoint()).toMatchObject({ position: 9, rows: [{ key: 'k0' }] });
  });

  test('an owner that takes its lease again cannot write a delta on what is no longer there', async () => {
    await store.acquireLease('a', 60_000, 5);
    await store.stageCheckpoint({ position: 1, timeMs: 1, changes: rows(3) }).commit();
    await server.admin.flushall();
    await store.acquireLease('a', 60_000, 5);
    const staged = store.stageCheckpoint({ position: 2, timeMs: 2, changes: [] });
    await expect(staged.commit()).rejects.toMatchObject({ code: 'TOC_STORE_ROLLED_BACK' });
    expect(await store.readCheckpoint()).toBeNull();
    await store.stageCheckpoint({ position: 2, timeMs: 2, changes: rows(1) }).commit();
    expect(await store.readCheckpoint()).toMatchObject({ position: 2, rows: [{ key: 'k0' }] });
  });

  test('a checkpoint that was set back to an older one takes no later delta', async () => {
    await store.acquireLease('a', 60_000);
    await store.stageCheckpoint({ position: 1, timeMs: 1, changes: rows(3) }).commit();
    const keys = ['lease', 'head', 'rows'].map(keyOf);
    const snapshot = await Promise.all(keys.map((key) => server.admin.dumpBuffer(key)));
    await store.stageCheckpoint({ position: 2, timeMs: 2, changes: rows(5) }).commit();
    for (const [index, key] of keys.entries())
      await server.admin.restore(key, 0, snapshot[index]!, 'REPLACE');
    const staged = store.stageCheckpoint({ position: 3, timeMs: 3, changes: rows(1) });
    await expect(staged.commit()).rejects.toMatchObject({ code: 'TOC_STORE_ROLLED_BACK' });
    const heir = openRedisStore(connection, `p${turn}`);
    expect(await heir.readCheckpoint()).toMatchObject({ position: 1, rows: [{}, {}, {}] });
  });

  test('the whole state takes the place of what there was, once its end is committed', async () => {
    await store.acquireLease('a', 60_000);
    await store.stageCheckpoint({ position: 1, timeMs: 1, changes: rows(5) }).commit();
    const whole = store.replaceCheckpoint!();
    await whole.write(rows(3, 'anew'));
    const changed: TableChange[] = [
      { table: 't', key: 'k1', order: null, value: 'later' },
      { table: 't', key: 'k2', order: null },
      { table: 't', key: 'k9', order: 9, value: 'new' },
    ];
    const end = whole.finish({ position: 7, timeMs: 7, changes: changed });
    expect(await openRedisStore(connection, `p${turn}`).readCheckpoint()).toMatchObject({
      position: 1,
      rows: { length: 5 },
    });
    await end.commit();
    await end.commit();
    const expected = [
      { table: 't', key: 'k0', order: 1, value: 'anew' },
      { table: 't', key: 'k1', order: 2, value: 'later' },
      { table: 't', key: 'k9', order: 9, value: 'new' },
    ];
    expect(inOrder(await store.readCheckpoint())).toEqual({ position: 7, timeMs: 7, rows: expected });
    await store.stageCheckpoint({ position: 8, timeMs: 8, changes: [] }).commit();
    expect(inOrder(await store.readCheckpoint())).toEqual({ position: 8, timeMs: 8, rows: expected });
  });

  test('a whole state of which Redis lost a part is refused, and the next is taken', async () => {
    await store.acquireLease('a', 60_000, 5);
    const whole = store.replaceCheckpoint!();
    await whole.write(rows(3));
    await server.admin.flushall();
    await store.acquireLease('a', 60_000, 5);
    await expect(whole.finish({ position: 7, timeMs: 7, changes: [] }).commit()).rejects.toMatchObject({
      code: 'TOC_STORE_ROLLED_BACK',
    });
    expect(await store.readCheckpoint()).toBeNull();
    const next = store.replaceCheckpoint!();
    await next.write(rows(3));
    await next.finish({ position: 7, timeMs: 7, changes: [] }).commit();
    expect(await store.readCheckpoint()).toMatchObject({ position: 7, rows: { length: 3 } });
  });

  test('a checkpoint that lost what was sealed gives way to a whole state', async () => {
    const breaking = new BreakingConnection(connection);
    const dying = openRedisStore(breaking, `p${turn}`);
    const staged = dying.stageCheckpoint({ position: 1, timeMs: 1, changes: rows(20) });
    breaking.breakAt(3, 'answer lost');
    await expect(staged.commit()).rejects.toMatchObject({ code: 'TOC_STORE_UNAVAILABLE' });
    await server.admin.del(keyOf('journal'));
    await expect(store.readCheckpoint()).rejects.toMatchObject({ code: 'TOC_STORE_CORRUPT' });
    const whole = store.replaceCheckpoint!();
    await whole.write(rows(2));
    await whole.finish({ position: 3, timeMs: 3, changes: [] }).commit();
    expect(await store.readCheckpoint()).toMatchObject({ position: 3, rows: { length: 2 } });
  });

  test('two lives with the same token, after a failover that lost one, do not write under each other', async () => {
    await store.acquireLease('a', 60_000);
    await server.admin.del(keyOf('lease'));
    const rival = openRedisStore(connection, `p${turn}`);
    expect(await rival.acquireLease('b', 60_000)).toMatchObject({ fencingToken: 1 });
    await expect(store.record('effect', done, 1)).rejects.toMatchObject({ code: 'TOC_STORE_FENCED' });
  });

  test.each([
    ['a row', () => server.admin.hdel(keyOf('rows'), 't\u0000k7')],
    ['all rows', () => server.admin.del(keyOf('rows'))],
    ['the order and content of a row', () => server.admin.hset(keyOf('rows'), 't\u0000k7', 'xyz')],
  ])('a checkpoint that lacks %s is corrupt, and never a smaller state', async (_, harm) => {
    await store.stageCheckpoint({ position: 1, timeMs: 1, changes: rows(200) }).commit();
    await harm();
    await expect(store.readCheckpoint()).rejects.toMatchObject({ code: 'TOC_STORE_CORRUPT' });
  });

  test('a checkpoint that lacks what was sealed is corrupt', async () => {
    const breaking = new BreakingConnection(connection);
    const dying = openRedisStore(breaking, `p${turn}`);
    const staged = dying.stageCheckpoint({ position: 1, timeMs: 1, changes: rows(20) });
    breaking.breakAt(3, 'answer lost');
    await expect(staged.commit()).rejects.toMatchObject({ code: 'TOC_STORE_UNAVAILABLE' });
    expect(await store.readCheckpoint()).toMatchObject({ position: 1, rows: { length: 20 } });
    await server.admin.del(keyOf('journal'));
    const refused = { code: 'TOC_STORE_CORRUPT' };
    await expect(store.readCheckpoint()).rejects.toMatchObject(refused);
    await expect(
      store.stageCheckpoint({ position: 2, timeMs: 2, changes: [] }).commit(),
    ).rejects.toMatchObject(refused);
    await store.reset();
    expect(await store.readCheckpoint()).toBeNull();
  });

  test('rows without a head are none', async () => {
    await store.stageCheckpoint({ position: 1, timeMs: 1, changes: rows(20) }).commit();
    await server.admin.del(keyOf('head'));
    expect(await store.readCheckpoint()).toBeNull();
    await store.stageCheckpoint({ position: 2, timeMs: 2, changes: rows(2) }).commit();
    expect(await store.readCheckpoint()).toMatchObject({ position: 2, rows: { length: 2 } });
  });
});
