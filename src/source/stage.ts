import { equalLabels, type Alert } from '../alert/index.ts';
import type { StageContext, Table } from '../engine/index.ts';
import type { AlertChange, LogEntry, TocsinFrame, TocsinStage } from '../incident/index.ts';
import { globalConfig, type GlobalConfig } from './config.ts';
import { FiringByKey } from './firing-by-key.ts';

/** The intake stage, and what it knows of each alert. */
export interface IntakeStage extends TocsinStage {
  /** Alerts that fire now. */
  alerts(): IterableIterator<Alert>;
  /** The alert of a fingerprint, firing or resolved a short while ago. */
  alert(fingerprint: string): Alert | undefined;
  /** Fingerprints that are known. */
  readonly size: number;
}

/** Changed in place: a repeat costs no more than its merged alert. */
interface Known {
  alert: Alert;
  isFiring: boolean;
}

/**
 * The first stage: what does each report do to the alert of its fingerprint? Merges overlapping reports as Alertmanager does
 * (types/types.go `Alert.Merge`, provider/mem), notices when nobody repeats an alert any more, and forgets resolved alerts after
 * `global.resolved_retention`. A resolve under a key of the sender's ends all that fires under that key, whatever its labels.
 */
export function createIntakeStage(context: StageContext): IntakeStage {
  return new Intake(context);
}

const defaults = globalConfig.parse({});

class Intake implements IntakeStage {
  readonly name = 'source';
  readonly #known: Table<Known>;
  readonly #context: StageContext;
  /** Until when nothing expires, at key `until`. */
  readonly #grace: Table<number>;
  readonly #byKey = new FiringByKey();
  #retentionMs = defaults.resolved_retention;
  #resolveTimeoutMs = defaults.resolve_timeout;

  constructor(context: StageContext) {
    this.#context = context;
    this.#known = context.table<Known>('alerts');
    this.#grace = context.table<number>('grace');
  }

  get size(): number {
    return this.#known.size;
  }

  *alerts(): IterableIterator<Alert> {
    for (const { alert, isFiring } of this.#known.values()) if (isFiring) yield alert;
  }

  alert(fingerprint: string): Alert | undefined {
    return this.#known.get(fingerprint)?.alert;
  }

  restore(config: LogEntry | null): void {
    if (config?.kind === 'config') this.#configure(config.payload);
    this.#byKey.clear();
    for (const { alert, isFiring } of this.#known.values()) if (isFiring) this.#byKey.note(null, alert);
  }

  onFrame({ entry, timeMs, flow }: TocsinFrame): void {
    if (entry === null) return;
    if (entry.kind === 'config') this.#configure(entry.payload);
    if (entry.kind === 'resume') this.#grantGrace(timeMs, entry.payload.atMs);
    if (entry.kind !== 'alerts') return;
    const changes: AlertChange[] = [];
    for (let index = 0; index < entry.payload.length; index++) {
      const report = entry.payload[index]!;
      if (report.key === undefined || report.endsAtMs > timeMs)
        changes.push(this.#take(report, index, timeMs));
      else changes.push(...this.#endKey(report, report.key, index, timeMs));
    }
    flow.alertChanges = changes;
  }

  /** One timer an alert: while it fires, when it may have expired; afterwards, when it is forgotten. */
  onTimer(fingerprint: string, { timeMs, flow }: TocsinFrame): void {
    const known = this.#known.get(fingerprint);
    if (!known) return;
    const { alert } = known;
    const graceUntilMs = this.#grace.get('until') ?? -Infinity;
    if (!known.isFiring) this.#known.delete(fingerprint);
    else if (alert.endsAtMs > timeMs) this.#context.timers.set(fingerprint, alert.endsAtMs);
    else if (graceUntilMs > timeMs) this.#context.timers.set(fingerprint, graceUntilMs);
    else {
      known.isFiring = false;
      this.#byKey.note(alert, null);
      this.#known.touch(fingerprint);
      this.#context.timers.set(fingerprint, timeMs + this.#retentionMs);
      flow.alertChanges = [{ change: 'expired', alert, index: -1 }];
    }
  }

  #configure(config: Readonly<Record<string, unknown>>): void {
    const section = config['global'] as Partial<GlobalConfig> | undefined;
    this.#retentionMs = section?.resolved_retention ?? defaults.resolved_retention;
    this.#resolveTimeoutMs = section?.resolve_timeout ?? defaults.resolve_timeout;
  }

  /** That nobody repeated an alert while nobody listened proves nothing: senders get as long as that was to say it again. */
  #grantGrace(sinceMs: number, atMs: number): void {
    this.#grace.set('until', atMs + Math.min(atMs - sinceMs, this.#resolveTimeoutMs));
  }

  /** A resolve under a key: what fires under it ends with it, and only where nothing does the report stands for itself. */
  #endKey(report: Alert, key: string, index: number, timeMs: number): AlertChange[] {
    const names = this.#byKey.of(report.domain, key);
    const isOwn = this.#known.get(report.fingerprint)?.isFiring === true;
    const changes = isOwn || names.length === 0 ? [this.#take(report, index, timeMs)] : [];
    for (const name of names) {
      const known = this.#known.get(name)!;
      if (!known.isFiring) continue;
      const { endsAtMs, endsByTimeout, receivedAtMs } = report;
      this.#byKey.note(known.alert, null);
      // No period ends before it begins.
      const startsAtMs = Math.min(known.alert.startsAtMs, timeMs);
      const endMs = Math.max(endsAtMs, startsAtMs);
      known.alert = { ...known.alert, startsAtMs, endsAtMs: endMs, endsByTimeout, receivedAtMs };
      known.isFiring = false;
      this.#known.touch(name);
      this.#context.timers.set(name, timeMs + this.#retentionMs);
      changes.push({ change: 'resolved', alert: known.alert, index: changes.length === 0 ? index : -1 });
    }
    return changes;
  }

  #take(report: Alert, index: number, timeMs: number): AlertChange {
    const { timers } = this.#context;
    const known = this.#known.get(report.fingerprint);
    const before = known?.alert;
    const wasFiring = known?.isFiring === true;
    const alert = before ? merge(before, report, timeMs) : report;
    const isFiring = alert.endsAtMs > timeMs;
    this.#byKey.note(before && wasFiring ? before : null, isFiring ? alert : null);

    if (!isFiring && !wasFiring) {
      if (known) {
        known.alert = alert;
        this.#known.touch(alert.fingerprint);
      }
      return { change: 'ignored', alert, index };
    }
    if (known) {
      known.alert = alert;
      known.isFiring = isFiring;
      this.#known.touch(alert.fingerprint);
    } else this.#known.set(alert.fingerprint, { alert, isFiring });
    if (!isFiring) {
      timers.set(alert.fingerprint, timeMs + this.#retentionMs);
      return { change: 'resolved', alert, index };
    }
    // The timer is left alone where the end only moved on: it looks again when it fires.
    if (!before || !wasFiring || alert.endsAtMs < before.endsAtMs)
      timers.set(alert.fingerprint, alert.endsAtMs);
    if (!wasFiring) return { change: 'fired', alert, index };
    return { change: before && isSameNews(before, alert) ? 'repeated' : 'updated', alert, index };
  }
}

/** Whether a receiver would read the same: all but when it was repeated and how long that holds. */
function isSameNews(before: Alert, alert: Alert): boolean {
  return (
    alert.annotations === before.annotations &&
    alert.startsAtMs === before.startsAtMs &&
    alert.generatorUrl === before.generatorUrl
  );
}

/** What is known after `report`, whose times count alone unless the two overlap. Texts that are the same are kept, so that a series costs memory once. */
function merge(before: Alert, report: Alert, timeMs: number): Alert {
  const overlaps = overlap(before, report);
  const keepsEnd = overlaps && keepsEndOf(before, report, timeMs);
  return {
    fingerprint: before.fingerprint,
    domain: before.domain,
    labels: before.labels,
    annotations: equalLabels(before.annotations, report.annotations)
      ? before.annotations
      : report.annotations,
    startsAtMs: overlaps ? Math.min(before.startsAtMs, report.startsAtMs) : report.startsAtMs,
    endsAtMs: keepsEnd ? before.endsAtMs : report.endsAtMs,
    endsByTimeout: keepsEnd ? before.endsByTimeout : report.endsByTimeout,
    receivedAtMs: report.receivedAtMs,
    generatorUrl: report.generatorUrl === before.generatorUrl ? before.generatorUrl : report.generatorUrl,
    source: report.source === before.source ? before.source : report.source,
    ...keyOf(before, report),
  };
}

/** Who repeats an alert by another way, without its key, takes nothing away. */
function keyOf(before: Alert, report: Alert): Pick<Alert, 'key'> {
  const key = report.key ?? before.key;
  return key === undefined ? {} : { key };
}

/** Alertmanager's test for one period of activity (provider/mem/mem.go `Put`). */
function overlap(before: Alert, report: Alert): boolean {
  return (
    (report.endsAtMs > before.startsAtMs && report.endsAtMs < before.endsAtMs) ||
    (report.startsAtMs > before.startsAtMs && report.startsAtMs < before.endsAtMs)
  );
}

/** Of two resolves the later end counts; while it fires, an end that a sender gave, if it is the later one (types.go `Merge`). */
function keepsEndOf(before: Alert, report: Alert, timeMs: number): boolean {
  if (before.endsAtMs <= report.endsAtMs) return false;
  return report.endsAtMs <= timeMs ? before.endsAtMs <= timeMs : !before.endsByTimeout;
}
