import { severityRank, labelValue, parseSeverity, type Alert } from '../alert/index.ts';
import type { StageContext, Table } from '../engine/index.ts';
import type { Sighting } from '../incident/index.ts';
import { shapeHash, SignalsByShape } from './by-shape.ts';
import type { DedupConfig } from './config.ts';
import { Families, type ShapeRow } from './families.ts';
import { createKeys, type FoundKey, type KeyOf } from './keys.ts';
import { maskTemplate } from './mask.ts';
import { estimateSimilarity } from './minhash.ts';
import { OpenSignals, type Match } from './open-signals.ts';
import { createScope, type ScopeOf } from './scope.ts';
import { addFingerprint, createSignalRow, type LiveSignal, type SignalRow } from './signal-row.ts';
import { Sketches, textOf, type Sketched } from './sketch.ts';

/** Which signal a fingerprint belongs to. */
export interface Member {
  readonly signalId: string;
  isFiring: boolean;
}

/** A fingerprint with its signal: what a repeat needs, in one look-up. */
export interface Membership {
  readonly member: Member;
  readonly signal: LiveSignal;
  /** What is said of a report of the fingerprint. It is shared, since it never changes. */
  readonly sighting: Sighting;
}

/** What is needed of an alert to find its signal or to open one. */
export interface Identity {
  readonly text: string;
  /** `text` masked, without what was learned. */
  readonly template: string;
  readonly sketched: Sketched;
  readonly scope: string;
}

/** All signals that are remembered, by id and by fingerprint, and those that are open by similarity. */
export class Signals {
  readonly #rows: Table<SignalRow>;
  readonly #members: Table<Member>;
  readonly #families: Families;
  readonly #sketches: Sketches;
  /** Derived from the tables, as is all below. */
  readonly #live = new Map<string, LiveSignal>();
  readonly #memberships = new Map<string, Membership>();
  readonly #byShape = new SignalsByShape();
  #nextOrder = 0;
  #config: DedupConfig;
  #scopeOf: ScopeOf;
  #keyOf: KeyOf;
  #open: OpenSignals;
  /** The latest signal of each key. */
  readonly #byKey = new Map<string, LiveSignal>();

  constructor(context: StageContext, config: DedupConfig) {
    this.#rows = context.table<SignalRow>('signals');
    this.#members = context.table<Member>('members');
    this.#families = new Families(context.table<ShapeRow>('families'));
    this.#sketches = new Sketches(this.#families);
    this.#config = config;
    this.#scopeOf = createScope(config);
    this.#keyOf = createKeys(config);
    this.#open = new OpenSignals(config.similarity);
  }

  /** Rebuilds what is derived, after the tables were filled or under another configuration. */
  rebuild(config: DedupConfig): void {
    this.#config = config;
    this.#scopeOf = createScope(config);
    this.#keyOf = createKeys(config);
    this.#open = new OpenSignals(config.similarity);
    this.#families.restore();
    this.#byShape.clear();
    this.#byKey.clear();
    this.#live.clear();
    this.#memberships.clear();
    this.#nextOrder = 0;
    for (const row of this.#rows.values()) {
      const signal = this.#enlive(row, this.#sketchedOf(row));
      if (row.state !== 'resolved') this.reopen(signal);
    }
    for (const [fingerprint, member] of this.#members.entries()) {
      const signal = this.#live.get(member.signalId);
      if (signal) this.#note(fingerprint, member, signal);
    }
  }

  get(id: string): LiveSignal | undefined {
    return this.#live.get(id);
  }

  all(): IterableIterator<LiveSignal> {
    return this.#live.values();
  }

  membership(fingerprint: string): Membership | undefined {
    return this.#memberships.get(fingerprint);
  }

  keyOf(alert: Alert): FoundKey {
    return this.#keyOf(alert);
  }

  /** The latest signal of the key, open or resolved. */
  ofKey(id: string): LiveSignal | undefined {
    return this.#byKey.get(id);
  }

  identify(alert: Alert): Identity {
    const text = textOf(alert);
    const template = maskTemplate(text);
    const { domain, labels } = alert;
    const changed: string[] = [];
    const sketched = this.#sketches.learn(domain, labels, text, template, changed);
    for (const shapeKey of changed) this.#sketchAnew(shapeKey);
    return { text, template, sketched, scope: this.#scopeOf(domain, labels, sketched.sketch.telling) };
  }

  /** The open signal most like the alert, similar enough or not; null when nothing comes near or near-duplicates are off. */
  mostSimilar(alert: Alert, { sketched, scope }: Identity): Match | null {
    if (!this.#config.near_duplicates) return null;
    const severity = parseSeverity(labelValue(alert.labels, this.#config.severity_label));
    return this.#open.best(scope, sketched.sketch, severityRank(severity));
  }

  /** How similar an alert is to a signal by what is known now. Nothing is learned from it. */
  compare({ domain, labels, ...alert }: Alert, signal: LiveSignal): Match {
    const text = textOf({ labels, annotations: alert.annotations });
    const { sketch } = this.#sketches.of(domain, labels, text, maskTemplate(text));
    return {
      signal,
      similarity: estimateSimilarity(sketch.signature, signal.sketch.signature),
      isTaken: true,
    };
  }

  create(
    id: string,
    alert: Alert,
    { text, template, sketched }: Identity,
    { key }: FoundKey,
    nowMs: number,
  ): LiveSignal {
    const row = createSignalRow(id, alert, text, template, this.#config.severity_label, nowMs, key);
    this.#rows.set(id, row);
    const signal = this.#enlive(row, sketched);
    this.reopen(signal);
    return signal;
  }

  /** Makes the fingerprint, which fires, a member of the signal. */
  join(signal: LiveSignal, fingerprint: string): void {
    const { row } = signal;
    const member = { signalId: row.id, isFiring: true };
    this.#members.set(fingerprint, member);
    this.#note(fingerprint, member, signal);
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

  /** Lets alerts join the signal, again or for the first time. One that has a key takes in no others, however similar. */
  reopen(signal: LiveSignal): void {
    if (signal.row.key === undefined) this.#open.add(signal);
  }

  /** Lets no more alerts join the signal. */
  close(signal: LiveSignal): void {
    if (signal.row.key === undefined) this.#open.remove(signal);
  }

  /** Forgets a closed signal and the fingerprints that still belong to it. */
  forget(id: string): void {
    for (const fingerprint of this.#live.get(id)?.joined ?? []) {
      if (this.#members.get(fingerprint)?.signalId !== id) continue;
      this.#members.delete(fingerprint);
      this.#memberships.delete(fingerprint);
    }
    const signal = this.#live.get(id);
    if (signal) this.#byShape.remove(signal);
    const keyId = signal?.row.key?.id;
    if (keyId !== undefined && this.#byKey.get(keyId)?.row.id === id) this.#byKey.delete(keyId);
    this.#live.delete(id);
    this.#rows.delete(id);
  }

  #sketchedOf({ domain, labels, text, template }: SignalRow): Sketched {
    return this.#sketches.of(domain, labels, text, template);
  }

  /** A variable was learned, or forgotten: the signals of that shape are compared by what is known now. */
  #sketchAnew(shapeKey: string): void {
    for (const signal of this.#byShape.of(shapeKey)) {
      const { sketch, template } = this.#sketchedOf(signal.row);
      signal.template = template;
      if (sketch.content === signal.sketch.content) continue;
      const isOpen = this.#open.remove(signal);
      signal.sketch = sketch;
      signal.scope = this.#scopeOf(signal.row.domain, signal.row.labels, sketch.telling);
      if (isOpen) this.#open.add(signal);
    }
  }

  #enlive(row: SignalRow, { sketch, template, shapeKey }: Sketched): LiveSignal {
    const signal: LiveSignal = {
      row,
      sketch,
      template,
      scope: this.#scopeOf(row.domain, row.labels, sketch.telling),
      order: this.#nextOrder++,
      joined: null,
      shape: shapeHash(shapeKey),
      shapePlace: 0,
    };
    this.#byShape.add(signal);
    this.#live.set(row.id, signal);
    if (row.key !== undefined) this.#byKey.set(row.key.id, signal);
    return signal;
  }

  #note(fingerprint: string, member: Member, signal: LiveSignal): void {
    const { signalId } = member;
    const sighting: Sighting = { fingerprint, signalId, how: 'exact', similarity: 1 };
    this.#memberships.set(fingerprint, { member, signal, sighting });
    if (signal.joined === null) signal.joined = [fingerprint];
    else signal.joined.push(fingerprint);
  }
}
