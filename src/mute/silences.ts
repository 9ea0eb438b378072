import { compileMatchers, matchesAll, type Labels, type Matcher } from '../alert/index.ts';
import type { Table } from '../engine/index.ts';
import type { CommandAnswer, SilenceBody } from '../incident/index.ts';

export interface StoredSilence {
  readonly silence: SilenceBody;
  readonly state: SilenceState;
  readonly updatedAtMs: number;
}

export type SilenceState = 'pending' | 'active' | 'expired';

export type SilenceChange =
  | { readonly ok: true; readonly silence: StoredSilence; readonly replaced: StoredSilence | null }
  | { readonly ok: false; readonly answer: CommandAnswer };

/** Silences by id, under Alertmanager's rules (silence/silence.go): states follow log time; matchers of active ones stay compiled. */
export class Silences {
  readonly #stored: Table<StoredSilence>;
  readonly #active = new Map<string, readonly Matcher[]>();

  constructor(stored: Table<StoredSilence>) {
    this.#stored = stored;
  }

  restore(): void {
    for (const { silence, state } of this.#stored.values()) {
      if (state === 'active') this.#activate(silence);
    }
  }

  get(id: string): StoredSilence | undefined {
    return this.#stored.get(id);
  }

  all(): IterableIterator<StoredSilence> {
    return this.#stored.values();
  }

  /** Ids of the active silences that match, sorted. */
  matching(labels: Labels): string[] {
    const ids: string[] = [];
    for (const [id, matchers] of this.#active) if (matchesAll(matchers, labels)) ids.push(id);
    return ids.sort();
  }

  isMatch(id: string, labels: Labels): boolean {
    const matchers = this.#active.get(id);
    return matchers !== undefined && matchesAll(matchers, labels);
  }

  /**
   * Creates a silence, or changes the one of the same id. Only the end and the comment of a silence can be changed in place;
   * anything else expires it and creates a new one under `newId`, as in Alertmanager.
   */
  set(body: SilenceBody, newId: string, nowMs: number): SilenceChange {
    const refusal = check(body, nowMs);
    if (refusal !== null) return invalid(refusal);
    const before = this.#stored.get(body.id);
    if (!before || before.state === 'expired') {
      const id = before ? newId : body.id;
      return this.#put({ ...body, id, startsAtMs: Math.max(body.startsAtMs, nowMs) }, nowMs, null);
    }
    if (canExtend(before.silence, body, before.state)) return this.#put(body, nowMs, null);
    this.#end(before, nowMs);
    return this.#put({ ...body, id: newId, startsAtMs: Math.max(body.startsAtMs, nowMs) }, nowMs, before);
  }

  /** Ends a silence now. Refused when it is unknown or over. */
  expire(id: string, nowMs: number): SilenceChange {
    const before = this.#stored.get(id);
    if (!before) return refused('not_found', `silence ${id} not found`);
    if (before.state === 'expired') return refused('conflict', `silence ${id} already expired`);
    return { ok: true, silence: this.#end(before, nowMs), replaced: null };
  }

  /** Moves a silence on to the state that log time has brought it to. */
  advance(id: string, nowMs: number): StoredSilence | undefined {
    const before = this.#stored.get(id);
    if (!before) return undefined;
    const state = stateAt(before.silence, nowMs);
    return state === before.state ? before : this.#store({ ...before, state });
  }

  forget(id: string): void {
    this.#stored.delete(id);
  }

  #put(silence: SilenceBody, nowMs: number, replaced: StoredSilence | null): SilenceChange {
    const stored = this.#store({ silence, state: stateAt(silence, nowMs), updatedAtMs: nowMs });
    return { ok: true, silence: stored, replaced };
  }

  #end(before: StoredSilence, nowMs: number): StoredSilence {
    const { silence } = before;
    const startsAtMs = before.state === 'pending' ? nowMs : silence.startsAtMs;
    return this.#store({
      silence: { ...silence, startsAtMs, endsAtMs: nowMs },
      state: 'expired',
      updatedAtMs: nowMs,
    });
  }

  #store(stored: StoredSilence): StoredSilence {
    this.#stored.set(stored.silence.id, stored);
    if (stored.state === 'active') this.#activate(stored.silence);
    else this.#active.delete(stored.silence.id);
    return stored;
  }

  #activate(silence: SilenceBody): void {
    const compiled = compileMatchers(silence.matchers);
    if (compiled.ok) this.#active.set(silence.id, compiled.matchers);
  }
}

export function stateAt({ startsAtMs, endsAtMs }: SilenceBody, nowMs: number): SilenceState {
  if (endsAtMs <= nowMs) return 'expired';
  return startsAtMs <= nowMs ? 'active' : 'pending';
}

function check(body: SilenceBody, nowMs: number): string | null {
  if (body.matchers.length === 0) return 'silence invalid: at least one matcher required';
  const compiled = compileMatchers(body.matchers);
  if (!compiled.ok) return `silence invalid: invalid label matcher: ${compiled.error}`;
  if (body.matchers.some(({ name }) => name === '')) return 'silence invalid: a label name must not be empty';
  if (compiled.matchers.every((matcher) => matcher.matches(''))) {
    return 'silence invalid: at least one matcher must not match the empty string';
  }
  if (body.endsAtMs < body.startsAtMs) return 'silence invalid: end time must not be before start time';
  if (body.endsAtMs === body.startsAtMs) return 'silence invalid: end time must not be equal to start time';
  if (body.endsAtMs <= nowMs) return "silence invalid: end time can't be in the past";
  return null;
}

function canExtend(before: SilenceBody, after: SilenceBody, state: SilenceState): boolean {
  if (JSON.stringify(before.matchers) !== JSON.stringify(after.matchers)) return false;
  return state === 'pending' || before.startsAtMs === after.startsAtMs;
}

function invalid(message: string): SilenceChange {
  return refused('invalid', message);
}

function refused(code: 'not_found' | 'invalid' | 'conflict', message: string): SilenceChange {
  return { ok: false, answer: { status: 'refused', code, message } };
}
