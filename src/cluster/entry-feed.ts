import type { ReplicaLog } from '../log/index.ts';
import { Followers } from './followers.ts';
import type { EntriesRequest } from './wire.ts';

export interface EntryFeedOptions {
  readonly log: Pick<ReplicaLog, 'firstPosition' | 'lastPosition' | 'readBytes' | 'subscribe'>;
  /** The log as the leader reads it: only what all followers in sync have. */
  readonly replicated: { lastPosition(): number; advance(): void };
  readonly monotonicMs: () => number;
  readonly onDropped: (followerId: string) => void;
}

/** How long a request is held while there are no entries. */
const holdMs = 1000;
const maxEntries = 512;
const maxBytes = 8 * 1024 * 1024;

/**
 * Gives followers the entries of the leader's log. Whoever asks for what comes after a position says by that that it has everything up to
 * there on disk (as replicas of Kafka do).
 */
export class EntryFeed {
  readonly followers = new Followers();
  readonly #options: EntryFeedOptions;
  readonly #leave: () => void;
  /** Those that wait for the next entry. */
  #waiting = new Set<() => void>();

  constructor(options: EntryFeedOptions) {
    this.#options = options;
    this.#leave = options.log.subscribe(() => this.#wake());
  }

  /** `gone` says that the follower waits for no answer any more. */
  async take(
    { followerId, fromPosition }: EntriesRequest,
    gone: AbortSignal,
  ): Promise<readonly Uint8Array[] | 'trimmed'> {
    const { log, replicated, monotonicMs } = this.#options;
    if (fromPosition < log.firstPosition) return 'trimmed';
    this.followers.note(followerId, fromPosition - 1, replicated.lastPosition(), monotonicMs());
    replicated.advance();
    gone.addEventListener('abort', () => this.#drop(followerId));
    if (log.lastPosition < fromPosition) await this.#nextEntry(gone);
    return log.readBytes(fromPosition, maxEntries, maxBytes);
  }

  dropSilent(beforeMs: number): void {
    for (const id of this.followers.silentSince(beforeMs)) this.#drop(id);
  }

  close(): void {
    this.#leave();
    this.#wake();
  }

  #drop(followerId: string): void {
    this.followers.drop(followerId);
    this.#options.replicated.advance();
    this.#options.onDropped(followerId);
  }

  /** Resolves with the next entry, and after `holdMs` in any case. */
  async #nextEntry(gone: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, holdMs);
    gone.addEventListener('abort', () => resolve());
    this.#waiting.add(resolve);
    await promise;
    clearTimeout(timer);
    this.#waiting.delete(resolve);
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const resolve of waiting) resolve();
  }
}
