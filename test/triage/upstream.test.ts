import { expect, test } from 'vitest';
import { ServiceGraph, servicesConfig } from '../../src/incident/index.ts';
import { findBlame } from '../../src/triage/upstream.ts';

const graph = new ServiceGraph(
  servicesConfig.parse([
    { name: 'web', depends_on: ['checkout', 'search'] },
    { name: 'checkout', depends_on: ['db'] },
    { name: 'search', depends_on: ['db'] },
    { name: 'db' },
  ]),
  ['service'],
);

test('blame comes to rest where nothing affected is further up, however loud the callers are', () => {
  const blame = findBlame(
    new Map([
      ['web', 30],
      ['checkout', 10],
      ['search', 10],
      ['db', 1],
    ]),
    graph,
  );
  const shares = [...blame].map(([name, { share }]) => [name, share] as const);
  expect(shares.toSorted((a, b) => b[1] - a[1])[0]?.[0]).toBe('db');
  expect(shares.reduce((sum, [, share]) => sum + share, 0)).toBeCloseTo(1);
  expect(blame.get('db')).toMatchObject({ callers: ['web', 'checkout', 'search'], callees: [] });
});

test('where what is between is not affected, blame still finds its way', () => {
  const blame = findBlame(
    new Map([
      ['web', 5],
      ['db', 1],
    ]),
    graph,
  );
  expect(blame.get('db')?.share).toBeGreaterThan(0.8);
});

test('a service that nobody knows is left out', () => {
  expect([...findBlame(new Map([['elsewhere', 5]]), graph)]).toEqual([]);
});
