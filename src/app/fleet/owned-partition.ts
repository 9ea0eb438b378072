import { TocsinError, type Clock } from '../../engine/index.ts';
import type { Holding } from '../../fleet/index.ts';
import type { HistorySink } from '../../engine/index.ts';
import type { LogEntry } from '../../incident/index.ts';
import {
  openJetStreamLog,
  openJetStreamSnapshots,
  type JetStreamLogOptions,
  type SharedLog,
  type Snapshots,
} from '../../log/index.ts';
import type { Lease, PartitionStore } from '../../store/index.ts';
import type { ConfigInForce } from '../config-in-force.ts';
import { createLogClock } from '../log-clock.ts';
import type { Logger } from '../logger.ts';
import { createPartition, type Partition, type PartitionOptions } from '../partition.ts';

export interface OwnedPartitionOptions extends Pick<
  PartitionOptions,
  'scope' | 'scorer' | 'publisher' | 'print' | 'telemetry'
> {
  readonly self: string;
  readonly leaseMs: number;
  readonly log: JetStreamLogOptions<LogEntry>;
  readonly store: PartitionStore;
  readonly recall: PartitionOptions['history']['recall'];
  readonly sink: HistorySink | null;
  readonly inForce: ConfigInForce;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Lets others ask the partition, from when it is up to date; returns what ends that. */
  readonly answer: (partition: Partition) => () => void;
}

/**
 * A process that takes a partition on has the lease for so many times its length: it reads a checkpoint and folds what the log holds
 * since, and to lose the lease over that would only make the next one begin with the same.
 */
const startLeases = 4;

/**
 * Gets the lease of a partition; null where another process has it. Whoever gets it folds what the log holds and then takes the log over,
 * which is what keeps the owner before from going on.
 */
export async function acquirePartition(options: OwnedPartitionOptions): Promise<OwnedPartition | null> {
  const { store, self, leaseMs } = options;
  try {
    const former = await store.readLease();
    const lease = await store.acquireLease(self, startLeases * leaseMs);
    if (lease) return new OwnedPartition(options, lease, former);
  } catch (error) {
    await store.close();
    throw error;
  }
  await store.close();
  return null;
}

export class OwnedPartition implements Holding {
  readonly ended: Promise<TocsinError>;
  readonly #end: (error: TocsinError) => void;
  readonly #options: OwnedPartitionOptions;
  #lease: Lease;
  /** The lease before, whose owner may have acted until it was over. */
  readonly #former: Lease | null;
  #log: SharedLog<LogEntry> | null = null;
  #snapshots: Snapshots | null = null;
  #partition: Partition | null = null;
  #unanswer: (() => void) | null = null;
  #hasTakenOver = false;
  #isClosed = false;
  #isReleased = false;

  constructor(options: OwnedPartitionOptions, lease: Lease, former: Lease | null) {
    this.#options = options;
    this.#lease = lease;
    this.#former = former;
    const { promise, resolve } = Promise.withResolvers<TocsinError>();
    this.ended = promise;
    this.#end = resolve;
  }

  /** The partition once it is led; null before. */
  get led(): Partition | null {
    return this.#unanswer ? this.#partition : null;
  }

  /** Why the log of the partition cannot be followed at the moment; null while it can. */
  get trouble(): TocsinError | null {
    return this.#log?.trouble ?? null;
  }

  async start(): Promise<void> {
    try {
      await this.#takeOver();
    } finally {
      // What was opened while it was given up is known to nobody else.
      if (this.#isClosed) await this.#stopParts();
    }
  }

  async #takeOver(): Promise<void> {
    const {
      inForce,
      store,
      self,
      leaseMs,
      clock: below,
      logger,
      answer,
      sink,
      recall,
      ...parts
    } = this.#options;
    const log = await openJetStreamLog({
      ...parts.log,
      onTrouble: (trouble) => tellTrouble(trouble, logger),
    });
    this.#log = log;
    void log.failed.then(this.#end);
    const snapshots = await openJetStreamSnapshots(parts.log);
    this.#snapshots = snapshots;
    const clock = createLogClock(below, logger);
    const partition = createPartition({
      ...parts,
      config: inForce.config,
      templates: inForce.templates,
      log,
      store,
      snapshots,
      history: { sink, recall },
      clock,
      logger,
      leads: false,
      // A claim is refused by the log where another has taken it over.
      assertLeading: async () => undefined,
      assertStillLeading: () =>
        log.assertOwned(leaseMs / 4, { kind: 'tick', timeMs: clock.nowMs(), payload: null }),
    });
    this.#partition = partition;
    void partition.failed.then(this.#end);
    await partition.owner.start();
    this.#assertOpen();
    const { fold, stages } = partition;
    await this.#riseAbove(fold.ownership?.fencingToken ?? 0);
    const lastOwner = fold.ownership?.name;
    const { position, before } = await log.takeOver({
      kind: 'owner',
      // Takes no time with it: what falls due meanwhile is for the new owner to see.
      timeMs: fold.position === 0 ? clock.nowMs() : fold.timeMs,
      payload: { name: self, fencingToken: this.#lease.fencingToken, log: log.identity },
    });
    log.subscribe(({ entries }) => this.#lookForSuccessor(entries));
    // What took long is done: from now on it would be missed as soon as any other. Where Redis does not answer, the log decides.
    this.#hasTakenOver = true;
    if (!(await this.renew().catch(() => true)))
      throw new TocsinError('TOC_STORE_FENCED', 'another process has taken the lease');
    clock.advanceTo(fold.timeMs);
    await partition.lead(await inForce.payload(), this.#followedUntil(lastOwner, before));
    // Says that this owner got as far as this, where nothing else does: see `#followedUntil`.
    if (log.lastPosition === position)
      await log.append({ kind: 'tick', timeMs: clock.nowMs(), payload: null });
    this.#assertOpen();
    this.#unanswer = answer(partition);
    logger.info({ position: fold.position, alerts: stages.intake.size }, 'The partition is led.');
  }

  async renew(): Promise<boolean> {
    if (this.#isReleased) return false;
    const { store, self, leaseMs } = this.#options;
    const lengthMs = this.#hasTakenOver ? leaseMs : startLeases * leaseMs;
    const lease = await store.acquireLease(self, lengthMs, this.#lease.fencingToken);
    if (lease) this.#lease = lease;
    return lease !== null;
  }

  async close(end: 'hand over' | 'abandon'): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const { store, self } = this.#options;
    const isHandedOver = end === 'hand over' && this.#unanswer !== null;
    this.#unanswer?.();
    // Who has not begun to lead, or leads no more, may wait for entries that never come: the end of the log ends that.
    if (!isHandedOver) await this.#closeLog();
    await this.#stopParts();
    try {
      this.#isReleased = true;
      if (end === 'hand over') await store.releaseLease(self);
    } finally {
      await store.close();
    }
  }

  /**
   * Until when the owner before acted on the log, though it may have been idle: it renewed its lease within the time of one. The lease alone
   * does not say that; one who had it may never have come to act. Who has taken the log over and written after that did.
   */
  #followedUntil(lastOwner: string | undefined, lastOwned: LogEntry | null): number {
    const hasActed = lastOwned !== null && lastOwned.kind !== 'owner' && this.#former?.owner === lastOwner;
    return this.#former && hasActed ? this.#former.expiresAtMs - this.#options.leaseMs : -Infinity;
  }

  async #stopParts(): Promise<void> {
    await this.#partition?.owner.stop();
    await this.#closeLog();
  }

  async #closeLog(): Promise<void> {
    this.#snapshots?.close();
    await this.#log?.close();
  }

  /** After the store has lost its data its tokens begin anew; those in the log never go back. */
  async #riseAbove(token: number): Promise<void> {
    if (this.#lease.fencingToken > token) return;
    const { store, self, leaseMs } = this.#options;
    const lease = await store.acquireLease(self, startLeases * leaseMs, token + 1);
    if (!lease) throw new TocsinError('TOC_STORE_FENCED', 'another process has taken the lease');
    this.#lease = lease;
  }

  #lookForSuccessor(entries: readonly LogEntry[]): void {
    for (const { kind, payload } of entries) {
      if (kind !== 'owner' || payload.name === this.#options.self) continue;
      this.#end(new TocsinError('TOC_LOG_FENCED', `${payload.name} owns the partition by now`));
    }
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new TocsinError('TOC_STORE_FENCED', 'the partition was given up meanwhile');
  }
}

function tellTrouble(trouble: TocsinError | null, logger: Logger): void {
  if (trouble)
    logger.warn(
      { code: trouble.code, err: trouble.cause },
      `${trouble.message}; it is tried again by itself.`,
    );
  else logger.info('The log of the partition answers again.');
}
