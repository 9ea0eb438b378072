import { expect, test } from 'vitest';
import { Arrivals } from '../../src/calm/arrivals.ts';
import { Table, type StageContext } from '../../src/engine/index.ts';

const windowMs = 300_000;

function create(): {
  readonly arrivals: Arrivals;
  readonly counted: Table<unknown>;
  readonly rates: Table<unknown>;
} {
  const tables = new Map(['counted', 'rates'].map((name) => [name, new Table<unknown>(name)]));
  const context = { table: (name: string) => tables.get(name)! } as unknown as StageContext;
  const arrivals = new Arrivals(context, { window: windowMs });
  return { arrivals, counted: tables.get('counted')!, rates: tables.get('rates')! };
}

test('a flood of new domains makes forgotten what has been silent for longest, and nothing else', () => {
  const { arrivals, counted, rates } = create();
  for (let window = 0; window < 3; window++) {
    arrivals.add('silent', window * windowMs, () => Infinity);
    arrivals.add('busy', window * windowMs, () => Infinity);
  }
  arrivals.add('busy', 3 * windowMs, () => Infinity);
  for (let i = 0; i < 9999; i++) arrivals.add(`flood-${i}`, 3 * windowMs, () => Infinity);
  expect(counted.size).toBe(10_000);
  expect([counted.has('silent'), counted.has('busy')]).toEqual([false, true]);
  expect([...rates.keys()]).toEqual(['busy']);
  expect(arrivals.lastCount('busy', 3 * windowMs)).toBe(1);
});
