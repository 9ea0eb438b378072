import { compileMatchers, type Labels } from '../alert/index.ts';
import type { Table } from '../engine/index.ts';
import type { CommandAnswer, SilenceBody } from '../incident/index.ts';
import { SilenceIndex } from './silence-index.ts';

export interface StoredSilence {
  readonly silence: SilenceBody;
  readonly state: SilenceState;
  readonly updatedAtMs: number;
}

export type SilenceState = 'pending' | 'active' | 'expired';

export type SilenceChange =
  /** `replaced` was ended in favour of `silence`. */
  | { readonly ok: true; readonly silence: StoredSilence; readonly replaced: StoredSilence | null }
  | { readonly ok: false; readonly answer: CommandAnswer };

/** Silences by id, under Alertmanager's rules (silence/silence.go). Their states follow log time: `advance` moves them on. */
export class Silences {
  readonly #stored: Table<StoredSilence>;
  readonly #active = new SilenceIndex();

  constructor(stored: Table<StoredSilence>) {
    this.#stored = stored;
  }

  restore(): void {
    for (const { silence, state } of this.#stored.values()) if (state === 'active') this.#active.set(silence);
  }

  get(id: string): StoredSilence | undefined {
    return this.#stored.get(id);
  }

  all(): IterableIterator<StoredSilence> {
    return this.#stored.values();
  }

  /** Ids of the active silences that match, sorted. */
  matching(labels: Labels): string[] {
    return this.#active.matching(labels);
  }

  /** Whether the silence is active and matches. */
  isMatch(id: string, labels: Labels): boolean {
    return this.#active.isMatch(id, labels);
  }

  /**
   * Creates a silence, or changes the one of the same id in place when that does not touch what it has muted so far. Otherwise
   * that one ends, and a new one begins under `newId`. The same command sent again changes nothing.
   */
  set(body: SilenceBody, newId: string, nowMs: number): SilenceChange {
    const made = this.#stored.get(newId);
    if (made) return { ok: true, silence: made, replaced: null };
    const mistake = findMistake(body, nowMs);
    if (mistake !== null) return refused('invalid', mistake);
    const before = this.#stored.get(body.id);
    if (before && canChange(before, body, nowMs)) return this.#put(body, nowMs, null);
    const replaced = before && before.state !== 'expired' ? this.#end(before, nowMs) : null;
    const id = before ? newId : body.id;
    return this.#put({ ...body, id, startsAtMs: Math.max(body.startsAtMs, nowMs) }, nowMs, replaced);
  }

  /** Ends a silence now; one that is over already stays as it is. Refused when it is unknown. */
  expire(id: string, nowMs: number): SilenceChange {
    const before = this.#stored.get(id);
    if (!before) return refused('not_found', `silence ${id} not found`);
    const silence = before.state === 'expired' ? before : this.#end(before, nowMs);
    return { ok: true, silence, replaced: null };
  }

  /** Moves a silence on to the state that log time has brought it to. */
  advance(before: StoredSilence, nowMs: number): StoredSilence {
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
    if (stored.state === 'active') this.#active.set(stored.silence);
    else this.#active.delete(stored.silence.id);
    return stored;
  }
}

function stateAt({ startsAtMs, endsAtMs }: SilenceBody, nowMs: number): SilenceState {
  if (endsAtMs <= nowMs) return 'expired';
  return startsAtMs <= nowMs ? 'active' : 'pending';
}

/** What Alertmanager finds wrong with a silence (its `validateSilence` and the API's own checks), or null. */
function findMistake({ matchers, startsAtMs, endsAtMs }: SilenceBody, nowMs: number): string | null {
  if (matchers.length === 0) return 'silence invalid: at least one matcher required';
  if (matchers.some(({ name }) => name === '')) return 'silence invalid: a label name must not be empty';
  const compiled = compileMatchers(matchers);
  if (!compiled.ok) return `silence invalid: invalid label matcher: ${compiled.error}`;
  if (compiled.matchers.every(({ isEqual, matches }) => isEqual && matches(''))) {
    return 'silence invalid: at least one matcher must not match the empty string';
  }
  if (!Number.isFinite(startsAtMs) || !Number.isFinite(endsAtMs))
    return 'silence invalid: start and end must be times';
  if (endsAtMs < startsAtMs) return 'silence invalid: end time must not be before start time';
  if (endsAtMs === startsAtMs) return 'silence invalid: end time must not be equal to start time';
  if (endsAtMs <= nowMs) return "silence invalid: end time can't be in the past";
  return null;
}

/** Alertmanager's `canUpdate`: an active silence keeps its start, one to come must not begin in the past, matchers stay. */
function canChange({ silence, state }: StoredSilence, body: SilenceBody, nowMs: number): boolean {
  if (state === 'expired' || !isSameMatchers(silence.matchers, body.matchers)) return false;
  if (state === 'pending') return body.startsAtMs >= nowMs;
  return Math.floor(silence.startsAtMs / 1000) === Math.floor(body.startsAtMs / 1000);
}

function isSameMatchers(a: SilenceBody['matchers'], b: SilenceBody['matchers']): boolean {
  return (
    a.length === b.length &&
    a.every(({ name, value, isRegex, isEqual }, index) => {
      const other = b[index]!;
      return (
        name === other.name && value === other.value && isRegex === other.isRegex && isEqual === other.isEqual
      );
    })
  );
}

function refused(code: 'not_found' | 'invalid' | 'conflict', message: string): SilenceChange {
  return { ok: false, answer: { status: 'refused', code, message } };
}
