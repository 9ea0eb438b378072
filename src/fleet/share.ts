/** Who is there and who owns what, as one member sees it. */
export interface FleetView {
  /** Ids of the members that own partitions, this one included, in any order. */
  readonly members: readonly string[];
  /** Owners by partition; those without an owner are missing. */
  readonly owners: ReadonlyMap<number, string>;
  readonly partitionCount: number;
}

export interface Moves {
  /** Partitions to try to take, in this order. */
  readonly take: readonly number[];
  /** Partitions to hand over. */
  readonly give: readonly number[];
}

/**
 * What a member does about its share. Shares differ by one at most, and the larger ones go to those who hold most already, so that nobody
 * moves a partition without need. All members decide alone, by the same rule from the same view; where their views differ for a moment, a
 * lease decides who gets a partition.
 */
export function nextMoves({ members, owners, partitionCount }: FleetView, self: string): Moves {
  const all = Array.from({ length: partitionCount }, (_, partition) => partition);
  const heldBy = (member: string): number[] => all.filter((partition) => owners.get(partition) === member);
  const ranks = members
    .map((member) => ({ member, count: heldBy(member).length }))
    .toSorted((a, b) => b.count - a.count || (a.member < b.member ? -1 : 1));
  const rank = ranks.findIndex(({ member }) => member === self);
  const share =
    Math.floor(partitionCount / members.length) + (rank < partitionCount % members.length ? 1 : 0);
  const held = heldBy(self);
  const free = all.filter((partition) => !owners.has(partition));
  if (held.length >= share) return { take: [], give: held.slice(share) };
  // Each begins elsewhere, so that they do not all run for the same one.
  const start = Math.floor((rank * free.length) / members.length);
  return { take: [...free.slice(start), ...free.slice(0, start)].slice(0, share - held.length), give: [] };
}
