import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { nextMoves, type FleetView } from '../../src/fleet/index.ts';

/** Lets all members act again and again, each by what it sees, until nobody moves any more. */
function settle(view: FleetView): { owners: Map<number, string>; moves: number } {
  const owners = new Map(view.owners);
  let moves = 0;
  for (let round = 0; round < 100; round++) {
    const plans = view.members.map((member) => ({ member, plan: nextMoves({ ...view, owners }, member) }));
    let moved = 0;
    for (const { member, plan } of plans) {
      for (const partition of plan.give)
        if (owners.get(partition) === member) moved += Number(owners.delete(partition));
      for (const partition of plan.take) {
        if (owners.has(partition)) continue;
        owners.set(partition, member);
        moved++;
      }
    }
    if (moved === 0) return { owners, moves };
    moves += moved;
  }
  throw new Error('the members never come to rest');
}

const view = fc
  .record({ memberCount: fc.integer({ min: 1, max: 7 }), partitionCount: fc.integer({ min: 1, max: 20 }) })
  .chain(({ memberCount, partitionCount }) => {
    const members = Array.from({ length: memberCount }, (_, index) => `m${index}`);
    const owner = fc.option(fc.constantFrom(...members, 'dead but not forgotten'), { nil: null });
    return fc.record({
      members: fc.constant(members),
      partitionCount: fc.constant(partitionCount),
      owners: fc
        .array(owner, { minLength: partitionCount, maxLength: partitionCount })
        .map((list) => new Map(list.flatMap((who, index) => (who === null ? [] : [[index, who] as const])))),
    });
  });

test('members come to rest with even shares, whatever it was before', () => {
  fc.assert(
    fc.property(view, ({ members, partitionCount, owners }) => {
      const alive = new Map([...owners].filter(([, who]) => members.includes(who)));
      const end = settle({ members, partitionCount, owners: alive }).owners;
      expect(end.size).toBe(partitionCount);
      const shares = members.map((member) => [...end.values()].filter((who) => who === member).length);
      expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
    }),
    { numRuns: 500 },
  );
});

test('while a dead member has leases, nobody waits for it, and what it had is taken when they are over', () => {
  fc.assert(
    fc.property(view, ({ members, partitionCount, owners }) => {
      const before = settle({ members, partitionCount, owners }).owners;
      const alive = new Map([...before].filter(([, who]) => members.includes(who)));
      expect(settle({ members, partitionCount, owners: alive }).owners.size).toBe(partitionCount);
    }),
  );
});

test('a member that joins costs no more moves than its share, one that leaves no more than it had', () => {
  const partitionCount = 12;
  const three = settle({ members: ['a', 'b', 'c'], partitionCount, owners: new Map() }).owners;
  const four = settle({ members: ['a', 'b', 'c', 'd'], partitionCount, owners: three });
  // Each is given and taken.
  expect(four.moves).toBe(2 * 3);
  const left = new Map([...four.owners].filter(([, who]) => who !== 'b'));
  expect(settle({ members: ['a', 'c', 'd'], partitionCount, owners: left }).moves).toBe(3);
});
