import { labelValue, parseSeverity, severityRank, type Alert } from '../alert/index.ts';
import type { StageTimers } from '../engine/index.ts';
import type { Reason, SignalChange } from '../incident/index.ts';
import type { DedupConfig } from './config.ts';
import { flapShare, isFlapping, quietTime } from './flapping.ts';
import { escalatedReason } from './keys.ts';
import { calmerReason, flappingReason, quietReason, reopenedReason, resolvedReason } from './reasons.ts';
import { addChange, copySignal, type LiveSignal } from './signal-row.ts';
import type { Signals } from './signals.ts';

/**
 * How a signal opens, resolves, reopens and flaps. It fires while any of its fingerprints does. While it flaps it stays open, firing or
 * not, until its changes become rare or none comes for `quietTime`.
 *
 * One timer a signal, under its id: while it flaps, when it may be quiet; once resolved, when it is forgotten.
 */
export class Lifecycle {
  readonly #timers: StageTimers;
  readonly #signals: Signals;
  readonly #config: () => DedupConfig;

  constructor(timers: StageTimers, signals: Signals, config: () => DedupConfig) {
    this.#timers = timers;
    this.#signals = signals;
    this.#config = config;
  }

  /** Whether a known fingerprint of the signal that fires again goes on with it. */
  mayContinue({ row }: LiveSignal, nowMs: number): boolean {
    return row.resolvedAtMs === null || nowMs - row.resolvedAtMs <= this.#config().reopen_window;
  }

  /** A new signal fires. `before` is the resolved one of the same fingerprint: its changes count on, so that slow flapping shows. */
  open(
    signal: LiveSignal,
    before: LiveSignal | undefined,
    reasons: readonly Reason[],
    nowMs: number,
    changes: SignalChange[],
  ): void {
    const { row } = signal;
    row.firingCount = 1;
    if (before) row.changesMs = [...before.row.changesMs];
    changes.push({ change: 'opened', signal: copySignal(signal), reasons });
    this.#turn(signal, nowMs, changes);
  }

  /** One more fingerprint of the signal fires. */
  begin(signal: LiveSignal, nowMs: number, changes: SignalChange[]): void {
    const { row } = signal;
    row.firingCount++;
    if (row.firingCount > 1) return;
    if (row.resolvedAtMs !== null) {
      const reasons = [reopenedReason(nowMs - row.resolvedAtMs)];
      row.state = 'firing';
      row.resolvedAtMs = null;
      this.#timers.cancel(row.id);
      this.#signals.reopen(signal);
      changes.push({ change: 'reopened', signal: copySignal(signal), reasons });
    }
    this.#turn(signal, nowMs, changes);
  }

  /** Raises the signal to the severity of an alert that joined it by their key. False where that is not higher. */
  escalate(signal: LiveSignal, { labels }: Alert, changes: SignalChange[]): boolean {
    const { row } = signal;
    const severity = parseSeverity(labelValue(labels, this.#config().severity_label));
    if (severityRank(severity) <= severityRank(row.severity)) return false;
    const reason = escalatedReason(row.severity, severity);
    row.severity = severity;
    this.#signals.touch(row.id);
    changes.push({ change: 'escalated', signal: copySignal(signal), reasons: [reason] });
    return true;
  }

  /** One fingerprint of the signal fires no more. */
  end(signal: LiveSignal, isExpired: boolean, nowMs: number, changes: SignalChange[]): void {
    const { row } = signal;
    row.firingCount--;
    if (row.firingCount > 0) return;
    this.#turn(signal, nowMs, changes);
    if (row.state !== 'flapping') this.#resolve(signal, resolvedReason(row, isExpired), nowMs, changes);
  }

  /** The signal has been quiet, or resolved, for long enough. */
  onTimer(signalId: string, nowMs: number, changes: SignalChange[]): void {
    const signal = this.#signals.get(signalId);
    if (!signal) return;
    const { row } = signal;
    if (row.state === 'resolved') {
      this.#signals.forget(signalId);
      return;
    }
    const reason = quietReason(nowMs - (row.changesMs.at(-1) ?? row.firstAtMs));
    // What flapped before the quiet must not make the next change flapping again.
    row.changesMs = [];
    if (row.firingCount > 0) this.#steady(signal, reason, changes);
    else this.#resolve(signal, reason, nowMs, changes);
  }

  /** Notes that the signal went from firing to quiet or back, and whether it flaps now. */
  #turn(signal: LiveSignal, nowMs: number, changes: SignalChange[]): void {
    const { row } = signal;
    const { flapping } = this.#config();
    const wasFlapping = row.state === 'flapping';
    addChange(row, nowMs, flapping.changes);
    this.#signals.touch(row.id);
    const share = flapShare(row.changesMs, nowMs, flapping);
    if (flapping.enabled && isFlapping(wasFlapping, share, flapping)) {
      row.state = 'flapping';
      const quietMs = quietTime(row.changesMs, nowMs, flapping);
      this.#timers.set(row.id, nowMs + quietMs);
      const reasons = [flappingReason(row, share, nowMs, quietMs)];
      if (!wasFlapping) changes.push({ change: 'flapping', signal: copySignal(signal), reasons });
    } else if (wasFlapping) this.#steady(signal, calmerReason(share), changes);
  }

  #steady(signal: LiveSignal, reason: Reason, changes: SignalChange[]): void {
    const { row } = signal;
    row.state = 'firing';
    this.#timers.cancel(row.id);
    this.#signals.touch(row.id);
    changes.push({ change: 'steady', signal: copySignal(signal), reasons: [reason] });
  }

  #resolve(signal: LiveSignal, reason: Reason, nowMs: number, changes: SignalChange[]): void {
    const { row } = signal;
    row.state = 'resolved';
    row.resolvedAtMs = nowMs;
    this.#timers.set(row.id, nowMs + this.#config().retention);
    this.#signals.touch(row.id);
    this.#signals.close(signal);
    changes.push({ change: 'resolved', signal: copySignal(signal), reasons: [reason] });
  }
}
