import { formatDuration } from '../alert/index.ts';
import type { StageContext, Table } from '../engine/index.ts';
import type { Cover, ServiceGraph, Storm, StormChange } from '../incident/index.ts';
import { Arrivals } from './arrivals.ts';
import type { StormsConfig } from './config.ts';
import type { MemberIncident, Members, MemberSignal } from './members.ts';
import { Roots } from './roots.ts';
import { addToFamily, copyStorm, createStormRow, stormReason, type StormRow } from './storm-row.ts';
import { quantileOf, tailOf } from './tail.ts';

/** What a frame brought about. */
export interface StormNews {
  readonly changes: StormChange[];
  readonly covers: Cover[];
}

/** How long storms that are over are remembered here. */
const retentionMs = 24 * 3_600_000;

/**
 * Notices when far more signals open in a domain than is usual, until that has been over for long enough (hysteresis: the end wants far
 * less than the begin), and says meanwhile which incidents stand for others.
 *
 * Timers: `storm/<domain>` while one goes on, at each step; `over/<storm>` when it is forgotten.
 */
export class Storms {
  readonly #context: StageContext;
  readonly #members: Members;
  readonly #arrivals: Arrivals;
  readonly #roots: Roots;
  readonly #rows: Table<StormRow>;
  readonly #counters: Table<number>;
  /** Storms that go on, by domain. Derived. */
  readonly #active = new Map<string, StormRow>();
  #config: StormsConfig;

  constructor(context: StageContext, members: Members, config: StormsConfig) {
    this.#context = context;
    this.#members = members;
    this.#config = config;
    this.#arrivals = new Arrivals(context, config);
    this.#roots = new Roots(context, members);
    this.#rows = context.table<StormRow>('storms');
    this.#counters = context.table<number>('counters');
  }

  get activeCount(): number {
    return this.#active.size;
  }

  restore(config: StormsConfig): void {
    this.#config = config;
    this.#arrivals.restore(config);
    this.#active.clear();
    for (const row of this.#rows.values()) if (row.state === 'on') this.#active.set(row.domain, row);
  }

  configure(config: StormsConfig): void {
    this.#config = config;
    this.#arrivals.configure(config);
  }

  /** The storms that are remembered, the oldest first. */
  *all(): IterableIterator<Storm> {
    for (const row of this.#rows.values()) yield copyStorm(row);
  }

  get(id: string): Storm | undefined {
    const row = this.#rows.get(id);
    return row && copyStorm(row);
  }

  /** Counts a signal that opened or returned. */
  arrive(signal: MemberSignal, graph: ServiceGraph, nowMs: number, news: StormNews): void {
    if (!this.#config.enabled) return;
    const { domain, kind } = signal;
    const storm = this.#active.get(domain);
    this.#arrivals.add(domain, nowMs, () => this.#mostLearned(domain, nowMs));
    this.#roots.noteKind(domain, kind, nowMs);
    if (storm) {
      addToFamily(storm, signal, this.#rootOf(signal, storm));
      storm.peakCount = Math.max(storm.peakCount, this.#arrivals.lastCount(domain, nowMs));
      this.#rows.touch(storm.id);
    } else this.#begin(domain, graph, nowMs, news);
  }

  /** Looks at the part of an incident that changed. */
  follow(incident: MemberIncident, graph: ServiceGraph, news: StormNews): void {
    const storm = this.#active.get(incident.domain);
    // What has no signal in the storm has no part in it.
    if (!storm || incident.lastAtMs <= storm.startedAtMs - storm.windowMs) return;
    const cover = this.#roots.place(incident, storm, graph);
    this.#members.incidents.touch(incident.id);
    this.#rows.touch(storm.id);
    if (cover) news.covers.push(cover);
  }

  onTimer(key: string, nowMs: number, news: StormNews): void {
    const [what = '', ...rest] = key.split('/');
    const name = rest.join('/');
    if (what === 'over') this.#rows.delete(name);
    else if (what === 'storm') this.#look(name, nowMs, news);
  }

  /** Begins a storm where counts say so. */
  #begin(domain: string, graph: ServiceGraph, nowMs: number, news: StormNews): void {
    const { window, min_signals, start_probability, learning_signals, learning_windows } = this.#config;
    const count = this.#arrivals.lastCount(domain, nowMs);
    if (count < min_signals) return;
    const usual = this.#arrivals.usual(domain, nowMs, learning_windows);
    const probability = usual ? tailOf(count, usual.mean, usual.variance) : 1;
    if (usual ? probability >= start_probability : count < learning_signals) return;
    const number = (this.#counters.get('storm') ?? 0) + 1;
    this.#counters.set('storm', number);
    const calmCount = Math.min(this.#calmCount(domain, nowMs), count >> 1);
    const found = {
      count,
      usual,
      windowMs: window,
      calmCount,
      reasons: [stormReason(count, window, usual, probability)],
    };
    const row = createStormRow(`STORM-${this.#context.scope}${number}`, domain, found, nowMs);
    this.#rows.set(row.id, row);
    this.#active.set(domain, row);
    for (const incident of this.#members.incidents.values())
      if (incident.domain === domain) this.follow(incident, graph, news);
    for (const signal of this.#members.signals.values()) {
      if (signal.domain === domain && signal.sinceMs > nowMs - window)
        addToFamily(row, signal, this.#rootOf(signal, row));
    }
    this.#context.timers.set(`storm/${domain}`, nowMs + this.#arrivals.stepMs);
    news.changes.push({ change: 'began', storm: copyStorm(row) });
  }

  #rootOf({ incidentId }: MemberSignal, storm: StormRow): string | null {
    const incident = incidentId === null ? undefined : this.#members.incidents.get(incidentId);
    return incident?.stormId === storm.id ? incident.rootId : incidentId;
  }

  /** A count that is not rare: what a storm has to fall to. */
  #calmCount(domain: string, nowMs: number): number {
    const { stop_probability, min_signals, learning_windows } = this.#config;
    const usual = this.#arrivals.usual(domain, nowMs, learning_windows);
    if (!usual) return min_signals >> 1;
    return Math.max(min_signals >> 2, quantileOf(stop_probability, usual.mean, usual.variance));
  }

  /** What is not known yet is learned as it comes; later a storm teaches no more than what is not rare. */
  #mostLearned(domain: string, nowMs: number): number {
    const isKnown = this.#arrivals.usual(domain, nowMs, this.#config.learning_windows) !== null;
    return isKnown ? this.#calmCount(domain, nowMs) : Infinity;
  }

  #look(domain: string, nowMs: number, news: StormNews): void {
    const row = this.#active.get(domain);
    if (!row) return;
    const count = this.#arrivals.lastCount(domain, nowMs);
    const isChanged = count !== row.count;
    row.count = count;
    row.peakCount = Math.max(row.peakCount, count);
    // A storm that began while nothing was known may turn out to be what is usual.
    if (row.usual === null) row.calmCount = Math.max(row.calmCount, this.#calmCount(domain, nowMs));
    if (count > row.calmCount) row.calmSinceMs = null;
    else row.calmSinceMs ??= nowMs;
    this.#rows.touch(row.id);
    const why = this.#endOf(row, nowMs);
    if (why !== null) this.#end(row, why, nowMs, news);
    else {
      this.#context.timers.set(`storm/${domain}`, nowMs + this.#arrivals.stepMs);
      if (isChanged) news.changes.push({ change: 'went_on', storm: copyStorm(row) });
    }
  }

  /** Why the storm is over; null while it goes on. */
  #endOf({ calmCount, calmSinceMs, windowMs, startedAtMs }: StormRow, nowMs: number): string | null {
    const { enabled, calm_for, longest } = this.#config;
    if (!enabled) return 'storms are turned off';
    if (nowMs - startedAtMs >= longest)
      return `it lasts longer than ${formatDuration(longest)}: what is usual is learned anew`;
    if (calmSinceMs === null || nowMs - calmSinceMs < calm_for) return null;
    const calm = formatDuration(nowMs - calmSinceMs);
    return `no more than ${calmCount} signals in ${formatDuration(windowMs)} for ${calm}`;
  }

  #end(row: StormRow, text: string, nowMs: number, news: StormNews): void {
    if (nowMs - row.startedAtMs >= this.#config.longest) this.#arrivals.forgetUsual(row.domain);
    row.state = 'over';
    row.endedAtMs = nowMs;
    row.reasons = [...row.reasons, { stage: 'calm', code: 'storm_over', text }];
    this.#active.delete(row.domain);
    this.#roots.forget(row.id);
    this.#context.timers.set(`over/${row.id}`, nowMs + retentionMs);
    news.changes.push({ change: 'ended', storm: copyStorm(row) });
  }
}
