import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Fact } from '../../src/engine/index.ts';
import type { PartitionStore } from '../../src/store/index.ts';

export interface StoreUnderTest {
  /** Opens the store, which may be open already. */
  open(): Promise<PartitionStore>;
  readonly clean: () => Promise<void>;
}

const done: Fact['outcome'] = { status: 'done', result: { delivered: ['webhook[0]'] } };

/** What every adapter of the store must do. `create` is given the clock of leases. */
export function storeContract(name: string, create: (nowMs: () => number) => Promise<StoreUnderTest>): void {
  describe(`store: ${name}`, () => {
    let timeMs = 0;
    let subject: StoreUnderTest;
    let store: PartitionStore;

    beforeEach(async () => {
      timeMs = 1000;
      subject = await create(() => timeMs);
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

    test('what was forgotten may be many', async () => {
      for (let index = 0; index < 2500; index++) await store.record(`effect ${index}`, done, index);
      expect(await store.forgetOutcomes(2400)).toBe(2400);
      expect(await store.forgetOutcomes(2400)).toBe(0);
      expect(await store.outcomeOf('effect 2399')).toBeUndefined();
      expect(await store.outcomeOf('effect 2400')).toEqual(done);
    });

    test('one that was recorded again is as old as its last record', async () => {
      await store.record('effect', done, 1000);
      await store.record('effect', done, 5000);
      expect(await store.forgetOutcomes(2000)).toBe(0);
      expect(await store.outcomeOf('effect')).toEqual(done);
    });

    test('a delta may be large', async () => {
      const value = 'x'.repeat(300);
      const changes = Array.from({ length: 5000 }, (_, index) => ({
        table: 't',
        key: `row ${index}`,
        order: index + 1,
        value: index === 7 ? value.repeat(3000) : value,
      }));
      await store.stageCheckpoint({ position: 1, timeMs: 1, changes }).commit();
      const removed = changes.slice(1000, 4000).map(({ table, key }) => ({ table, key, order: null }));
      await store.stageCheckpoint({ position: 2, timeMs: 2, changes: removed }).commit();
      await reopen();
      const rows = (await store.readCheckpoint())?.rows.toSorted((a, b) => a.order - b.order);
      expect(rows).toEqual([...changes.slice(0, 1000), ...changes.slice(4000)]);
    });

    test('a delta that was written may be written again', async () => {
      const change = { table: 'a', key: 'x', order: 1, value: 1 };
      const staged = store.stageCheckpoint({ position: 1, timeMs: 10, changes: [change] });
      await staged.commit();
      await staged.commit();
      const expected = { position: 1, timeMs: 10, rows: [change] };
      expect(await store.readCheckpoint()).toEqual(expected);
    });

    test('one owner at a time has the lease, and each new one a higher fencing token', async () => {
      const acquireAt = (atMs: number, owner: string) => {
        timeMs = atMs;
        return store.acquireLease(owner, 100);
      };
      expect(await store.readLease()).toBeNull();
      expect(await acquireAt(1000, 'a')).toEqual({
        owner: 'a',
        fencingToken: 1,
        expiresAtMs: 1100,
        expiresInMs: 100,
      });
      expect(await acquireAt(1050, 'b')).toBeNull();
      expect(await acquireAt(1060, 'a')).toMatchObject({ fencingToken: 1, expiresAtMs: 1160 });
      expect(await acquireAt(1160, 'b')).toMatchObject({ owner: 'b', fencingToken: 2 });
      await store.releaseLease('a');
      expect(await acquireAt(1170, 'a')).toBeNull();
      await store.releaseLease('b');
      expect(await acquireAt(1171, 'a')).toMatchObject({ fencingToken: 3 });
    });

    test('a lease that was released was over then, or before', async () => {
      await store.acquireLease('a', 100);
      timeMs += 30;
      await store.releaseLease('a');
      expect(await store.readLease()).toMatchObject({ owner: 'a', expiresAtMs: timeMs, expiresInMs: 0 });
      await store.acquireLease('b', 100);
      const untilMs = timeMs + 100;
      timeMs += 500;
      await store.releaseLease('b');
      expect(await store.readLease()).toMatchObject({ owner: 'b', expiresAtMs: untilMs });
    });

    test('whoever asks is told whose lease it is and how long it goes on', async () => {
      await store.acquireLease('a', 100);
      timeMs = 1030;
      const lease = { owner: 'a', fencingToken: 1, expiresAtMs: 1100 };
      expect(await store.readLease()).toEqual({ ...lease, expiresInMs: 70 });
      timeMs = 2000;
      expect(await store.readLease()).toEqual({ ...lease, expiresInMs: 0 });
    });

    test('a token is at least what the log asks for, and rises from there', async () => {
      expect(await store.acquireLease('a', 100, 41)).toMatchObject({ fencingToken: 41 });
      expect(await store.acquireLease('a', 100, 41)).toMatchObject({ fencingToken: 41 });
      timeMs = 1200;
      expect(await store.acquireLease('b', 100, 7)).toMatchObject({ fencingToken: 42 });
    });

    test('who lost the lease writes no more, and breaks nothing', async () => {
      const rival = await subject.open();
      const change = { table: 'a', key: 'x', order: 1, value: 'mine' };
      await store.acquireLease('a', 100);
      const staged = store.stageCheckpoint({ position: 1, timeMs: 10, changes: [change] });
      timeMs = 1200;
      await rival.acquireLease('b', 100);
      const refused = { code: 'TOC_STORE_FENCED' };
      await expect(staged.commit()).rejects.toMatchObject(refused);
      await expect(store.record('effect', done, 1)).rejects.toMatchObject(refused);
      await expect(store.reset()).rejects.toMatchObject(refused);
      await rival
        .stageCheckpoint({ position: 2, timeMs: 20, changes: [{ ...change, value: 'theirs' }] })
        .commit();
      await rival.record('other', done, 1);
      await expect(store.forgetOutcomes(100)).rejects.toMatchObject(refused);
      const expected = { position: 2, rows: [{ value: 'theirs' }] };
      expect(await store.readCheckpoint()).toMatchObject(expected);
      expect([await store.outcomeOf('effect'), await store.outcomeOf('other')]).toEqual([undefined, done]);
      timeMs = 1400;
      expect(await store.acquireLease('a', 100)).toMatchObject({ fencingToken: 3 });
      await store.record('effect', done, 1);
      await rival.close();
    });
  });
}
