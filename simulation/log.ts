import { TocsinError, type Entry } from '../src/engine/index.ts';
import type { Timeline } from './clock.ts';
import type { Fencing } from './defects.ts';
import type { Answer } from './network.ts';
import type { Trace } from './trace.ts';

/** The name of the machines that keep the log. */
export const logHost = 'log';

export interface Append<E extends Entry> {
  /** Of several appends with the same id within the window one is kept. */
  readonly id: string;
  readonly draft: E;
  /** Null for what gateways append. */
  readonly owned: OwnedAppend | null;
}

export interface OwnedAppend {
  /** The session that appends; for the simulation to look at, not for the log. */
  readonly session: string;
  /** Null for a claim that is its own token: the position that it gets. */
  readonly fencingToken: number | null;
  /** The position of the last entry of any owner, as far as this one knows. Only asked for by the fencing `sequence`. */
  readonly expectedPosition: number;
}

export interface Kept {
  readonly position: number;
  readonly id: string;
  readonly text: string;
  readonly timeMs: number;
  readonly session: string | null;
  readonly fencingToken: number | null;
  /** Whether readers pass over it: a higher fencing token stands before it. Only with the fencing `token`. */
  readonly isStale: boolean;
  readonly atMs: number;
}

export interface LogHead {
  readonly lastPosition: number;
  readonly lastTimeMs: number;
  /** The last entry of an owner; position and token are 0 when there is none. */
  readonly lastOwned: { readonly position: number; readonly id: string; readonly fencingToken: number };
  /** The highest fencing token that any entry names. */
  readonly highestToken: number;
}

export interface LogOptions {
  readonly fencing: Fencing;
  /** How long ids are remembered. */
  readonly windowMs: number;
}

interface Reader {
  readonly fromPosition: number;
  readonly maxCount: number;
  readonly answer: Answer<readonly Kept[]>;
}

const longestHoldMs = 1000;

/**
 * The log of one partition, as a replicated broker such as JetStream keeps it: anybody appends, each append has an id, positions follow
 * on each other, nothing that was answered is lost. Time is made to never go back, as every reader would do for itself.
 */
export class SimulatedLog<E extends Entry> {
  readonly kept: Kept[] = [];
  readonly #timeline: Timeline;
  readonly #options: LogOptions;
  readonly #trace: Trace;
  readonly #ids = new Map<string, { readonly position: number; readonly atMs: number }>();
  #readers: Reader[] = [];
  #highestToken = 0;
  #lastOwned: LogHead['lastOwned'] = { position: 0, id: '', fencingToken: 0 };
  /** Told of each entry once it is kept. */
  onKept: (kept: Kept) => void = () => undefined;

  constructor(timeline: Timeline, options: LogOptions, trace: Trace) {
    this.#timeline = timeline;
    this.#options = options;
    this.#trace = trace;
  }

  get fencing(): Fencing {
    return this.#options.fencing;
  }

  get head(): LogHead {
    const last = this.kept.at(-1);
    return {
      lastPosition: this.kept.length,
      lastTimeMs: last?.timeMs ?? -Infinity,
      lastOwned: this.#lastOwned,
      highestToken: this.#highestToken,
    };
  }

  /** Refuses with TOC_STORE_FENCED when an owner's condition does not hold. As JetStream does, asks for the id first. */
  append({ id, draft, owned }: Append<E>, answer: Answer<Kept>): void {
    const known = this.#ids.get(id);
    if (known && this.#timeline.nowMs - known.atMs < this.#options.windowMs) {
      answer.give(this.kept[known.position - 1]!);
      return;
    }
    const { fencing } = this.#options;
    if (fencing === 'sequence' && owned && owned.expectedPosition !== this.#lastOwned.position) {
      answer.refuse(new TocsinError('TOC_STORE_FENCED', 'another owner has appended since'));
      return;
    }
    const position = this.kept.length + 1;
    const lastMs = this.kept.at(-1)?.timeMs ?? 0;
    const fencingToken = owned ? (owned.fencingToken ?? position) : null;
    const isStale = fencing === 'token' && fencingToken !== null && fencingToken < this.#highestToken;
    const timeMs = isStale ? lastMs : Math.max(draft.timeMs, lastMs);
    const stamped = isStale ? { kind: 'tick', timeMs, payload: null } : { ...draft, timeMs };
    const kept: Kept = {
      position,
      id,
      text: JSON.stringify(stamped),
      timeMs,
      session: owned?.session ?? null,
      fencingToken,
      isStale,
      atMs: this.#timeline.nowMs,
    };
    this.kept.push(kept);
    this.#ids.set(id, { position, atMs: kept.atMs });
    if (fencingToken !== null) {
      this.#highestToken = Math.max(this.#highestToken, fencingToken);
      this.#lastOwned = { position, id, fencingToken };
    }
    this.#trace.add(`log keeps ${id} at ${position}: ${draft.kind}${isStale ? ', stale' : ''}`);
    this.onKept(kept);
    answer.give(kept);
    this.#answerReaders();
  }

  /** Gives what there is from `fromPosition` on; waits a moment when there is nothing yet. */
  read(fromPosition: number, maxCount: number, answer: Answer<readonly Kept[]>): void {
    const reader = { fromPosition, maxCount, answer };
    if (this.kept.length >= fromPosition) return this.#serve(reader);
    this.#readers.push(reader);
    this.#timeline.after(longestHoldMs, () => {
      if (!this.#readers.includes(reader)) return;
      this.#readers = this.#readers.filter((other) => other !== reader);
      answer.give([]);
    });
  }

  #answerReaders(): void {
    const ready = this.#readers.filter(({ fromPosition }) => fromPosition <= this.kept.length);
    this.#readers = this.#readers.filter(({ fromPosition }) => fromPosition > this.kept.length);
    for (const reader of ready) this.#serve(reader);
  }

  #serve({ fromPosition, maxCount, answer }: Reader): void {
    answer.give(this.kept.slice(fromPosition - 1, fromPosition - 1 + maxCount));
  }
}
