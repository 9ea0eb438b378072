import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { choose } from '../../src/cluster/election.ts';
import type { Standing } from '../../src/cluster/standing.ts';

const standing = (id: string, rest: Partial<Standing> = {}): Standing => ({
  id,
  address: `127.0.0.1:${id}`,
  role: 'seeking',
  leaderId: null,
  generation: 0,
  position: 0,
  ...rest,
});

const members = fc
  .uniqueArray(
    fc.record({
      id: fc.string({ minLength: 1, maxLength: 2 }),
      generation: fc.nat(3),
      position: fc.nat(3),
      role: fc.constantFrom('seeking' as const, 'leading' as const),
    }),
    { selector: ({ id }) => id, minLength: 1, maxLength: 6 },
  )
  .map((all) => all.map(({ id, ...rest }) => standing(id, rest)));

test('members that hear each other come to one leader, whoever they are', () => {
  fc.assert(
    fc.property(members, (all) => {
      let now = all;
      // Each in its turn does what it chose; a round for each member and one more is enough for any order.
      for (let round = 0; round <= all.length; round++) {
        for (const { id } of all) {
          const self = now.find((member) => member.id === id)!;
          const others = now.filter((member) => member !== self);
          const choice = choose(self, others);
          const newest = Math.max(...now.map(({ generation }) => generation));
          const next: Standing =
            choice.kind === 'lead'
              ? {
                  ...self,
                  role: 'leading',
                  leaderId: null,
                  generation: self.role === 'leading' ? self.generation : newest + 1,
                }
              : choice.kind === 'follow'
                ? {
                    ...self,
                    role: 'following',
                    leaderId: choice.id,
                    generation: now.find((member) => member.id === choice.id)!.generation,
                  }
                : self;
          now = now.map((member) => (member === self ? next : member));
        }
      }
      const leaders = now.filter(({ role }) => role === 'leading');
      expect(leaders).toHaveLength(1);
      expect(
        now.filter(({ role, leaderId }) => role === 'following' && leaderId === leaders[0]!.id),
      ).toHaveLength(all.length - 1);
    }),
  );
});

test('without a leader the newest log leads, and the first of those that are alike', () => {
  fc.assert(
    fc.property(members, (all) => {
      const seeking = all.map((member): Standing => ({ ...member, role: 'seeking' }));
      const leads = seeking.filter(
        (self) =>
          choose(
            self,
            seeking.filter((other) => other !== self),
          ).kind === 'lead',
      );
      const [best] = seeking.toSorted(
        (a, b) => b.generation - a.generation || b.position - a.position || (a.id < b.id ? -1 : 1),
      );
      expect(leads).toEqual([best]);
    }),
  );
});

test('nobody takes the place of a leader whom somebody hears', () => {
  const self = standing('1', { generation: 3, position: 9 });
  const follower = standing('2', { role: 'following', leaderId: '3', generation: 3 });
  expect(choose(self, [follower])).toEqual({ kind: 'wait' });
  expect(choose(self, [{ ...follower, generation: 2 }])).toEqual({ kind: 'lead' });
});

test('a leader whose log is older than mine is none', () => {
  const self = standing('2', { generation: 5, position: 1 });
  const stale = standing('1', { role: 'leading', generation: 4, position: 100 });
  expect(choose(self, [stale])).toEqual({ kind: 'lead' });
  expect(choose({ ...stale }, [{ ...self, role: 'leading', generation: 6 }])).toEqual({
    kind: 'follow',
    id: '2',
  });
});
