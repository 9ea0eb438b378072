import { decode, TocsinError, type Checkpoint, type Fact } from '../src/engine/index.ts';
import type { Timeline } from './clock.ts';
import type { Defect } from './defects.ts';
import type { Trace } from './trace.ts';

/** The name of the machines that keep the store. */
export const storeHost = 'store';

/** A row as it was encoded; no `bytes` where it was deleted. */
export interface EncodedChange {
  readonly name: string;
  readonly table: string;
  readonly key: string;
  /** Null for a row that keeps its place. */
  readonly order: number | null;
  readonly bytes: Uint8Array | null;
}

export interface EncodedDelta {
  /** The checkpoint that it was taken upon; 0 for none. */
  readonly basePosition: number;
  readonly position: number;
  readonly timeMs: number;
  readonly changes: readonly EncodedChange[];
}

interface StoredRow {
  readonly table: string;
  readonly key: string;
  readonly order: number;
  readonly bytes: Uint8Array;
}

export interface Lease {
  /** The name of one session of one life of one process. No other has the same. */
  readonly owner: string;
  /** Counted by the store, which forgets the count with everything else. */
  readonly token: number;
  /** Whether the store knows of no lease before this one. Then another may still be in force that it has forgotten. */
  readonly isFirst: boolean;
}

/**
 * What the owners of a partition share, as a server such as Redis keeps it: a lease, the checkpoint and the outcomes of effects. Every
 * act is atomic and fenced: what names another lease than the one in force is refused. It may lose everything at once.
 */
export class SimulatedStore {
  readonly outcomes = new Map<string, Fact['outcome']>();
  readonly #timeline: Timeline;
  readonly #defect: Defect | null;
  readonly #trace: Trace;
  readonly #rows = new Map<string, StoredRow>();
  #head: { readonly position: number; readonly timeMs: number } | null = null;
  #lease: (Lease & { readonly expiresAtMs: number }) | null = null;
  #lastToken = 0;
  /** Owners in the order in which they were granted the lease: what the simulation knows, and a store that was wiped does not. */
  readonly granted: string[] = [];
  /** Told of each write that was taken. */
  onWritten: (what: string, owner: string) => void = () => undefined;

  constructor(timeline: Timeline, defect: Defect | null, trace: Trace) {
    this.#timeline = timeline;
    this.#defect = defect;
    this.#trace = trace;
  }

  get position(): number {
    return this.#head?.position ?? 0;
  }

  /** Takes the lease, or null while somebody else holds it. The token is above all that the store remembers, and above `aboveToken`. */
  acquire(owner: string, durationMs: number, aboveToken: number): Lease | null {
    const { nowMs } = this.#timeline;
    if (this.#lease?.owner === owner) return this.#lease;
    if (this.#lease && this.#lease.expiresAtMs > nowMs) return null;
    const token = Math.max(this.#lastToken, aboveToken) + 1;
    this.#lastToken = token;
    this.#lease = { owner, token, isFirst: this.#lease === null, expiresAtMs: nowMs + durationMs };
    this.granted.push(owner);
    this.#trace.add(`store grants the lease to ${owner} under token ${token}`);
    return this.#lease;
  }

  isHeldBy(owner: string): boolean {
    return this.#lease?.owner === owner;
  }

  /** Says whether the lease is still held, and for longer now. */
  renew(owner: string, durationMs: number): boolean {
    if (this.#lease?.owner !== owner) return false;
    this.#lease = { ...this.#lease, expiresAtMs: this.#timeline.nowMs + durationMs };
    return true;
  }

  release(owner: string): void {
    if (this.#lease?.owner === owner) this.#lease = { ...this.#lease, expiresAtMs: -Infinity };
  }

  readCheckpoint(): Checkpoint | null {
    if (!this.#head) return null;
    // In the order of names: the order of rows is for the reader to restore.
    const names = [...this.#rows.keys()].sort();
    const rows = names.map((name) => {
      const { table, key, order, bytes } = this.#rows.get(name)!;
      return { table, key, order, value: decode(bytes) };
    });
    return { ...this.#head, rows };
  }

  /** Takes a delta upon the checkpoint that it was made for; a second time changes nothing. Throws TOC_STORE_FENCED. */
  commit(lease: Lease, { basePosition, position, timeMs, changes }: EncodedDelta): void {
    this.#assertHeld(lease);
    if (this.#defect !== 'checkpoint on any base') {
      if (this.position !== basePosition && this.position === position) return;
      if (this.position !== basePosition)
        throw new TocsinError('TOC_STORE_FENCED', 'the delta belongs to another checkpoint');
    }
    this.onWritten(`checkpoint ${position}`, lease.owner);
    this.#trace.add(`store keeps the checkpoint ${position} upon ${basePosition} of ${lease.owner}`);
    for (const { name, table, key, order, bytes } of changes) {
      if (bytes === null) this.#rows.delete(name);
      else this.#rows.set(name, { table, key, order: order ?? this.#rows.get(name)?.order ?? NaN, bytes });
    }
    this.#head = { position, timeMs };
  }

  outcomeOf(lease: Lease, effectId: string): Fact['outcome'] | undefined {
    this.#assertHeld(lease);
    return this.outcomes.get(effectId);
  }

  record(lease: Lease, effectId: string, outcome: Fact['outcome']): void {
    this.#assertHeld(lease);
    this.onWritten(`outcome of ${effectId}`, lease.owner);
    this.#trace.add(`store keeps the outcome of ${effectId}: ${outcome.status}`);
    this.outcomes.set(effectId, outcome);
  }

  /** Loses everything, the lease and the count of tokens included. */
  wipe(): void {
    this.outcomes.clear();
    this.#rows.clear();
    this.#head = null;
    this.#lease = null;
    this.#lastToken = 0;
  }

  #assertHeld({ owner, token }: Lease): void {
    const isHeld =
      this.#lease?.token === token && (this.#lease.owner === owner || this.#defect === 'token of the store');
    if (isHeld || this.#defect === 'store unfenced') return;
    throw new TocsinError('TOC_STORE_FENCED', 'another owner has the lease, or none');
  }
}
