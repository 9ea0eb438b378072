import type { StageContext, Table } from '../engine/index.ts';
import type { FacetValue } from './facets.ts';
import { learn, patienceOf, usualGapOf } from './pace.ts';

interface DomainRow {
  /** Signals counted, halved together with the counts of the values. */
  count: number;
  /** Decaying number of causes that came up, for their rate. */
  pulse: number;
  pulseAtMs: number;
  readonly firstAtMs: number;
  /** The candidates that last took in a signal, the newest last; no longer than `recentLength`. */
  recent: string[];
  /** The first gaps between the events of a signal, and the silences that events ended when they joined an incident. */
  gaps?: { logGap: number; variance: number; count: number };
  lags?: { logGap: number; variance: number; count: number };
}

/** How much of the background a candidate itself is: what is judged against it must leave it out. */
export interface OwnShare {
  readonly count: number;
  readonly of: number;
}

const recentLength = 8;
const halveAfter = 20_000;
/** The mean over which rates are taken. */
export const rateSpanMs = 3_600_000;
/** Before anything is learned, a cause is expected every ten minutes, with the certainty of two of them. */
const priorCauses = 2;
const priorSpanMs = 1_200_000;
/** Share of signals that have a given value before anything is learned, and how many signals that belief is worth. */
const priorShare = { label: 0.5, name: 0.1, entity: 0.05, service: 0.05, template: 0.1 } as const;
const priorWeight = 10;

/**
 * What is usual in each domain: how many recent signals have a value, and how often signals come. All counts are
 * halved every 20,000 signals, which forgets the past and bounds the memory.
 */
export class Background {
  readonly #domains: Table<DomainRow>;
  readonly #counts: Table<number>;
  readonly #counted: Table<number>;

  constructor(context: StageContext) {
    this.#domains = context.table('domains');
    this.#counts = context.table('value-counts');
    this.#counted = context.table('counted');
  }

  /** Counts a cause that came up; `by` less than zero takes back what turned out to be another's. */
  noteCause(domain: string, by: number, nowMs: number): void {
    const row = this.#domain(domain, nowMs);
    row.pulse = Math.max(0, decayed(row.pulse, nowMs - row.pulseAtMs) + by);
    row.pulseAtMs = nowMs;
  }

  /** Counts a signal that has opened. Returns whether it has forgotten half of everything since. */
  count(domain: string, values: readonly FacetValue[], nowMs: number): boolean {
    const row = this.#domain(domain, nowMs);
    row.count++;
    for (const { key } of values) {
      const countKey = `${domain}\n${key}`;
      this.#counts.set(countKey, (this.#counts.get(countKey) ?? 0) + 1);
    }
    const counted = (this.#counted.get('signals') ?? 0) + 1;
    this.#counted.set('signals', counted % halveAfter);
    if (counted < halveAfter) return false;
    this.#halve();
    return true;
  }

  /** Notes that `candidateId` has taken in a signal. */
  noteActive(domain: string, candidateId: string, nowMs: number): void {
    const row = this.#domain(domain, nowMs);
    if (row.recent.at(-1) === candidateId) return;
    row.recent = [...row.recent.filter((id) => id !== candidateId), candidateId].slice(-recentLength);
  }

  /** The candidates that last took in a signal. */
  recent(domain: string): readonly string[] {
    return this.#domains.get(domain)?.recent ?? [];
  }

  /** Share of the domain's signals that have `value`, as people read it. */
  shareOf(domain: string, value: FacetValue): number {
    const total = this.#domains.get(domain)?.count ?? 0;
    return total === 0 ? 0 : Math.min(1, (this.#counts.get(`${domain}\n${value.key}`) ?? 0) / total);
  }

  /**
   * Probability that a signal of another cause has `value`: the candidate's own `own.count` of `own.of` signals are left
   * out, so that a storm does not make its own marks look common.
   */
  probabilityOf(domain: string, value: FacetValue, own: OwnShare): number {
    const total = this.#domains.get(domain)?.count ?? 0;
    const count = this.#counts.get(`${domain}\n${value.key}`) ?? 0;
    const others = Math.max(0, count - own.count);
    const allOthers = Math.max(others, total - own.of);
    return (others + priorWeight * priorShare[value.kind]) / (allOthers + priorWeight);
  }

  /** Expected causes per second that nobody has seen yet. */
  causeRate(domain: string, nowMs: number): number {
    const row = this.#domains.get(domain);
    if (!row) return (1000 * priorCauses) / priorSpanMs;
    const seen = decayed(row.pulse, nowMs - row.pulseAtMs);
    const observedMs = rateSpanMs * (1 - Math.exp(-(nowMs - row.firstAtMs) / rateSpanMs));
    return (1000 * (seen + priorCauses)) / (observedMs + priorSpanMs);
  }

  /** Learns from how long an incident had been silent, given as its logarithm, when another event joined it. */
  noteLag(domain: string, logLag: number): void {
    const row = this.#domains.get(domain);
    if (!row) return;
    learn((row.lags ??= { ...priorLags }), logLag, lagMemory);
    this.#domains.touch(domain);
  }

  /** Learns from one of the first gaps, given as its logarithm, between two events of a signal. */
  noteGap(domain: string, logGap: number): void {
    const row = this.#domains.get(domain);
    if (!row) return;
    learn((row.gaps ??= { ...priorGaps }), logGap, lagMemory);
    this.#domains.touch(domain);
  }

  /** The usual time between two events of a signal of which nothing is known yet, in milliseconds. */
  usualGapMs(domain: string): number {
    return usualGapOf(this.#domains.get(domain)?.gaps ?? priorGaps);
  }

  /** How long the incidents of a domain are silent at most, as a rule, before another event joins them; in milliseconds. */
  longestLagMs(domain: string): number {
    return patienceOf(this.#domains.get(domain)?.lags ?? priorLags) ?? 0;
  }

  #domain(domain: string, nowMs: number): DomainRow {
    const row = this.#domains.get(domain);
    if (row) {
      this.#domains.touch(domain);
      return row;
    }
    const created = { count: 0, pulse: 0, pulseAtMs: nowMs, firstAtMs: nowMs, recent: [] };
    this.#domains.set(domain, created);
    return created;
  }

  #halve(): void {
    for (const [key, count] of this.#counts.entries()) {
      if (count <= 1) this.#counts.delete(key);
      else this.#counts.set(key, count / 2);
    }
    for (const domain of this.#domains.keys()) {
      const row = this.#domains.get(domain);
      if (!row) continue;
      row.count /= 2;
      this.#domains.touch(domain);
    }
  }
}

/** Before anything is learned, an incident's events are ten seconds apart, seldom more than some minutes; worth this many silences. */
const priorLags = { logGap: Math.log(10), variance: 2.25, count: 8 };
/** The same of events: once a minute. */
const priorGaps = { logGap: Math.log(60), variance: 1, count: 8 };
const lagMemory = 512;

/** A decaying count after `elapsedMs`. */
export function decayed(pulse: number, elapsedMs: number): number {
  return elapsedMs <= 0 ? pulse : pulse * Math.exp(-elapsedMs / rateSpanMs);
}
