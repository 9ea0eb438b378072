import { severityRank, labelValue, parseSeverity, type Alert } from '../alert/index.ts';
import type { StageContext, Table } from '../engine/index.ts';
import type { DedupConfig } from './config.ts';
import { maskTemplate } from './mask.ts';
import { OpenSignals, type Match } from './open-signals.ts';
import { createScope, type ScopeOf } from './scope.ts';
import { addFingerprint, createSignalRow, type LiveSignal, type SignalRow } from './signal-row.ts';
import { Sketches, textOf, type Sketch } from './sketch.ts';

/** Which signal a fingerprint belongs to. */
export interface Member {
  readonly signalId: string;
  isFiring: boolean;
}

/** What is needed of an alert to find its signal or to open one. */
export interface Identity {
  readonly text: string;
  readonly template: string;
  readonly sketch: Sketch;
  readonly scope: string;
}

/** All signals that are remembered, by id and by fingerprint, and those that are open by similarity. */
export class Signals {
  readonly #rows: Table<SignalRow>;
  readonly #members: Table<Member>;
  readonly #sketches = new Sketches();
  /** Derived from the tables, as is all below. */
  readonly #live = new Map<string, LiveSignal>();
  /** Fingerprints that have joined a signal; some may have gone to a newer one. */
  readonly #joined = new Map<string, string[]>();
  #nextOrder = 0;
  #config: DedupConfig;
  #scopeOf: ScopeOf;
  #open: OpenSignals;

  constructor(context: StageContext, config: DedupConfig) {
    this.#rows = context.table<SignalRow>('signals');
    this.#members = context.table<Member>('members');
    this.#config = config;
    this.#scopeOf = createScope(config);
    this.#open = new OpenSignals(config.similarity);
  }

  /** Rebuilds what is derived, after the tables were filled or under another configuration. */
  rebuild(config: DedupConfig): void {
    this.#config = config;
    this.#scopeOf = createScope(config);
    this.#open = new OpenSignals(config.similarity);
    this.#live.clear();
    this.#joined.clear();
    this.#nextOrder = 0;
    for (const row of this.#rows.values()) {
      const signal = this.#enlive(row, this.#sketches.of(row.labels, row.text, row.template));
      if (row.state !== 'resolved') this.#open.add(signal);
    }
    for (const [fingerprint, { signalId }] of this.#members.entries()) this.#note(fingerprint, signalId);
  }

  get(id: string): LiveSignal | undefined {
    return this.#live.get(id);
  }

  all(): IterableIterator<LiveSignal> {
    return this.#live.values();
  }

  member(fingerprint: string): Member | undefined {
    return this.#members.get(fingerprint);
  }

  identify(alert: Alert): Identity {
    const text = textOf(alert);
    const template = maskTemplate(text);
    const sketch = this.#sketches.of(alert.labels, text, template);
    return { text, template, sketch, scope: this.#scopeOf(alert.domain, alert.labels, sketch.telling) };
  }

  /** The open signal most like the alert, similar enough or not; null when nothing comes near or near-duplicates are off. */
  mostSimilar(alert: Alert, { sketch, scope }: Identity): Match | null {
    if (!this.#config.near_duplicates) return null;
    const severity = parseSeverity(labelValue(alert.labels, this.#config.severity_label));
    return this.#open.best(scope, sketch, severityRank(severity));
  }

  create(id: string, alert: Alert, { text, template, sketch }: Identity, nowMs: number): LiveSignal {
    const row = createSignalRow(id, alert, text, template, this.#config.severity_label, nowMs);
    this.#rows.set(id, row);
    const signal = this.#enlive(row, sketch);
    this.#open.add(signal);
    return signal;
  }

  /** Makes the fingerprint, which fires, a member of the signal. */
  join({ row }: LiveSignal, fingerprint: string): void {
    this.#members.set(fingerprint, { signalId: row.id, isFiring: true });
    this.#note(fingerprint, row.id);
    addFingerprint(row, fingerprint);
    this.#rows.touch(row.id);
  }

  setFiring(fingerprint: string, member: Member, isFiring: boolean): void {
    member.isFiring = isFiring;
    this.#members.touch(fingerprint);
  }

  touch(id: string): void {
    this.#rows.touch(id);
  }

  /** Lets alerts join the signal again. */
  reopen(signal: LiveSignal): void {
    this.#open.add(signal);
  }

  /** Lets no more alerts join the signal. */
  close(signal: LiveSignal): void {
    this.#open.remove(signal);
  }

  /** Forgets a closed signal and the fingerprints that still belong to it. */
  forget(id: string): void {
    for (const fingerprint of this.#joined.get(id) ?? []) {
      if (this.#members.get(fingerprint)?.signalId === id) this.#members.delete(fingerprint);
    }
    this.#joined.delete(id);
    this.#live.delete(id);
    this.#rows.delete(id);
  }

  #enlive(row: SignalRow, sketch: Sketch): LiveSignal {
    const scope = this.#scopeOf(row.domain, row.labels, sketch.telling);
    const signal: LiveSignal = { row, sketch, scope, order: this.#nextOrder++ };
    this.#live.set(row.id, signal);
    return signal;
  }

  #note(fingerprint: string, signalId: string): void {
    const joined = this.#joined.get(signalId);
    if (joined) joined.push(fingerprint);
    else this.#joined.set(signalId, [fingerprint]);
  }
}
