import type { FleetDirectory } from '../../fleet/index.ts';
import type { FleetRegistry } from '../../store/index.ts';

export interface DirectoryOptions {
  readonly registry: FleetRegistry;
  readonly self: string;
  readonly address: string;
  readonly partitionCount: number;
  /** A member that has not announced itself for so long is gone. */
  readonly ttlMs: number;
  /** Who owns which partition, whenever the registry was looked at. */
  readonly onSeen: (owners: ReadonlyMap<number, string>) => void;
  /** The registry did not answer, or refused. */
  readonly onAway: (error: unknown) => void;
}

/** The fleet as its owners see it, in the registry. */
export function createDirectory({
  registry,
  self,
  address,
  partitionCount,
  ttlMs,
  onSeen,
  onAway,
}: DirectoryOptions): FleetDirectory {
  const partitions = Array.from({ length: partitionCount }, (_, partition) => String(partition));
  const asked = async <Answer>(answer: Promise<Answer>): Promise<Answer> => {
    try {
      return await answer;
    } catch (error) {
      onAway(error);
      throw error;
    }
  };
  return {
    announce: () => asked(registry.announce({ id: self, address, attributes: { role: 'owner' } }, ttlMs)),
    withdraw: () => registry.withdraw(self),
    async look() {
      const [members, leases] = await asked(Promise.all([registry.members(), registry.leases(partitions)]));
      const owners = new Map([...leases].map(([partition, { owner }]) => [Number(partition), owner]));
      onSeen(owners);
      return { members: members.map(({ id }) => id), owners };
    },
  };
}
