import type { Standing } from './standing.ts';

/** What a member does next: lead, follow the member of that id, or look again in a moment. */
export type Choice =
  | { readonly kind: 'lead' }
  | { readonly kind: 'follow'; readonly id: string }
  | { readonly kind: 'wait' };

/**
 * Decides from what a member is and what those that it hears say. All that hear each other come to the same leader:
 *
 * - Of two leaders the one of the higher generation stays; of the same generation the one whose id comes first.
 * - A leader whose log is of an older generation than one's own is none.
 * - Without a leader the one with the newest log leads: highest generation, then last position, then first id.
 * - While somebody still hears a leader of a log that is no older, nobody takes its place.
 *
 * There is no majority to ask for: of two members, one that is left must go on. Members that do not hear each other each choose for
 * themselves, as Alertmanager's do.
 */
export function choose(self: Standing, others: readonly Standing[]): Choice {
  const [leader] = others.filter(({ role }) => role === 'leading').toSorted(byRank);
  if (self.role === 'leading')
    return leader && byRank(leader, self) < 0 ? { kind: 'follow', id: leader.id } : { kind: 'lead' };
  if (leader && leader.generation >= self.generation) return { kind: 'follow', id: leader.id };
  const isLed = others.some(
    ({ role, leaderId, generation }) =>
      role === 'following' && leaderId !== self.id && generation >= self.generation,
  );
  if (isLed) return { kind: 'wait' };
  const seeking = others.filter(({ role }) => role === 'seeking');
  return seeking.every((other) => byNewestLog(self, other) < 0) ? { kind: 'lead' } : { kind: 'wait' };
}

function byRank(a: Standing, b: Standing): number {
  return b.generation - a.generation || compare(a.id, b.id);
}

function byNewestLog(a: Standing, b: Standing): number {
  return b.generation - a.generation || b.position - a.position || compare(a.id, b.id);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
