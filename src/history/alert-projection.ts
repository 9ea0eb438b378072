import { labelValue, parseSeverity, type Alert, type Labels } from '../alert/index.ts';
import type { StageTimers, Table } from '../engine/index.ts';
import type { AlertChange, ServiceGraph, Sighting, TocsinFrame } from '../incident/index.ts';
import { labelsColumn, timeColumn } from './columns.ts';
import type { RowEmitter } from './row-emitter.ts';

/** Reports of one fingerprint that changed nothing, counted until their row is written. */
export interface CountedReports {
  readonly fingerprint: string;
  readonly change: 'repeated' | 'ignored';
  readonly domain: string;
  readonly labels: Labels;
  readonly source: string;
  readonly startsAtMs: number;
  endsAtMs: number;
  readonly firstAtMs: number;
  lastAtMs: number;
  count: number;
  readonly signalId: string;
  readonly how: Sighting['how'];
  readonly similarity: number;
}

/** Each fingerprint's counted reports are written in its own part of the interval, so that a million series make no burst. */
const slotCount = 300;

export interface AlertProjectionOptions {
  readonly counted: Table<CountedReports>;
  readonly timers: StageTimers;
  readonly rows: RowEmitter;
  readonly services: () => ServiceGraph;
  /** How long reports are counted before they become a row. */
  readonly intervalMs: () => number;
}

/**
 * Rows of table `alerts`: one for each report that changes its alert, and one an interval for each fingerprint's reports
 * that change nothing.
 *
 * INVARIANT: sum(count) over all rows, plus what is still counted (at most an interval of log time), is the number of reports.
 */
export class AlertProjection {
  readonly #counted: Table<CountedReports>;
  readonly #timers: StageTimers;
  readonly #rows: RowEmitter;
  readonly #services: () => ServiceGraph;
  readonly #intervalMs: () => number;
  readonly #slots: string[][] = Array.from({ length: slotCount }, () => []);

  constructor({ counted, timers, rows, services, intervalMs }: AlertProjectionOptions) {
    this.#counted = counted;
    this.#timers = timers;
    this.#rows = rows;
    this.#services = services;
    this.#intervalMs = intervalMs;
  }

  restore(): void {
    for (const [key, { fingerprint }] of this.#counted.entries()) this.#slots[slotOf(fingerprint)]?.push(key);
  }

  onFrame({ flow, timeMs }: TocsinFrame): void {
    const { alertChanges, sightings } = flow;
    for (let i = 0; i < alertChanges.length; i++) {
      const change = alertChanges[i]!;
      const sighting = sightings[i];
      if (change.change === 'repeated') this.#count(change.alert.fingerprint, change, sighting, timeMs);
      else if (change.change === 'ignored')
        this.#count(`ignored/${change.alert.fingerprint}`, change, sighting, timeMs);
      else this.#pushChange(change, sighting, timeMs);
    }
  }

  /** Writes what was counted for the fingerprints of one slot. */
  onTimer(key: string): void {
    const slot = Number(key.slice(timerPrefix.length));
    const keys = this.#slots[slot] ?? [];
    this.#slots[slot] = [];
    for (const countedKey of keys) {
      const counted = this.#counted.get(countedKey);
      if (!counted) continue;
      this.#pushCounted(counted);
      this.#counted.delete(countedKey);
    }
  }

  #count(key: string, { change, alert }: AlertChange, sighting: Sighting | undefined, timeMs: number): void {
    const signalId = sighting?.signalId ?? '';
    const counted = this.#counted.get(key);
    if (counted !== undefined && counted.signalId === signalId && counted.startsAtMs === alert.startsAtMs) {
      counted.count++;
      counted.lastAtMs = timeMs;
      counted.endsAtMs = alert.endsAtMs;
      this.#counted.touch(key);
      return;
    }
    if (counted) this.#pushCounted(counted);
    else this.#schedule(key, alert.fingerprint, timeMs);
    this.#counted.set(key, {
      fingerprint: alert.fingerprint,
      change: change === 'ignored' ? 'ignored' : 'repeated',
      domain: alert.domain,
      labels: alert.labels,
      source: alert.source,
      startsAtMs: alert.startsAtMs,
      endsAtMs: alert.endsAtMs,
      firstAtMs: timeMs,
      lastAtMs: timeMs,
      count: 1,
      signalId,
      how: sighting?.how ?? 'ignored',
      similarity: sighting?.similarity ?? 0,
    });
  }

  #schedule(key: string, fingerprint: string, timeMs: number): void {
    const slot = slotOf(fingerprint);
    this.#slots[slot]?.push(key);
    const timer = `${timerPrefix}${slot}`;
    if (this.#timers.dueMs(timer) !== undefined) return;
    const intervalMs = this.#intervalMs();
    const dueMs = timeMs - (timeMs % intervalMs) + Math.floor((slot / slotCount) * intervalMs);
    this.#timers.set(timer, dueMs > timeMs ? dueMs : dueMs + intervalMs);
  }

  #pushChange({ change, alert, index }: AlertChange, sighting: Sighting | undefined, timeMs: number): void {
    this.#rows.push('alerts', {
      ...this.#identity(alert),
      change,
      count: index < 0 ? 0 : 1,
      first_at: timeColumn(timeMs),
      last_at: timeColumn(timeMs),
      starts_at: timeColumn(alert.startsAtMs),
      ends_at: timeColumn(alert.endsAtMs),
      ends_by_timeout: alert.endsByTimeout,
      annotations: labelsColumn(alert.annotations),
      generator_url: alert.generatorUrl,
      signal_id: sighting?.signalId ?? '',
      how: sighting?.how ?? 'ignored',
      similarity: sighting?.similarity ?? 0,
      differing: sighting?.differing ?? '',
    });
  }

  #pushCounted(counted: CountedReports): void {
    this.#rows.push('alerts', {
      ...this.#identity(counted),
      change: counted.change,
      count: counted.count,
      first_at: timeColumn(counted.firstAtMs),
      last_at: timeColumn(counted.lastAtMs),
      starts_at: timeColumn(counted.startsAtMs),
      ends_at: timeColumn(counted.endsAtMs),
      signal_id: counted.signalId,
      how: counted.how,
      similarity: counted.similarity,
    });
  }

  #identity({
    domain,
    fingerprint,
    labels,
    source,
  }: Pick<Alert, 'domain' | 'fingerprint' | 'labels' | 'source'>): Record<string, unknown> {
    return {
      domain,
      fingerprint,
      alertname: labelValue(labels, 'alertname'),
      service: this.#services().serviceOf(labels) ?? '',
      severity: parseSeverity(labelValue(labels, 'severity')),
      labels: labelsColumn(labels),
      source,
    };
  }
}

const timerPrefix = 'counted/';

/** From the last hex digits of the fingerprint. */
function slotOf(fingerprint: string): number {
  const value = Number.parseInt(fingerprint.slice(-4), 16);
  return Number.isNaN(value) ? 0 : value % slotCount;
}
