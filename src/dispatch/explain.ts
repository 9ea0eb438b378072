import type { Verdict } from '../incident/index.ts';
import type { Departure } from './departures.ts';
import type { Group } from './group.ts';
import type { Groups } from './groups.ts';
import type { Pager } from './pager.ts';
import type { RouteTree } from './route.ts';

/** Where an alert is routed and what its groups did about it. */
export interface DispatchExplanation {
  readonly verdict: Verdict;
  /** The routes that take it, in the order of the tree. */
  readonly routes: readonly { readonly key: string; readonly receiver: string }[];
  readonly groups: readonly ExplainedGroup[];
  /** Groups that it has left as resolved since it fired last. */
  readonly left: readonly Departure[];
}

/** A group that holds the alert. */
export interface ExplainedGroup {
  readonly key: string;
  readonly receiver: string;
  readonly incidentId: string | null;
  readonly memberCount: number;
  /** The receiver was told that this alert fires. */
  readonly isTold: boolean;
  /** Why the last flush sent nothing; empty when it sent. */
  readonly heldBecause: string;
  /** What the receiver of this group was told last. */
  readonly lastPageId: string | null;
  readonly lastPageAtMs: number | null;
  readonly nextFlushMs: number | null;
}

export interface ExplainSources {
  readonly tree: RouteTree;
  readonly groups: Groups;
  readonly pager: Pager;
  readonly verdict: Verdict;
  readonly left: readonly Departure[];
  readonly nextFlushMs: (groupId: string) => number | undefined;
}

export function explainAlert(fingerprint: string, sources: ExplainSources): DispatchExplanation {
  const { tree, groups, verdict, left } = sources;
  const routed = groups.routed(fingerprint);
  const routes = routed ? tree.match(routed.alert.labels) : [];
  return {
    verdict,
    routes: routes.map(({ key, receiver }) => ({ key, receiver })),
    groups: (routed?.groupIds ?? []).map((id) => explainGroup(fingerprint, groups.get(id)!, sources)),
    left,
  };
}

function explainGroup(
  fingerprint: string,
  { id, key, receiver, incidentId, heldBecause }: Group,
  { groups, pager, nextFlushMs }: ExplainSources,
): ExplainedGroup {
  const tellings = Object.values(pager.toldBy(id));
  const told = tellings.toSorted((a, b) => b.atMs - a.atMs)[0];
  return {
    key,
    receiver,
    incidentId,
    memberCount: groups.membersOf(id).size,
    isTold: tellings.some(({ firing }) => firing.includes(fingerprint)),
    heldBecause,
    lastPageId: told?.effectId ?? null,
    lastPageAtMs: told?.atMs ?? null,
    nextFlushMs: nextFlushMs(id) ?? null,
  };
}
