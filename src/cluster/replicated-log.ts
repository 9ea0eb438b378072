import type { Appended, Entry, LogSlice, TocsinError } from '../engine/index.ts';
import type { PartitionLog, ReplicaLog } from '../log/index.ts';
import { noLeader } from './no-leader.ts';

interface Waiter<E extends Entry> {
  readonly appended: Appended<E>;
  readonly resolve: (appended: Appended<E>) => void;
  readonly reject: (error: TocsinError) => void;
}

/**
 * A member's copy of the log that the cluster shares. Only the leader appends to it; a follower's grows by what `ReplicaLog.replicate`
 * brings.
 *
 * INVARIANT: an entry is handed over, and its append answered, only once it is on the disks of all followers in sync. So whatever was
 * acknowledged to a sender, or has led to a page, is known to whoever leads next.
 */
export class ReplicatedLog<E extends Entry> implements PartitionLog<E> {
  readonly #local: ReplicaLog<E>;
  /** What all followers in sync have. */
  readonly #replicatedPosition: () => number;
  readonly #listeners = new Set<(slice: LogSlice<E>) => void>();
  readonly #leave: () => void;
  /** Durable here, and not replicated yet. */
  #held: LogSlice<E>[] = [];
  #waiters: Waiter<E>[] = [];
  #lastPosition: number;
  #lastMs: number;
  #isLeading = false;
  #isClosed = false;

  constructor(local: ReplicaLog<E>, replicatedPosition: () => number) {
    this.#local = local;
    this.#replicatedPosition = replicatedPosition;
    this.#lastPosition = local.lastPosition;
    this.#lastMs = local.lastTimeMs;
    this.#leave = local.subscribe((slice) => {
      this.#held.push(slice);
      this.advance();
    });
  }

  get firstPosition(): number {
    return this.#local.firstPosition;
  }

  get lastPosition(): number {
    return this.#lastPosition;
  }

  get lastTimeMs(): number {
    return this.#lastMs;
  }

  /** Takes appends from now on. */
  lead(): void {
    this.#isLeading = true;
  }

  /** Takes no more appends. Those that wait are refused: whether they are kept is up to the next leader. */
  resign(): void {
    this.#isLeading = false;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const { reject } of waiters) reject(noLeader('this process does not lead its cluster'));
  }

  /** Hands over what has been replicated by now. */
  advance(): void {
    const limit = this.#replicatedPosition();
    let count = 0;
    for (const slice of this.#held) {
      const last = slice.firstPosition + slice.entries.length - 1;
      if (last > limit) break;
      count++;
      this.#lastPosition = last;
      this.#lastMs = slice.entries.at(-1)!.timeMs;
      for (const listener of this.#listeners) listener(slice);
    }
    if (count === 0) return;
    this.#held.splice(0, count);
    const isDone = ({ appended }: Waiter<E>): boolean => appended.position <= this.#lastPosition;
    const done = this.#waiters.filter(isDone);
    this.#waiters = this.#waiters.filter((waiter) => !isDone(waiter));
    for (const { appended, resolve } of done) resolve(appended);
  }

  async append(draft: E): Promise<Appended<E>> {
    if (!this.#isLeading && !this.#isClosed) throw noLeader('this process does not lead its cluster');
    const appended = await this.#local.append(draft);
    if (appended.position <= this.#lastPosition) return appended;
    if (!this.#isLeading) throw noLeader('this process does not lead its cluster');
    return new Promise((resolve, reject) => this.#waiters.push({ appended, resolve, reject }));
  }

  read(fromPosition: number, maxCount: number): Promise<LogSlice<E>> {
    return this.#local.read(fromPosition, Math.min(maxCount, this.#lastPosition - fromPosition + 1));
  }

  subscribe(listener: (slice: LogSlice<E>) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  trim(beforePosition: number): Promise<void> {
    return this.#local.trim(Math.min(beforePosition, this.#lastPosition));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#local.close();
    this.#leave();
    this.resign();
  }
}
