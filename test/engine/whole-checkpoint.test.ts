import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { CheckpointWriter, Table, TocsinError, type TableChange } from '../../src/engine/index.ts';

type Rows = Map<string, { readonly order: number; readonly value: unknown }>;

/** What a store makes of changes, one after the other. */
function take(rows: Rows, changes: readonly TableChange[]): void {
  for (const { key, order, value } of changes) {
    if (value === undefined) rows.delete(key);
    else rows.set(key, { order: order ?? rows.get(key)!.order, value });
  }
}

const inOrder = (rows: Rows): [string, unknown][] =>
  [...rows]
    .toSorted(([, a], [, b]) => a.order - b.order)
    .map(([key, { value }]): [string, unknown] => [key, value]);

const acts = fc.array(fc.record({ key: fc.nat(9).map((key) => `k${key}`), value: fc.option(fc.nat(99)) }), {
  maxLength: 12,
});

function act(table: Table<number>, changes: readonly { key: string; value: number | null }[]): void {
  for (const { key, value } of changes) {
    if (value === null) table.delete(key);
    else table.set(key, value);
  }
}

test('parts of a table and what changes meanwhile are what the table holds in the end, in its order', () => {
  fc.assert(
    fc.property(acts, acts, fc.array(acts, { maxLength: 8 }), fc.integer({ min: 1, max: 4 }), (...given) => {
      const [first, second, meanwhile, maxCount] = given;
      const table = new Table<number>('t');
      act(table, first);
      table.takeChanges();
      act(table, second);
      const rows: Rows = new Map();
      let turn = 0;
      for (const part of table.walk(maxCount)) {
        take(rows, part);
        act(table, meanwhile[turn++] ?? []);
      }
      take(rows, table.takeChanges());
      expect(inOrder(rows)).toEqual([...table.entries()]);
    }),
  );
});

/** A table with a writer, over a store that keeps what it is given and can lose it. */
function createScene() {
  const table = new Table<number>('t');
  let position = 0;
  const store = { rows: new Map() as Rows, position: 0, isRolledBack: false };
  const snapshot = { rows: null as Rows | null, isDue: false };
  const errors: unknown[] = [];
  const writer = new CheckpointWriter({
    fold: {
      get timeMs() {
        return position;
      },
      get newCount() {
        return table.newCount;
      },
      walk: (maxCount) => table.walk(maxCount),
      takeCheckpoint: () => ({ position, timeMs: position, changes: table.takeChanges() }),
    },
    store: {
      readCheckpoint: async () => null,
      stageCheckpoint: (delta) => ({
        async commit() {
          if (store.isRolledBack) throw new TocsinError('TOC_STORE_ROLLED_BACK', 'lost');
          take(store.rows, delta.changes);
          store.position = delta.position;
        },
      }),
      replaceCheckpoint() {
        const rows: Rows = new Map();
        return {
          write: async (part) => take(rows, part),
          finish: (last) => ({
            async commit() {
              take(rows, last.changes);
              Object.assign(store, { rows, position: last.position, isRolledBack: false });
            },
          }),
        };
      },
    },
    snapshots: {
      isDue: () => snapshot.isDue,
      begin() {
        snapshot.isDue = false;
        const rows: Rows = new Map();
        return {
          write: async (part) => take(rows, part),
          finish: (last) => ({
            async commit() {
              take(rows, last.changes);
              snapshot.rows = rows;
            },
          }),
        };
      },
      readAfter: async () => null,
    },
    sink: null,
    intervalMs: 1,
    onError: (error) => errors.push(error),
  });
  return {
    table,
    store,
    snapshot,
    writer,
    errors,
    fold: async (changes: Record<string, number>): Promise<void> => {
      position++;
      for (const [key, value] of Object.entries(changes)) table.set(key, value);
      writer.offer();
      await writer.settled();
    },
  };
}

test('a store that has lost what it had is given the whole state, and deltas after that', async () => {
  const { store, fold, errors } = createScene();
  await fold({ a: 1, b: 2 });
  Object.assign(store, { rows: new Map(), position: 0, isRolledBack: true });
  await fold({ c: 3 });
  expect(errors).toMatchObject([{ code: 'TOC_STORE_ROLLED_BACK' }]);
  await fold({ a: 4 });
  await fold({ d: 5 });
  expect(inOrder(store.rows)).toEqual([
    ['a', 4],
    ['b', 2],
    ['c', 3],
    ['d', 5],
  ]);
  await fold({ e: 6 });
  expect([store.position, store.rows.size, errors.length]).toEqual([5, 5, 1]);
});

test('a snapshot that is due is the state of the checkpoint that ends it', async () => {
  const { store, snapshot, fold } = createScene();
  await fold({ a: 1, b: 2 });
  snapshot.isDue = true;
  await fold({ b: 3 });
  await fold({ c: 4 });
  expect(inOrder(snapshot.rows!)).toEqual(inOrder(store.rows));
  expect(inOrder(snapshot.rows!)).toEqual([
    ['a', 1],
    ['b', 3],
    ['c', 4],
  ]);
  await fold({ d: 5 });
  expect(inOrder(store.rows)).toHaveLength(4);
});

test('whoever stops writes the whole state where the store has lost it', async () => {
  const { store, fold, writer } = createScene();
  await fold({ a: 1, b: 2 });
  Object.assign(store, { rows: new Map(), position: 0, isRolledBack: true });
  await fold({ c: 3 });
  await writer.finish();
  expect(inOrder(store.rows)).toEqual([
    ['a', 1],
    ['b', 2],
    ['c', 3],
  ]);
});
