import { labelPairs, labelValue, type Alert, type Labels } from '../alert/index.ts';
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
import { flapShare } from './flapping.ts';
import { identify } from './identity.ts';
import { copySignal, Signals, type StoredSignal } from './signals.ts';

/** The dedup stage, and what it knows of signals. */
export interface DedupStage extends TocsinStage {
  signal(id: string): Signal | undefined;
  /** Signals that are not resolved. */
  signals(): IterableIterator<Signal>;
  signalOf(fingerprint: string): Signal | undefined;
}

/**
 * Takes alerts together that are one thing: the same fingerprint, or a text that is nearly the same under equal protected
 * labels. Every alert is counted into a signal and none is lost. A resolve is never a duplicate. A signal that keeps coming and
 * going flaps, and then resolves only once it has been quiet.
 */
export function createDedupStage(context: StageContext): DedupStage {
  return new Dedup(context);
}

class Dedup implements DedupStage {
  readonly name = 'dedup';
  readonly #context: StageContext;
  readonly #signals: Signals;
  #config: DedupConfig = dedupConfig.parse({});

  constructor(context: StageContext) {
    this.#context = context;
    this.#signals = new Signals(context);
  }

  signal(id: string): Signal | undefined {
    return this.#signals.get(id);
  }

  *signals(): IterableIterator<Signal> {
    for (const signal of this.#signals.all()) if (signal.state !== 'resolved') yield signal;
  }

  signalOf(fingerprint: string): Signal | undefined {
    return this.#signals.of(fingerprint);
  }

  restore(config: LogEntry | null): void {
    this.#configure(config?.kind === 'config' ? config.payload : {});
  }

  onFrame({ entry, flow, timeMs }: TocsinFrame): void {
    if (entry?.kind === 'config') this.#configure(entry.payload);
    if (flow.alertChanges.length === 0) return;
    const sightings: Sighting[] = [];
    const changes: SignalChange[] = [];
    for (let i = 0; i < flow.alertChanges.length; i++) {
      sightings.push(this.#see(flow.alertChanges[i]!, timeMs, changes));
    }
    flow.sightings = sightings;
    if (changes.length > 0) flow.signalChanges = changes;
  }

  onTimer(key: string, { flow, timeMs }: TocsinFrame): void {
    const [kind = '', id = ''] = key.split('/');
    const signal = this.#signals.get(id);
    if (!signal) return;
    if (kind === 'quiet') flow.signalChanges = this.#steady(signal, timeMs);
    else if (signal.state === 'resolved') this.#signals.forget(signal);
  }

  #configure(config: Readonly<Record<string, unknown>>): void {
    this.#config = (config['dedup'] ?? dedupConfig.parse({})) as DedupConfig;
    this.#signals.configure(this.#config);
  }

  #see({ change, alert, index }: AlertChange, nowMs: number, changes: SignalChange[]): Sighting {
    const { fingerprint } = alert;
    if (change === 'ignored') return { fingerprint, signalId: null, how: 'ignored', similarity: 0 };
    const known = this.#signals.of(fingerprint);
    if (change === 'fired') return this.#fire(alert, known, nowMs, changes);
    if (!known) return { fingerprint, signalId: null, how: 'ignored', similarity: 0 };
    known.lastAtMs = nowMs;
    if (index >= 0) known.alertCount++;
    this.#signals.touch(known);
    if (change === 'resolved' || change === 'expired') this.#end(known, nowMs, changes);
    return { fingerprint, signalId: known.id, how: 'exact', similarity: 1 };
  }

  #fire(alert: Alert, known: StoredSignal | undefined, nowMs: number, changes: SignalChange[]): Sighting {
    const { fingerprint } = alert;
    if (
      known &&
      (known.state !== 'resolved' || nowMs - (known.resolvedAtMs ?? 0) <= this.#config.reopen_window)
    ) {
      this.#again(known, nowMs, changes);
      return { fingerprint, signalId: known.id, how: 'exact', similarity: 1 };
    }
    const identity = identify(alert, this.#config);
    const similar = this.#signals.mostSimilar(identity);
    if (similar) {
      this.#grow(similar.signal, alert, similar.similarity, nowMs, changes);
      return { fingerprint, signalId: similar.signal.id, how: 'similar', similarity: similar.similarity };
    }
    const signal = this.#signals.open(alert, identity, this.#config.severity_label, nowMs);
    this.#count(signal, nowMs);
    this.#signals.join(signal, alert, this.#config.severity_label);
    changes.push({ change: 'opened', signal: copySignal(signal), reasons: [] });
    return { fingerprint, signalId: signal.id, how: 'new', similarity: 1 };
  }

  /** A fingerprint that the signal knows fires again. */
  #again(signal: StoredSignal, nowMs: number, changes: SignalChange[]): void {
    const wasQuiet = signal.firingCount === 0;
    const wasResolved = signal.state === 'resolved';
    this.#count(signal, nowMs);
    if (wasResolved) {
      signal.state = 'firing';
      signal.resolvedAtMs = null;
      this.#context.timers.cancel(`forget/${signal.id}`);
      this.#signals.enlist(signal);
    }
    if (wasQuiet) this.#noteChange(signal, nowMs, changes);
    if (wasResolved) changes.push({ change: 'reopened', signal: copySignal(signal), reasons: [] });
  }

  #grow(
    signal: StoredSignal,
    alert: Alert,
    similarity: number,
    nowMs: number,
    changes: SignalChange[],
  ): void {
    const severity = signal.severity;
    const wasQuiet = signal.firingCount === 0;
    this.#count(signal, nowMs);
    this.#signals.join(signal, alert, this.#config.severity_label);
    if (wasQuiet) this.#noteChange(signal, nowMs, changes);
    const isRaised = signal.severity !== severity;
    if (!isRaised && !isRoundCount(signal.fingerprintCount)) return;
    const reason: Reason = {
      stage: 'dedup',
      code: 'similar_text',
      text: `similar text ${similarity.toFixed(2)} to "${signal.text}"${difference(signal.labels, alert.labels)}`,
      weight: similarity,
    };
    changes.push({ change: isRaised ? 'escalated' : 'grown', signal: copySignal(signal), reasons: [reason] });
  }

  #count(signal: StoredSignal, nowMs: number): void {
    signal.alertCount++;
    signal.firingCount++;
    signal.lastAtMs = nowMs;
    this.#signals.touch(signal);
  }

  #end(signal: StoredSignal, nowMs: number, changes: SignalChange[]): void {
    signal.firingCount--;
    if (signal.firingCount > 0) return;
    this.#noteChange(signal, nowMs, changes);
    if (signal.state !== 'flapping') changes.push(this.#resolve(signal, nowMs));
  }

  #resolve(signal: StoredSignal, nowMs: number): SignalChange {
    signal.state = 'resolved';
    signal.resolvedAtMs = nowMs;
    this.#signals.delist(signal);
    this.#signals.touch(signal);
    this.#context.timers.set(`forget/${signal.id}`, nowMs + this.#config.retention);
    return { change: 'resolved', signal: copySignal(signal), reasons: [] };
  }

  /** Takes note that the signal went from firing to quiet or back, and finds out whether it flaps. */
  #noteChange(signal: StoredSignal, nowMs: number, changes: SignalChange[]): void {
    const { flapping } = this.#config;
    signal.changesMs = [...signal.changesMs, nowMs].slice(-flapping.changes);
    const share = flapShare(signal.changesMs, nowMs, flapping);
    if (signal.state === 'flapping') this.#context.timers.set(`quiet/${signal.id}`, nowMs + flapping.quiet);
    else if (share >= flapping.start) {
      signal.state = 'flapping';
      this.#context.timers.set(`quiet/${signal.id}`, nowMs + flapping.quiet);
      const minutes = Math.round((nowMs - signal.changesMs[0]!) / 60_000);
      const text = `flapping: ${signal.changesMs.length} changes in ${minutes} min`;
      changes.push({
        change: 'flapping',
        signal: copySignal(signal),
        reasons: [{ stage: 'dedup', code: 'flapping', text, weight: share }],
      });
    }
    this.#signals.touch(signal);
  }

  /** The signal has been quiet long enough: it flaps no more. */
  #steady(signal: StoredSignal, nowMs: number): SignalChange[] {
    if (signal.state !== 'flapping') return [];
    signal.state = 'firing';
    signal.changesMs = [];
    this.#signals.touch(signal);
    const steady: SignalChange = { change: 'steady', signal: copySignal(signal), reasons: [] };
    return signal.firingCount > 0 ? [steady] : [steady, this.#resolve(signal, nowMs)];
  }
}

/** 2 to 10, then the powers of two: a signal that grows to thousands is not news thousands of times. */
function isRoundCount(count: number): boolean {
  return count <= 10 || (count & (count - 1)) === 0;
}

function difference(a: Labels, b: Labels): string {
  const differing: string[] = [];
  for (const [name, value] of labelPairs(b)) {
    const before = labelValue(a, name);
    if (before !== value) differing.push(`${name}: ${before || 'none'} -> ${value}`);
  }
  return differing.length === 0 ? '' : `; differs in ${differing.slice(0, 3).join(', ')}`;
}
