import type { Lease } from './store.ts';

/** A process of the fleet, as it announces itself. */
export interface FleetMember {
  /** Its name in one life, the same as that of the owner of its leases. */
  readonly id: string;
  /** Where the others reach it, such as `10.0.0.7:9094`. */
  readonly address: string;
  /** What else the others should know of it, such as its role or version. */
  readonly attributes: Readonly<Record<string, string>>;
}

export interface AnnouncedMember extends FleetMember {
  /** How long it is taken to be there without another announcement, as of the store's answer. */
  readonly expiresInMs: number;
}

/**
 * Who is in the fleet and who owns which partition, by the store's clock. What it tells may be old by the time it is read: a lease decides,
 * not the registry. All methods reject with TOC_STORE_UNAVAILABLE (retryable) when the store does not answer.
 */
export interface FleetRegistry {
  /** Enters the member, or takes what it says in place of what it said before; for `ttlMs`, so that one that has died is forgotten. */
  announce(member: FleetMember, ttlMs: number): Promise<void>;
  withdraw(id: string): Promise<void>;
  /** Who is there, in order of ids. */
  members(): Promise<readonly AnnouncedMember[]>;
  /** The leases that somebody holds at the moment, by partition. Asked for all at once: it takes the time of one round trip. */
  leases(partitions: readonly string[]): Promise<ReadonlyMap<string, Lease>>;
}
