import type { Verdict } from '../incident/index.ts';
import type { Told } from './group.ts';
import type { Groups } from './groups.ts';

/** Where an alert is routed and what its groups did about it. */
export interface DispatchExplanation {
  readonly verdict: Verdict;
  readonly groups: readonly {
    readonly key: string;
    readonly receiver: string;
    readonly incidentId: string | null;
    readonly memberCount: number;
    /** The receiver was told that this alert fires. */
    readonly isTold: boolean;
    /** Why the last flush sent nothing; empty when it sent. */
    readonly heldBecause: string;
    readonly lastPageId: string | null;
    readonly lastPageAtMs: number | null;
    readonly nextFlushMs: number | null;
  }[];
}

export interface ExplainSources {
  readonly groups: Groups;
  readonly verdict: Verdict;
  readonly nextFlushMs: (groupId: string) => number | undefined;
  readonly told: (groupId: string) => Told | undefined;
}

export function explainAlert(
  fingerprint: string,
  { groups, verdict, nextFlushMs, told }: ExplainSources,
): DispatchExplanation {
  const ids = groups.routed(fingerprint)?.groupIds ?? [];
  return {
    verdict,
    groups: ids.flatMap((id) => {
      const group = groups.get(id);
      if (!group) return [];
      const last = told(id);
      return {
        key: group.key,
        receiver: group.receiver,
        incidentId: group.incidentId,
        memberCount: group.members.length,
        isTold: last?.firing.includes(fingerprint) ?? false,
        heldBecause: group.heldBecause,
        lastPageId: last?.effectId ?? null,
        lastPageAtMs: last?.atMs ?? null,
        nextFlushMs: nextFlushMs(id) ?? null,
      };
    }),
  };
}
