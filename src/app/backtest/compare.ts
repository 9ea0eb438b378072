import type { Funnel } from '../funnel.ts';
import { Overlay, type Agreement, type Regrouped } from './grouping.ts';
import type { FiringPage, IncidentSeen, Outcome } from './outcome.ts';

/** A page of which the other configuration tells nobody: none of its alerts, the time that they fired then. */
export interface LonelyPage {
  readonly page: FiringPage;
  /** What its alerts are in, the most urgent first. */
  readonly incidents: readonly IncidentSeen[];
}

/** Pages of one receiver, or one team. */
export interface PagesOf {
  readonly name: string;
  readonly before: number;
  readonly after: number;
  readonly lost: number;
  readonly gained: number;
}

/** What another configuration changes. */
export interface Comparison {
  readonly alertCount: number;
  readonly before: Funnel;
  readonly after: Funnel;
  readonly lost: readonly LonelyPage[];
  readonly gained: readonly LonelyPage[];
  /** Those of the lost pages whose incident became P1 or P2, under either configuration. */
  readonly lostUrgent: readonly LonelyPage[];
  /** Of the alerts that both tell of, how many are told more than a minute later and earlier. */
  readonly told: { readonly both: number; readonly later: number; readonly earlier: number };
  /** The incidents after against those before, alert by alert. */
  readonly agreement: Agreement;
  readonly splits: readonly Regrouped[];
  readonly merges: readonly Regrouped[];
  readonly byReceiver: readonly PagesOf[];
  readonly byTeam: readonly PagesOf[];
}

const noticeableMs = 60_000;

export function compareOutcomes(before: Outcome, after: Outcome): Comparison {
  const overlay = new Overlay();
  for (const [index, incidentId] of before.incidentOf.entries())
    overlay.add(incidentId, after.incidentOf[index] ?? null);
  const [toldBefore, toldAfter] = [firstTold(before.pages), firstTold(after.pages)];
  const lost = lonely(before, toldAfter);
  const gained = lonely(after, toldBefore);
  const urgentAfter = urgentUnder(after, before);
  const groups = (namesOf: (page: FiringPage) => readonly string[]): PagesOf[] =>
    countBy(
      { before: before.pages, after: after.pages, lost: pagesOf(lost), gained: pagesOf(gained) },
      namesOf,
    );
  return {
    alertCount: before.incidentOf.length,
    before: before.funnel,
    after: after.funnel,
    lost,
    gained,
    lostUrgent: lost.filter(({ incidents }) =>
      incidents.some((each) => isUrgent(each) || urgentAfter.has(each.id)),
    ),
    told: compareTimes(toldBefore, toldAfter),
    agreement: overlay.agreement(),
    splits: overlay.splits(),
    merges: overlay.merges(),
    byReceiver: groups(({ receiver }) => [receiver]),
    byTeam: groups(({ teams }) => teams),
  };
}

/** When each alert was first told of. */
function firstTold(pages: readonly FiringPage[]): Map<string, number> {
  const told = new Map<string, number>();
  for (const { episodes, atMs } of pages)
    for (const episode of episodes) told.set(episode, Math.min(atMs, told.get(episode) ?? Infinity));
  return told;
}

function lonely({ pages, incidents }: Outcome, told: ReadonlyMap<string, number>): LonelyPage[] {
  return pages
    .filter(({ episodes }) => !episodes.some((episode) => told.has(episode)))
    .map((page) => ({
      page,
      incidents: page.incidentIds
        .flatMap((id) => incidents.get(id) ?? [])
        .toSorted((left, right) => (left.priority < right.priority ? -1 : 1)),
    }));
}

/** Incidents of `before` that share an alert with an urgent one of `after`. */
function urgentUnder(after: Outcome, before: Outcome): Set<string> {
  const urgent = new Set<string>();
  for (const [index, incidentId] of after.incidentOf.entries()) {
    const incident = incidentId === null ? undefined : after.incidents.get(incidentId);
    const sharing = before.incidentOf[index];
    if (incident && isUrgent(incident) && sharing) urgent.add(sharing);
  }
  return urgent;
}

function isUrgent({ priority }: IncidentSeen): boolean {
  return priority === 'P1' || priority === 'P2';
}

function compareTimes(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
): Comparison['told'] {
  let [both, later, earlier] = [0, 0, 0];
  for (const [episode, beforeMs] of before) {
    const afterMs = after.get(episode);
    if (afterMs === undefined) continue;
    both++;
    if (afterMs - beforeMs > noticeableMs) later++;
    if (beforeMs - afterMs > noticeableMs) earlier++;
  }
  return { both, later, earlier };
}

function pagesOf(lonelyPages: readonly LonelyPage[]): FiringPage[] {
  return lonelyPages.map(({ page }) => page);
}

type Counted = Omit<PagesOf, 'name'>;

function countBy(
  pages: Readonly<Record<keyof Counted, readonly FiringPage[]>>,
  namesOf: (page: FiringPage) => readonly string[],
): PagesOf[] {
  const counts = new Map<string, Record<keyof Counted, number>>();
  for (const kind of ['before', 'after', 'lost', 'gained'] as const) {
    for (const name of pages[kind].flatMap(namesOf)) {
      const count = counts.get(name) ?? { before: 0, after: 0, lost: 0, gained: 0 };
      count[kind]++;
      counts.set(name, count);
    }
  }
  return Array.from(counts, ([name, count]) => ({ name, ...count })).toSorted(
    (left, right) => right.before + right.after - left.before - left.after,
  );
}
