import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Fact } from '../../src/engine/index.ts';
import type { PartitionStore } from '../../src/store/index.ts';

export interface StoreUnderTest {
  open(): Promise<PartitionStore>;
  readonly clean: () => Promise<void>;
}

const done: Fact['outcome'] = { status: 'done', result: { delivered: ['webhook[0]'] } };

/** What every adapter of the store must do. */
export function storeContract(name: string, create: () => Promise<StoreUnderTest>): void {
  describe(`store: ${name}`, () => {
    let subject: StoreUnderTest;
    let store: PartitionStore;

    beforeEach(async () => {
      subject = await create();
      store = await subject.open();
    });
    afterEach(async () => {
      await store.close();
      await subject.clean();
    });

    const reopen = async (): Promise<void> => {
      await store.close();
      store = await subject.open();
    };

    test('a new store has no checkpoint', async () => {
      expect(await store.readCheckpoint()).toBeNull();
    });

    test('a store that was reset is as new', async () => {
      const change = { table: 'a', key: 'x', order: 1, value: 1 };
      await store.stageCheckpoint({ position: 1, timeMs: 10, changes: [change] }).commit();
      await store.record('effect', done, 10);
      await store.reset();
      expect([await store.readCheckpoint(), await store.outcomeOf('effect')]).toEqual([null, undefined]);
      await store.stageCheckpoint({ position: 7, timeMs: 20, changes: [] }).commit();
      await reopen();
      expect(await store.readCheckpoint()).toEqual({ position: 7, timeMs: 20, rows: [] });
      expect(await store.forgetOutcomes(100)).toBe(0);
    });

    test('a checkpoint is the sum of its deltas', async () => {
      const put = (key: string, order: number | null, value: unknown) => ({
        table: 'a/b',
        key,
        order,
        value,
      });
      await store
        .stageCheckpoint({ position: 1, timeMs: 10, changes: [put('x', 1, { n: 1 }), put('y', 2, 'why')] })
        .commit();
      await store
        .stageCheckpoint({
          position: 2,
          timeMs: 20,
          changes: [put('x', null, { n: 2 }), { table: 'a/b', key: 'y', order: null }, put('z', 3, [1])],
        })
        .commit();
      await reopen();
      const checkpoint = await store.readCheckpoint();
      expect(checkpoint).toMatchObject({ position: 2, timeMs: 20 });
      expect(checkpoint?.rows.toSorted((a, b) => a.order - b.order)).toEqual([
        put('x', 1, { n: 2 }),
        put('z', 3, [1]),
      ]);
    });

    test('a staged delta is what the rows were when it was staged', async () => {
      const value = { n: 1 };
      const staged = store.stageCheckpoint({
        position: 1,
        timeMs: 1,
        changes: [{ table: 't', key: 'k', order: 1, value }],
      });
      value.n = 2;
      await staged.commit();
      expect((await store.readCheckpoint())?.rows).toEqual([
        { table: 't', key: 'k', order: 1, value: { n: 1 } },
      ]);
    });

    test('keys may be long, alike, or hold any character', async () => {
      const keys = ['a'.repeat(5000), `${'a'.repeat(5000)}b`, 'tab\tzero\u0000', '😀', ''];
      const changes = keys.map((key, index) => ({ table: 't', key, order: index + 1, value: index }));
      await store.stageCheckpoint({ position: 1, timeMs: 1, changes }).commit();
      const rows = (await store.readCheckpoint())?.rows.toSorted((a, b) => a.order - b.order);
      expect(rows?.map(({ key }) => key)).toEqual(keys);
    });

    test('an outcome is kept by effect id until it is old', async () => {
      expect(await store.outcomeOf('INC-1/1/web')).toBeUndefined();
      await store.record('INC-1/1/web', done, 1000);
      await store.record('INC-1/2/web', done, 5000);
      await reopen();
      expect(await store.outcomeOf('INC-1/1/web')).toEqual(done);
      expect(await store.forgetOutcomes(2000)).toBe(1);
      expect(await store.outcomeOf('INC-1/1/web')).toBeUndefined();
      expect(await store.outcomeOf('INC-1/2/web')).toEqual(done);
    });

    test('one owner at a time has the lease, and each new one a higher fencing token', async () => {
      const first = await store.acquireLease('a', 1000, 100);
      expect(first).toMatchObject({ owner: 'a', fencingToken: 1, expiresAtMs: 1100 });
      expect(await store.acquireLease('b', 1050, 100)).toBeNull();
      expect(await store.acquireLease('a', 1060, 100)).toMatchObject({ fencingToken: 1, expiresAtMs: 1160 });
      expect(await store.acquireLease('b', 1160, 100)).toMatchObject({ owner: 'b', fencingToken: 2 });
      await store.releaseLease('a');
      expect(await store.acquireLease('a', 1170, 100)).toBeNull();
      await store.releaseLease('b');
      expect(await store.acquireLease('a', 1171, 100)).toMatchObject({ fencingToken: 3 });
    });
  });
}
