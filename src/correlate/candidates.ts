import type { StageContext, StageTimers, Table } from '../engine/index.ts';
import type { CandidateChange, Link, ServiceGraph } from '../incident/index.ts';
import { CandidateIndex, memberOf, Profile } from './candidate-index.ts';
import {
  addReason,
  completeRow,
  countFiring,
  createCandidateRow,
  noteSignal,
  setLinks,
  type CandidateRow,
  type SignalRow,
} from './candidate-row.ts';
import { CandidateChanges, type ChangeWord } from './changes.ts';
import type { CorrelateConfig } from './config.ts';
import { facetsOf, keysOf, type Facets } from './facets.ts';
import { takeHeat } from './heat.ts';
import { createPace, hear } from './pace.ts';

/**
 * All candidates and their signals, with what is derived from them: a profile of each active candidate and the index
 * over all of them. Notes what changes in a frame, one change per candidate: the strongest word counts.
 *
 * INVARIANT: a signal that is remembered belongs to exactly one candidate, `SignalRow.candidateId`. A resolved
 * candidate goes on naming a signal that returned too late and belongs to a later candidate now.
 */
export class Candidates {
  readonly #rows: Table<CandidateRow>;
  readonly #signals: Table<SignalRow>;
  readonly #scope: string;
  readonly #numbers: Table<number>;
  readonly #timers: StageTimers;
  readonly #profiles = new Map<string, Profile>();
  /** Members that leave their candidate for another one, until they are there. */
  readonly #leaving = new Map<string, string>();
  #index = new CandidateIndex();
  readonly #changes = new CandidateChanges();
  #config: CorrelateConfig;
  #graph: ServiceGraph;

  constructor(context: StageContext, config: CorrelateConfig, graph: ServiceGraph) {
    this.#rows = context.table('candidates');
    this.#signals = context.table('signals');
    this.#scope = context.scope;
    this.#numbers = context.table('numbers');
    this.#timers = context.timers;
    this.#config = config;
    this.#graph = graph;
  }

  /** Derives profiles and index anew: after a restore, and under another configuration. */
  rebuild(config: CorrelateConfig, graph: ServiceGraph): void {
    this.#config = config;
    this.#graph = graph;
    this.#profiles.clear();
    this.#index = new CandidateIndex();
    for (const row of this.#rows.values()) if (completeRow(row).isActive) this.#addProfile(row);
  }

  get(id: string): CandidateRow | undefined {
    return this.#rows.get(id);
  }

  signal(id: string): SignalRow | undefined {
    return this.#signals.get(id);
  }

  profile(id: string): Profile | undefined {
    return this.#profiles.get(id);
  }

  get index(): CandidateIndex {
    return this.#index;
  }

  all(): IterableIterator<CandidateRow> {
    return this.#rows.values();
  }

  /** Opens a candidate without signals. */
  open(domain: string, nowMs: number): CandidateRow {
    const number = (this.#numbers.get('candidate') ?? 0) + 1;
    this.#numbers.set('candidate', number);
    const row = createCandidateRow(`INC-${this.#scope}${number}`, number, domain, nowMs);
    this.#rows.set(row.candidate.id, row);
    return row;
  }

  /** Remembers `signal` as a firing member of `row`. It must not belong to an open candidate yet. */
  join(row: CandidateRow, signal: SignalRow, facets: Facets, link: Link | null, nowMs: number): void {
    const { candidate } = row;
    const former = this.#signals.get(signal.id);
    if (former) this.#letGo(former);
    this.#leaving.delete(signal.id);
    this.#signals.set(signal.id, signal);
    signal.candidateId = candidate.id;
    countFiring(row, signal, 1);
    if (signal.pace) this.#hearCandidate(row, nowMs);
    const others = former ? candidate.signalIds.filter((id) => id !== signal.id) : candidate.signalIds;
    candidate.signalIds = [...others, signal.id];
    if (link) setLinks(row, [...candidate.links, link]);
    noteSignal(row, nowMs);
    const profile = this.#profiles.get(candidate.id);
    if (profile) this.#enter(profile, row, signal.id, facets);
    if (candidate.state === 'resolved') this.reopen(row, 'a similar signal returned', nowMs);
    this.schedule(row, nowMs);
    this.note(row, candidate.signalIds.length === 1 ? 'opened' : 'joined', link ? [link] : []);
  }

  /** A member that is told as events is heard of again, in its own time; `row` is its candidate where that goes on with it. */
  hearMember(signal: SignalRow, row: CandidateRow | null, nowMs: number): void {
    if (!signal.pace) return;
    hear(signal.pace, nowMs);
    this.#signals.touch(signal.id);
    if (!row) return;
    this.#hearCandidate(row, nowMs);
    this.#rows.touch(row.candidate.id);
  }

  /**
   * Takes a member, which goes on to another candidate, out of the open one that it was in. One that has nothing firing left is over, and
   * goes on naming it.
   */
  leave(signal: SignalRow, text: string, nowMs: number): void {
    const row = this.#rows.get(signal.candidateId);
    if (!row) return;
    this.#withdraw(row, signal);
    if (row.candidate.state !== 'open') return;
    if (row.firingCount > (signal.isFiring ? 1 : 0)) {
      this.nameOnly(
        row,
        row.candidate.signalIds.filter((id) => id !== signal.id),
      );
      this.note(row, 'updated');
    } else this.resolve(row, 'moved_on', text, nowMs);
  }

  /** Notes that a member fires or has stopped firing. */
  setFiring(signal: SignalRow, isFiring: boolean): void {
    if (signal.isFiring === isFiring) return;
    signal.isFiring = isFiring;
    this.#signals.touch(signal.id);
    const row = this.#rows.get(signal.candidateId);
    if (row) countFiring(row, signal, isFiring ? 1 : -1);
  }

  resolve(row: CandidateRow, code: string, text: string, nowMs: number): void {
    row.candidate.state = 'resolved';
    row.candidate.resolvedAtMs = nowMs;
    addReason(row, code, text);
    this.schedule(row, nowMs);
    this.note(row, 'resolved');
  }

  /** Opens a resolved candidate again. It goes on with the signals that still belong to it. */
  reopen(row: CandidateRow, text: string, nowMs: number): void {
    row.candidate.state = 'open';
    row.candidate.resolvedAtMs = null;
    this.nameOnly(row, this.ownedBy(row));
    addReason(row, 'reopened', text);
    this.schedule(row, nowMs);
    this.note(row, 'reopened');
  }

  /** Moves the signals and links of `from` into `into`; `from` stays behind as `merged`. Both must be of one domain. */
  merge(into: CandidateRow, from: CandidateRow, text: string, nowMs: number): void {
    const links = [...into.candidate.links, ...from.candidate.links];
    this.moveSignals(from, into, this.ownedBy(from));
    this.nameOnly(from, []);
    setLinks(into, links);
    this.nameOnly(into, into.candidate.signalIds);
    for (const id of from.apart) this.setApart(into.candidate.id, id);
    into.candidate.lastAtMs = Math.max(into.candidate.lastAtMs, from.candidate.lastAtMs);
    takeHeat(into.heat, from.heat);
    if (from.pace && (!into.pace || from.pace.heardAtMs > into.pace.heardAtMs)) into.pace = { ...from.pace };
    from.candidate.state = 'merged';
    from.candidate.mergedInto = into.candidate.id;
    from.candidate.resolvedAtMs = nowMs;
    addReason(from, 'merged', `merged into ${into.candidate.id}: ${text}`);
    addReason(into, 'merged', `took in ${from.candidate.id}: ${text}`);
    if (into.candidate.state === 'resolved' && into.firingCount > 0) {
      this.reopen(into, `${from.candidate.id} was still open`, nowMs);
    }
    this.schedule(from, nowMs);
    this.schedule(into, nowMs);
    this.note(from, 'merged');
    this.note(into, 'merged');
  }

  /** The signals that `row` names and that belong to it. */
  ownedBy({ candidate }: CandidateRow): string[] {
    return candidate.signalIds.filter((id) => this.#signals.get(id)?.candidateId === candidate.id);
  }

  /** Makes `row` name these signals, and keeps the links between them. */
  nameOnly(row: CandidateRow, signalIds: readonly string[]): void {
    const named = new Set(signalIds);
    row.candidate.signalIds = [...signalIds];
    setLinks(
      row,
      row.candidate.links.filter((link) => named.has(link.fromSignalId) && named.has(link.toSignalId)),
    );
  }

  /** Moves members that `from` owns, keeping their order. */
  moveSignals(from: CandidateRow, into: CandidateRow, signalIds: readonly string[]): void {
    const moved = new Set(signalIds);
    const present = new Set(into.candidate.signalIds);
    from.candidate.signalIds = from.candidate.signalIds.filter((id) => !moved.has(id));
    into.candidate.signalIds = [...into.candidate.signalIds, ...signalIds.filter((id) => !present.has(id))];
    for (const id of signalIds) {
      const signal = this.#signals.get(id);
      if (!signal) continue;
      signal.candidateId = into.candidate.id;
      this.#signals.touch(id);
      if (!signal.isFiring) continue;
      countFiring(from, signal, -1);
      countFiring(into, signal, 1);
    }
    this.deriveProfile(from);
    const profile = this.#profiles.get(into.candidate.id);
    const areNew = signalIds.every((id) => !present.has(id));
    if (!profile || !areNew) {
      this.deriveProfile(into);
      return;
    }
    for (const id of signalIds) {
      const signal = this.#signals.get(id);
      if (signal) this.#enter(profile, into, id, facetsOf(signal, this.#config, this.#graph));
    }
  }

  /** Derives the profile anew, after the order or the owner of members has changed. */
  deriveProfile(row: CandidateRow): void {
    this.#removeProfile(row);
    if (row.isActive) this.#addProfile(row);
  }

  /** Remembers that two candidates must never be joined automatically. */
  setApart(a: string, b: string): void {
    if (a === b) return;
    this.#editApart(a, (apart) => (apart.includes(b) ? apart : [...apart, b]));
    this.#editApart(b, (apart) => (apart.includes(a) ? apart : [...apart, a]));
  }

  /** Takes `setApart` back. True when the two were apart. */
  endApart(a: string, b: string): boolean {
    const wasApart = this.#rows.get(a)?.apart.includes(b) ?? false;
    this.#editApart(a, (apart) => apart.filter((id) => id !== b));
    this.#editApart(b, (apart) => apart.filter((id) => id !== a));
    return wasApart;
  }

  /** Sets the timers of `row` by its state, and whether it takes part in correlation. */
  schedule(row: CandidateRow, nowMs: number): void {
    const { id, state, lastAtMs, resolvedAtMs } = row.candidate;
    const { window, reopen_window, max_idle, retention } = this.#config;
    const restsAtMs = state === 'open' ? lastAtMs + window : (resolvedAtMs ?? nowMs) + reopen_window;
    const isActive = state !== 'merged' && restsAtMs > nowMs;
    if (isActive) this.#timers.set(`rest/${id}`, restsAtMs);
    else this.#timers.cancel(`rest/${id}`);
    if (isActive !== row.isActive) {
      row.isActive = isActive;
      if (isActive) this.#addProfile(row);
      else this.#removeProfile(row);
    }
    if (state === 'open') {
      this.#timers.cancel(`drop/${id}`);
      if (this.#timers.dueMs(`idle/${id}`) === undefined) {
        this.#timers.set(`idle/${id}`, Math.max(lastAtMs + max_idle, nowMs + 1));
      }
    } else {
      this.#timers.cancel(`idle/${id}`);
      this.#timers.set(`drop/${id}`, Math.max((resolvedAtMs ?? nowMs) + retention, nowMs + 1));
    }
    this.#rows.touch(id);
  }

  /** Forgets a candidate and the signals that belong to it. */
  drop(row: CandidateRow): void {
    this.#removeProfile(row);
    for (const id of row.candidate.signalIds) {
      if (this.#signals.get(id)?.candidateId === row.candidate.id) this.#signals.delete(id);
    }
    for (const id of row.apart) this.endApart(id, row.candidate.id);
    this.#rows.delete(row.candidate.id);
  }

  /** Notes a change for the frame at hand. */
  note(row: CandidateRow, change: ChangeWord, links: readonly Link[] = []): void {
    this.#rows.touch(row.candidate.id);
    this.#changes.note(row, change, links);
  }

  /** The changes noted since the last call, each with a copy of its candidate, in the order of their first note. */
  takeChanges(): CandidateChange[] {
    return this.#changes.take((id) => this.#rows.get(id));
  }

  #letGo(signal: SignalRow): void {
    const row = this.#rows.get(signal.candidateId);
    if (!row || !signal.isFiring) return;
    countFiring(row, signal, -1);
    this.#rows.touch(signal.candidateId);
  }

  #hearCandidate(row: CandidateRow, nowMs: number): void {
    if (row.pace) hear(row.pace, nowMs);
    else row.pace = createPace(nowMs);
  }

  /** Takes a member that is about to leave out of profile and index, as if both had been derived without it. */
  #withdraw(row: CandidateRow, signal: SignalRow): void {
    const { id, domain } = row.candidate;
    const profile = this.#profiles.get(id);
    if (!profile) return;
    const facets = facetsOf(signal, this.#config, this.#graph);
    for (const key of profile.remove(memberOf(signal.id, keysOf(facets), facets))) {
      this.#index.remove(domain, key, id);
    }
    this.#leaving.set(signal.id, id);
  }

  /** The last member of `row` that has `key`. */
  #lastWith(row: CandidateRow, key: string): string | undefined {
    const { id, signalIds } = row.candidate;
    for (let i = signalIds.length - 1; i >= 0; i--) {
      const signal = this.#signals.get(signalIds[i]!);
      if (signal?.candidateId !== id || this.#leaving.get(signal.id) === id) continue;
      if (keysOf(facetsOf(signal, this.#config, this.#graph)).includes(key)) return signal.id;
    }
    return undefined;
  }

  #addProfile(row: CandidateRow): void {
    const { id, signalIds } = row.candidate;
    const profile = new Profile((key) => this.#lastWith(row, key));
    for (const signalId of signalIds) {
      const signal = this.#signals.get(signalId);
      if (signal?.candidateId !== id) continue;
      this.#enter(profile, row, signalId, facetsOf(signal, this.#config, this.#graph));
    }
    this.#profiles.set(id, profile);
  }

  /** Enters a member into the profile of its candidate and into the index. */
  #enter(profile: Profile, { candidate }: CandidateRow, signalId: string, facets: Facets): void {
    const keys = keysOf(facets).map((key) => this.#index.add(candidate.domain, key, candidate.id));
    profile.add(memberOf(signalId, keys, facets));
  }

  #removeProfile(row: CandidateRow): void {
    const { id, domain } = row.candidate;
    for (const key of this.#profiles.get(id)?.keys() ?? []) this.#index.remove(domain, key, id);
    this.#profiles.delete(id);
  }

  #editApart(id: string, edit: (apart: string[]) => string[]): void {
    const row = this.#rows.get(id);
    if (!row) return;
    row.apart = edit(row.apart);
    this.#rows.touch(id);
  }
}
