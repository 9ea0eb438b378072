import type { Alert } from '../alert/index.ts';
import type { StageContext } from '../engine/index.ts';
import type {
  AlertChange,
  LogEntry,
  Reason,
  Sighting,
  Signal,
  SignalChange,
  TocsinFrame,
  TocsinStage,
} from '../incident/index.ts';
import { dedupConfig, type DedupConfig } from './config.ts';
import { differencesOf } from './differences.ts';
import type { FoundKey } from './keys.ts';
import { Lifecycle } from './lifecycle.ts';
import { notSimilarReason, ownReason, similarReason } from './reasons.ts';
import { copySignal, type LiveSignal } from './signal-row.ts';
import { Signals, type Membership } from './signals.ts';
import { textOf } from './sketch.ts';

/** The dedup stage, and what it knows of signals. */
export interface DedupStage extends TocsinStage {
  /** A signal that is open, or has resolved a short while ago. */
  signal(id: string): Signal | undefined;
  /** Signals that are not resolved, the oldest first. */
  signals(): IterableIterator<Signal>;
  /** The signal of a fingerprint. */
  signalOf(fingerprint: string): Signal | undefined;
  /** Why an alert is in its signal: how similar it is and what differs, as things stand now. Empty when it is in none. */
  explain(alert: Alert): readonly Reason[];
  /** The key of an alert under the configuration in force, and why it has that one or none. */
  keyOf(alert: Alert): { readonly key: string | null; readonly reasons: readonly Reason[] };
}

/**
 * Takes alerts together that are one thing: the same fingerprint, or nearly the same text where no label and no telling word keeps them
 * apart (see `createScope`); or the same key, where there is one. Every report is counted into a signal, and none is lost.
 *
 * INVARIANT: a resolve is never a duplicate: it ends the firing of its fingerprint, and of its signal when it is the last.
 * INVARIANT: an alert never joins a signal of a lower severity, but by their key; then the signal escalates, which is told.
 * INVARIANT: what has a key is with what has the same key, and with nothing else.
 * INVARIANT: the sum of all `alertCount` is the number of reports that were not ignored.
 */
export function createDedupStage(context: StageContext): DedupStage {
  return new Dedup(context);
}

class Dedup implements DedupStage {
  readonly name = 'dedup';
  readonly #signals: Signals;
  readonly #scope: string;
  readonly #lifecycle: Lifecycle;
  #config: DedupConfig = dedupConfig.parse({});

  constructor(context: StageContext) {
    this.#scope = context.scope;
    this.#signals = new Signals(context, this.#config);
    this.#lifecycle = new Lifecycle(context.timers, this.#signals, () => this.#config);
  }

  signal(id: string): Signal | undefined {
    const signal = this.#signals.get(id);
    return signal && copySignal(signal);
  }

  *signals(): IterableIterator<Signal> {
    for (const signal of this.#signals.all()) if (signal.row.state !== 'resolved') yield copySignal(signal);
  }

  signalOf(fingerprint: string): Signal | undefined {
    const known = this.#signals.membership(fingerprint);
    return known && copySignal(known.signal);
  }

  explain(alert: Alert): readonly Reason[] {
    const signal = this.#signals.membership(alert.fingerprint)?.signal;
    if (!signal) return [];
    if (signal.row.key !== undefined) return this.#signals.keyOf(alert).reasons;
    if (signal.row.fingerprints[0] === alert.fingerprint) return [ownReason(signal)];
    return [
      similarReason(
        this.#signals.compare(alert, signal),
        differencesOf(signal.row, { text: textOf(alert), labels: alert.labels }),
      ),
    ];
  }

  keyOf(alert: Alert): { readonly key: string | null; readonly reasons: readonly Reason[] } {
    const { key, reasons } = this.#signals.keyOf(alert);
    return { key: key?.text ?? null, reasons };
  }

  restore(config: LogEntry | null): void {
    this.#config = sectionOf(config?.kind === 'config' ? config.payload : {});
    this.#signals.rebuild(this.#config);
  }

  onFrame({ entry, flow, position, timeMs }: TocsinFrame): void {
    if (entry?.kind === 'config') this.#configure(entry.payload);
    const { alertChanges } = flow;
    if (alertChanges.length === 0) return;
    const sightings: Sighting[] = [];
    const changes: SignalChange[] = [];
    for (let i = 0; i < alertChanges.length; i++) {
      sightings.push(this.#see(alertChanges[i]!, position, i, timeMs, changes));
    }
    flow.sightings = sightings;
    if (changes.length > 0) flow.signalChanges = changes;
  }

  onTimer(signalId: string, { flow, timeMs }: TocsinFrame): void {
    const changes: SignalChange[] = [];
    this.#lifecycle.onTimer(signalId, timeMs, changes);
    if (changes.length > 0) flow.signalChanges = changes;
  }

  #configure(config: Readonly<Record<string, unknown>>): void {
    const section = sectionOf(config);
    // A reload that is about something else must not cost a walk over all signals.
    if (JSON.stringify(section) === JSON.stringify(this.#config)) return;
    this.#config = section;
    this.#signals.rebuild(section);
  }

  #see(
    { change, alert, index }: AlertChange,
    position: number,
    place: number,
    nowMs: number,
    changes: SignalChange[],
  ): Sighting {
    const { fingerprint } = alert;
    if (change === 'ignored') return ignored(fingerprint);
    const known = this.#signals.membership(fingerprint);
    const isFiring = known !== undefined && known.member.isFiring;
    if (change === 'resolved' || change === 'expired') {
      if (!isFiring) return ignored(fingerprint);
      this.#count(known.signal, index >= 0, nowMs);
      this.#signals.setFiring(fingerprint, known.member, false);
      this.#lifecycle.end(known.signal, change === 'expired', nowMs, changes);
    } else if (isFiring) this.#count(known.signal, index >= 0, nowMs);
    else
      return this.#fire(alert, known, `sig-${this.#scope}${position.toString(36)}-${place}`, nowMs, changes);
    return known.sighting;
  }

  /** A fingerprint begins to fire. */
  #fire(
    alert: Alert,
    known: Membership | undefined,
    newId: string,
    nowMs: number,
    changes: SignalChange[],
  ): Sighting {
    const { fingerprint } = alert;
    const found = this.#signals.keyOf(alert);
    if (known && known.signal.row.key?.id === found.key?.id && this.#mayContinue(known.signal, nowMs)) {
      this.#signals.setFiring(fingerprint, known.member, true);
      this.#count(known.signal, true, nowMs);
      this.#lifecycle.begin(known.signal, nowMs, changes);
      return known.sighting;
    }
    if (found.key) return this.#fireUnderKey(alert, found, known, newId, nowMs, changes);
    const identity = this.#signals.identify(alert);
    const match = this.#signals.mostSimilar(alert, identity);
    if (match?.isTaken) {
      const { signal, similarity } = match;
      this.#signals.join(signal, fingerprint);
      this.#count(signal, true, nowMs);
      this.#lifecycle.begin(signal, nowMs, changes);
      const differing = differencesOf(signal.row, { text: identity.text, labels: alert.labels });
      if (isNews(signal.row.fingerprintCount)) {
        const reasons = [similarReason(match, differing)];
        changes.push({ change: 'grown', signal: copySignal(signal), reasons });
      }
      return { fingerprint, signalId: signal.row.id, how: 'similar', similarity, differing };
    }
    const signal = this.#signals.create(newId, alert, identity, found, nowMs);
    this.#signals.join(signal, fingerprint);
    this.#count(signal, true, nowMs);
    const reasons = match ? [notSimilarReason(match, this.#config.similarity)] : [];
    this.#lifecycle.open(signal, known?.signal, [...found.reasons, ...reasons], nowMs, changes);
    return { fingerprint, signalId: newId, how: 'new', similarity: 1 };
  }

  /** A fingerprint begins to fire that has a key: texts and labels say nothing then. */
  #fireUnderKey(
    alert: Alert,
    found: FoundKey,
    known: Membership | undefined,
    newId: string,
    nowMs: number,
    changes: SignalChange[],
  ): Sighting {
    const { fingerprint } = alert;
    const latest = this.#signals.ofKey(found.key?.id ?? '');
    if (latest && this.#mayContinue(latest, nowMs)) {
      this.#signals.join(latest, fingerprint);
      this.#count(latest, true, nowMs);
      this.#lifecycle.begin(latest, nowMs, changes);
      if (!this.#lifecycle.escalate(latest, alert, changes) && isNews(latest.row.fingerprintCount))
        changes.push({ change: 'grown', signal: copySignal(latest), reasons: found.reasons });
      return { fingerprint, signalId: latest.row.id, how: 'key', similarity: 1 };
    }
    const identity = this.#signals.identify(alert);
    const signal = this.#signals.create(newId, alert, identity, found, nowMs);
    this.#signals.join(signal, fingerprint);
    this.#count(signal, true, nowMs);
    this.#lifecycle.open(signal, latest ?? known?.signal, found.reasons, nowMs, changes);
    return { fingerprint, signalId: newId, how: 'new', similarity: 1 };
  }

  #mayContinue(signal: LiveSignal, nowMs: number): boolean {
    return this.#lifecycle.mayContinue(signal, nowMs);
  }

  #count({ row }: LiveSignal, isReport: boolean, nowMs: number): void {
    if (isReport) row.alertCount++;
    row.lastAtMs = nowMs;
    this.#signals.touch(row.id);
  }
}

function sectionOf(config: Readonly<Record<string, unknown>>): DedupConfig {
  return (config['dedup'] ?? dedupConfig.parse({})) as DedupConfig;
}

function ignored(fingerprint: string): Sighting {
  return { fingerprint, signalId: null, how: 'ignored', similarity: 0 };
}

/** Up to 16, and then each eighth more: a signal that grows to thousands is not news thousands of times. */
function isNews(count: number): boolean {
  if (count <= 16) return true;
  const step = 2 ** (Math.floor(Math.log2(count)) - 3);
  return count % step === 0;
}
