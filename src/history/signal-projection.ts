import { labelValue, type Severity } from '../alert/index.ts';
import type { Table } from '../engine/index.ts';
import type {
  Reason,
  ServiceGraph,
  Signal,
  SignalChange,
  SignalScore,
  TocsinFrame,
} from '../incident/index.ts';
import { labelsColumn, nullableTimeColumn, reasonsColumn, timeColumn } from './columns.ts';
import type { RowEmitter } from './row-emitter.ts';

/** What is remembered of a signal while it lives: everything but its fingerprints. */
export interface RememberedSignal extends Omit<Signal, 'fingerprints'> {
  readonly fingerprintCount: number;
  surprise: number | null;
  surpriseState: SignalScore['state'] | '';
}

export interface SignalProjectionOptions {
  readonly signals: Table<RememberedSignal>;
  readonly rows: RowEmitter;
  readonly services: () => ServiceGraph;
}

/** Rows of table `signals`: one for each change of a signal, with its surprise, and one when only its surprise changes. */
export class SignalProjection {
  readonly #signals: Table<RememberedSignal>;
  readonly #rows: RowEmitter;
  readonly #services: () => ServiceGraph;

  constructor({ signals, rows, services }: SignalProjectionOptions) {
    this.#signals = signals;
    this.#rows = rows;
    this.#services = services;
  }

  get(id: string): RememberedSignal | undefined {
    return this.#signals.get(id);
  }

  /** Forgets the signal if it has resolved. */
  forgetResolved(id: string): void {
    if (this.#signals.get(id)?.state === 'resolved') this.#signals.delete(id);
  }

  onFrame({ flow }: TocsinFrame): void {
    const scores = new Map(flow.scores.map((score) => [score.signalId, score]));
    for (const change of flow.signalChanges) {
      const remembered = this.#remember(change, scores.get(change.signal.id));
      const reasons = [...change.reasons, ...(scores.get(change.signal.id)?.reasons ?? [])];
      this.#push(change.change, remembered, reasons);
    }
    const changed = new Set(flow.signalChanges.map(({ signal }) => signal.id));
    for (const score of flow.scores) {
      const remembered = this.#signals.get(score.signalId);
      if (!remembered || changed.has(score.signalId)) continue;
      remembered.surprise = score.surprise;
      remembered.surpriseState = score.state;
      this.#signals.touch(score.signalId);
      this.#push('scored', remembered, score.reasons);
    }
  }

  #remember({ signal }: SignalChange, score: SignalScore | undefined): RememberedSignal {
    const before = this.#signals.get(signal.id);
    const { fingerprints: _, ...rest } = signal;
    const remembered: RememberedSignal = {
      ...rest,
      surprise: score ? score.surprise : (before?.surprise ?? null),
      surpriseState: score ? score.state : (before?.surpriseState ?? ''),
    };
    this.#signals.set(signal.id, remembered);
    return remembered;
  }

  #push(
    change: SignalChange['change'] | 'scored',
    signal: RememberedSignal,
    reasons: readonly Reason[],
  ): void {
    this.#rows.push('signals', {
      domain: signal.domain,
      signal_id: signal.id,
      change,
      state: signal.state,
      severity: signal.severity satisfies Severity,
      alertname: labelValue(signal.labels, 'alertname'),
      service: this.#services().serviceOf(signal.labels) ?? '',
      labels: labelsColumn(signal.labels),
      text: signal.text,
      template: signal.template,
      first_at: timeColumn(signal.firstAtMs),
      last_at: timeColumn(signal.lastAtMs),
      resolved_at: nullableTimeColumn(signal.resolvedAtMs),
      alert_count: signal.alertCount,
      fingerprint_count: signal.fingerprintCount,
      firing_count: signal.firingCount,
      surprise: signal.surprise,
      surprise_state: signal.surpriseState,
      reasons: reasonsColumn(reasons),
    });
  }
}
