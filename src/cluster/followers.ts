interface Follower {
  /** Everything up to here is on its disk. */
  position: number;
  isInSync: boolean;
  seenMs: number;
}

/**
 * What a leader knows of those that copy its log. An entry counts as replicated once every follower in sync has it; one that falls
 * silent is in sync no longer, so that it holds nobody up, and is again once it has caught up.
 */
export class Followers {
  readonly #followers = new Map<string, Follower>();

  /** What all followers in sync have; Infinity when there is none. */
  get replicatedPosition(): number {
    let least = Infinity;
    for (const { isInSync, position } of this.#followers.values())
      if (isInSync && position < least) least = position;
    return least;
  }

  get inSyncCount(): number {
    return [...this.#followers.values()].filter(({ isInSync }) => isInSync).length;
  }

  /** A follower asks for what comes after `position`, and so has everything before. `replicatedPosition` is the log's so far. */
  note(id: string, position: number, replicatedPosition: number, nowMs: number): void {
    const before = this.#followers.get(id);
    this.#followers.set(id, {
      position,
      isInSync: before?.isInSync === true || position >= replicatedPosition,
      seenMs: nowMs,
    });
  }

  drop(id: string): void {
    this.#followers.delete(id);
  }

  /** Those that were last heard of before `beforeMs`. */
  silentSince(beforeMs: number): string[] {
    return [...this.#followers].filter(([, { seenMs }]) => seenMs < beforeMs).map(([id]) => id);
  }
}
