import type { FleetDirectory } from '../../fleet/index.ts';
import type { FleetRegistry } from '../../store/index.ts';

export interface DirectoryOptions {
  readonly registry: FleetRegistry;
  readonly self: string;
  readonly address: string;
  readonly partitionCount: number;
  /** A member that has not announced itself for so long is gone. */
  readonly ttlMs: number;
}

/** The fleet as its owners see it, in the registry. */
export function createDirectory({
  registry,
  self,
  address,
  partitionCount,
  ttlMs,
}: DirectoryOptions): FleetDirectory {
  const partitions = Array.from({ length: partitionCount }, (_, partition) => String(partition));
  return {
    announce: () => registry.announce({ id: self, address, attributes: { role: 'owner' } }, ttlMs),
    withdraw: () => registry.withdraw(self),
    async look() {
      const [members, leases] = await Promise.all([registry.members(), registry.leases(partitions)]);
      return {
        members: members.map(({ id }) => id),
        owners: new Map([...leases].map(([partition, { owner }]) => [Number(partition), owner])),
      };
    },
  };
}
