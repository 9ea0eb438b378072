import * as fc from 'fast-check';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { Table } from '../../src/engine/index.ts';
import { Timers } from '../../src/engine/timers.ts';

const acts = fc.array(
  fc.oneof(
    fc.record({ act: fc.constant('set' as const), key: fc.nat(9), at: fc.nat(50) }),
    fc.record({ act: fc.constant('cancel' as const), key: fc.nat(9), at: fc.constant(0) }),
    fc.record({ act: fc.constant('take' as const), key: fc.constant(0), at: fc.nat(50) }),
    fc.record({ act: fc.constant('restore' as const), key: fc.constant(0), at: fc.constant(0) }),
  ),
  { maxLength: 60 },
);

test('the earliest timer is taken first, whatever was set, moved, cancelled and restored before', () => {
  fc.assert(
    fc.property(acts, (acts) => {
      const timers = new Timers(new Table<number>('timers'));
      const model = new Map<string, number>();
      const earliest = () => [...model].toSorted(([a, x], [b, y]) => x - y || (a < b ? -1 : 1))[0];
      for (const { act, key, at } of acts) {
        if (act === 'set') {
          timers.set(`k${key}`, at);
          model.set(`k${key}`, at);
        } else if (act === 'cancel') {
          timers.cancel(`k${key}`);
          model.delete(`k${key}`);
        } else if (act === 'restore') timers.restore();
        else {
          const next = earliest();
          const due = next && next[1] <= at ? { key: next[0], dueMs: next[1] } : undefined;
          expect(timers.takeDue(at)).toEqual(due);
          if (due) model.delete(due.key);
        }
        expect(timers.nextDueMs()).toBe(earliest()?.[1]);
      }
    }),
  );
});

test('timers that are moved on with every alert do not pile up', () => {
  const timers = new Timers(new Table<number>('timers'));
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let round = 1; round <= 20_000; round++) {
    for (let key = 0; key < 100; key++) timers.set(`k${key}`, 1e6 + round);
  }
  collect();
  // Two million nodes that nobody swept would be more than 60 MB.
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(10e6);
  expect(timers.nextDueMs()).toBe(1e6 + 20_000);
});
