import type { Fault } from './faults.ts';
import { leadsOf } from './leads.ts';
import type { TocsinVictim } from './victim.ts';

/** How long partitions were without a leader after the one that led them was killed, as the owners' logs tell. */
export function failoverText(
  faults: readonly Fault[],
  owners: readonly Pick<TocsinVictim, 'name' | 'logFile'>[],
): string {
  const leads = owners.flatMap(leadsOf).toSorted((a, b) => a.atMs - b.atMs);
  const waits: number[] = [];
  for (const { kind, victim, beganMs } of faults) {
    if (kind !== 'kill') continue;
    const killedMs = performance.timeOrigin + beganMs;
    for (const ofPartition of Map.groupBy(leads, ({ partition }) => partition).values()) {
      const last = ofPartition.findLast(({ atMs }) => atMs <= killedMs);
      if (last?.owner !== victim || !last.begins) continue;
      const next = ofPartition.find(({ atMs, begins }) => atMs > killedMs && begins);
      waits.push(next ? next.atMs - killedMs : Infinity);
    }
  }
  if (waits.length === 0) return 'no owner was killed while it led a partition';
  const sorted = waits.toSorted((a, b) => a - b);
  const seconds = (ms: number): string => (ms / 1000).toFixed(1);
  const median = sorted[Math.floor(sorted.length / 2)]!;
  return `${waits.length} partitions lost a leader that was killed, and were led again after ${seconds(median)} s (median), ${seconds(sorted.at(-1)!)} s (at most)`;
}
