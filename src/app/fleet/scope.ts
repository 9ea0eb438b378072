/** What ids have in them that a partition gave: incidents, signals, runs and groups are unique over the fleet. */
export function scopeOf(partition: number): string {
  return `p${partition}-`;
}

/** The partition that gave the id of an incident, a signal, a run or a storm; null for other ids. */
export function partitionOfId(id: string): number | null {
  const match = /^(?:INC|sig|run|STORM)-p(\d{1,4})-/.exec(id);
  return match ? Number(match[1]) : null;
}
