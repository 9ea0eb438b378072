import { isOutrun, sleep, TocsinError, type Clock } from '../engine/index.ts';
import { nextMoves } from './share.ts';

/** A partition whose lease this process has. */
export interface Holding {
  /** Takes over from the owner before. Rejects when that cannot be. Its lease is renewed meanwhile. */
  start(): Promise<void>;
  /** Resolves when it is owned no longer, or cannot go on: it is to be closed. */
  readonly ended: Promise<TocsinError>;
  /** Goes on with the lease. Resolves with false when another has it. Rejects where the store does not answer. */
  renew(): Promise<boolean>;
  /** Ends it. With `handOver` everything that is under way is finished and written for the next owner. */
  close(end: 'hand over' | 'abandon'): Promise<void>;
}

/** Who is there and who owns what, from the registry that all members share. */
export interface FleetDirectory {
  announce(): Promise<void>;
  withdraw(): Promise<void>;
  /** Ids of those that own partitions, and owners by partition. */
  look(): Promise<{ readonly members: readonly string[]; readonly owners: ReadonlyMap<number, string> }>;
}

export interface StewardOptions {
  /** The id of this member. */
  readonly self: string;
  readonly partitionCount: number;
  /** A lease that is not renewed for so long is free. */
  readonly leaseMs: number;
  readonly directory: FleetDirectory;
  /** Tries to get the lease of the partition. Resolves with null where another was first. */
  readonly acquire: (partition: number) => Promise<Holding | null>;
  readonly clock: Clock;
  readonly onTaken: (partition: number) => void;
  readonly onGone: (partition: number, why: TocsinError | 'handed over') => void;
  /** The registry or the store did not answer, or a partition could not be opened. */
  readonly onTrouble: (error: unknown, partition: number | null) => void;
}

/** So many times within a lease it is renewed. */
const turnsPerLease = 3;
/** For so many leases a member must have been there before it is given what others have: one that comes and goes would cost each time. */
const leasesToSettle = 2;
/** How long a partition is left to others that could not be opened, or failed, here. */
const firstRestMs = 2000;
const longestRestMs = 60_000;

/**
 * Takes partitions, renews their leases, and hands them over when members join.
 *
 * A lease only says whose turn it is; that two never act at once is up to the log (`SharedLog.takeOver`). So a member that cannot reach the
 * registry goes on with what it holds: while nobody can renew a lease, nobody can take one either.
 */
export class Steward {
  readonly #options: StewardOptions;
  readonly #holdings = new Map<number, Holding>();
  /** What is under way, by partition. */
  readonly #taking = new Map<number, Promise<void>>();
  /** Until when a partition is left alone, and how long that was. */
  readonly #resting = new Map<number, { readonly untilMs: number; readonly lengthMs: number }>();
  /** Since when each member has been seen without a break. */
  #seenSince: ReadonlyMap<string, number> = new Map();
  readonly #stop = new AbortController();
  #loop: Promise<void> = Promise.resolve();

  constructor(options: StewardOptions) {
    this.#options = options;
  }

  /** Partitions that this process owns at the moment. */
  get held(): readonly number[] {
    return [...this.#holdings.keys()].toSorted((a, b) => a - b);
  }

  start(): void {
    this.#loop = this.#run();
  }

  /** Hands everything over. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#loop;
    await Promise.all(this.held.map((partition) => this.#end(partition, 'handed over')));
    await Promise.all(this.#taking.values());
    await this.#options.directory.withdraw().catch((error: unknown) => this.#options.onTrouble(error, null));
  }

  async #run(): Promise<void> {
    const { clock, leaseMs, onTrouble } = this.#options;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        await this.#turn();
      } catch (error) {
        onTrouble(error, null);
      }
      await sleep(clock, leaseMs / turnsPerLease, signal);
    }
  }

  async #turn(): Promise<void> {
    const { directory, partitionCount, self } = this.#options;
    await Promise.all([directory.announce(), ...this.held.map((partition) => this.#renew(partition))]);
    const { members, owners } = await directory.look();
    if (this.#stop.signal.aborted || !members.includes(self)) return;
    const { take } = nextMoves({ members, owners, partitionCount }, self);
    const { give } = nextMoves({ members: this.#settled(members), owners, partitionCount }, self);
    for (const partition of give)
      if (this.#holdings.has(partition)) await this.#end(partition, 'handed over');
    for (const partition of take) this.#take(partition);
  }

  /** Those of the members that have come to stay, this one included. */
  #settled(members: readonly string[]): readonly string[] {
    const { self, clock, leaseMs } = this.#options;
    const nowMs = clock.nowMs();
    this.#seenSince = new Map(members.map((member) => [member, this.#seenSince.get(member) ?? nowMs]));
    return members.filter(
      (member) => member === self || nowMs - this.#seenSince.get(member)! >= leasesToSettle * leaseMs,
    );
  }

  async #renew(partition: number): Promise<void> {
    const { onTrouble } = this.#options;
    try {
      if (await this.#holdings.get(partition)?.renew()) return;
    } catch (error) {
      onTrouble(error, partition);
      return;
    }
    await this.#end(partition, new TocsinError('TOC_STORE_FENCED', 'another process has taken the lease'));
  }

  #take(partition: number): void {
    const isResting = (this.#resting.get(partition)?.untilMs ?? -Infinity) > this.#options.clock.nowMs();
    if (isResting || this.#taking.has(partition) || this.#holdings.has(partition)) return;
    const taking = this.#begin(partition).finally(() => this.#taking.delete(partition));
    this.#taking.set(partition, taking);
  }

  async #begin(partition: number): Promise<void> {
    const { acquire, onTaken, onTrouble } = this.#options;
    try {
      const holding = await acquire(partition);
      if (!holding) return;
      // Nobody would end it any more.
      if (this.#stop.signal.aborted) return await holding.close('hand over');
      this.#holdings.set(partition, holding);
      void holding.ended.then((error) => this.#end(partition, error, holding));
      await holding.start();
      this.#resting.delete(partition);
      if (this.#holdings.get(partition) === holding) onTaken(partition);
    } catch (error) {
      onTrouble(error, partition);
      await this.#end(partition, asTocsinError(error));
    }
  }

  async #end(
    partition: number,
    why: TocsinError | 'handed over',
    holding = this.#holdings.get(partition),
  ): Promise<void> {
    const { onGone, onTrouble } = this.#options;
    if (!holding || this.#holdings.get(partition) !== holding) return;
    this.#holdings.delete(partition);
    if (why === 'handed over') this.#resting.delete(partition);
    else if (!isOutrun(why)) this.#rest(partition);
    try {
      await holding.close(why === 'handed over' ? 'hand over' : 'abandon');
    } catch (error) {
      onTrouble(error, partition);
    }
    onGone(partition, why);
  }

  /** Leaves the partition to others for a while, each time for longer. */
  #rest(partition: number): void {
    const { clock } = this.#options;
    const lengthMs = Math.min(2 * (this.#resting.get(partition)?.lengthMs ?? firstRestMs / 2), longestRestMs);
    this.#resting.set(partition, { untilMs: clock.nowMs() + lengthMs, lengthMs });
  }
}

function asTocsinError(cause: unknown): TocsinError {
  return cause instanceof TocsinError
    ? cause
    : new TocsinError('TOC_PARTITION_FAILED', 'this process could not take over', { cause });
}
