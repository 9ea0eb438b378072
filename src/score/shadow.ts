import type { StageContext, Table } from '../engine/index.ts';
import { learnTail, writeTail, type DomainHistory, type OddPeriods } from './domain.ts';
import { scoreMatrix } from './kernel.ts';
import { column, distanceBins, result } from './matrix.ts';
import type { ScoreModel } from './model.ts';
import { RowBatch } from './row-batch.ts';

/** A score that the candidate would give otherwise. Surprises are 0..1. */
export interface ShadowExample {
  readonly kindId: string;
  readonly kind: string;
  readonly domain: string;
  readonly atMs: number;
  readonly active: number;
  readonly candidate: number;
}

/** What a candidate would have changed since it began to score beside the model in force. */
export interface ShadowReport {
  readonly sinceMs: number;
  /** Scores that both gave. */
  readonly scored: number;
  /** Scores by what they are worth in a priority: `matrix[a][c]` got band `a` from the model in force and `c` from the candidate. */
  readonly bands: readonly (readonly number[])[];
  /** Scores worth more, and less, with the candidate: what may gain or lose pages. */
  readonly raised: number;
  readonly lowered: number;
  /** Mean of the absolute differences. */
  readonly meanDifference: number;
  /** The last scores that changed bands, the newest last. */
  readonly examples: readonly ShadowExample[];
}

/** Lower bounds of the bands in which triage sees surprise: below 0.2, from 0.2, from 0.7, from 0.9. */
export const surpriseBands = [0, 0.2, 0.7, 0.9] as const;

interface ShadowState {
  readonly sinceMs: number;
  readonly bands: number[][];
  scored: number;
  differenceSum: number;
  readonly examples: ShadowExample[];
}

const exampleLimit = 20;
const noDistances: number[] = Array.from({ length: distanceBins }, () => 0);
const key = 'report';

/** Lets a candidate score what the model in force scores, on what each has learned of its own, and counts where they differ. */
export class Shadow {
  readonly #reports: Table<ShadowState>;
  /** How odd the periods of each domain have been under the candidate. */
  readonly #domains: Table<OddPeriods>;
  #candidate = new RowBatch(null);
  #active = new RowBatch(null);

  constructor(context: Pick<StageContext, 'table'>) {
    this.#reports = context.table('shadow-report');
    this.#domains = context.table('shadow-domains');
  }

  configure(active: ScoreModel | null, candidate: ScoreModel | null): void {
    this.#active = new RowBatch(active);
    this.#candidate = new RowBatch(candidate);
  }

  begin(timeMs: number): void {
    this.end();
    const bands = surpriseBands.map(() => surpriseBands.map(() => 0));
    this.#reports.set(key, { sinceMs: timeMs, bands, scored: 0, differenceSum: 0, examples: [] });
  }

  end(): void {
    this.#reports.delete(key);
    for (const domain of this.#domains.keys()) this.#domains.delete(domain);
  }

  /** Compares both models on a row that is about to be scored. */
  compare(row: Float64Array, kind: { id: string; kind: string; domain: string }, timeMs: number): void {
    const report = this.#reports.get(key);
    if (!report) return;
    this.#active.clear();
    this.#active.add().set(row);
    const active = scoreMatrix(this.#active.matrix, 1)[result.surprise]!;
    const odd = this.#domains.get(kind.domain) ?? { distances: noDistances };
    const candidate = scoreWith(this.#candidate, row, odd)[result.surprise]!;
    if (Number.isNaN(active) || Number.isNaN(candidate)) return;
    report.scored++;
    report.differenceSum += Math.abs(active - candidate);
    const [from, to] = [bandOf(active), bandOf(candidate)];
    report.bands[from]![to]! += 1;
    if (from !== to) {
      const { id: kindId, kind: name, domain } = kind;
      report.examples.push({
        kindId,
        kind: name,
        domain,
        atMs: timeMs,
        active: round(active),
        candidate: round(candidate),
      });
      if (report.examples.length > exampleLimit) report.examples.shift();
    }
    this.#reports.touch(key);
  }

  /** Learns, as the model in force does, how odd a scored period turned out. `row` holds the domain's own experience. */
  learn(row: Float64Array, domainName: string, domain: DomainHistory, rank: number): void {
    if (!this.#reports.has(key)) return;
    let odd = this.#domains.get(domainName);
    if (!odd) {
      // What the model in force has seen so far stands for what the candidate would have: few periods differ.
      odd = {
        tail: [...domain.tail],
        tailTotal: domain.tailTotal,
        distances: [...noDistances],
      };
      this.#domains.set(domainName, odd);
    }
    const scored = scoreWith(this.#candidate, row, odd);
    const raw = scored[result.rawTail]!;
    if (!Number.isNaN(raw)) learnTail(odd, raw, scored[result.distance]!, rank);
    this.#domains.touch(domainName);
  }

  report(): ShadowReport | null {
    const state = this.#reports.get(key);
    if (!state) return null;
    const { sinceMs, scored, bands, examples, differenceSum } = state;
    let raised = 0;
    let lowered = 0;
    for (const [from, row] of bands.entries()) {
      for (const [to, count] of row.entries()) {
        if (to > from) raised += count;
        if (to < from) lowered += count;
      }
    }
    const meanDifference = scored === 0 ? 0 : round(differenceSum / scored);
    return {
      sinceMs,
      scored,
      bands: bands.map((row) => [...row]),
      raised,
      lowered,
      meanDifference,
      examples: [...examples],
    };
  }
}

/** Scores a row with the model of `batch` on the given experience. */
function scoreWith(
  batch: RowBatch,
  row: Float64Array,
  odd: Pick<OddPeriods, 'distances'> & Partial<OddPeriods>,
): Float64Array {
  batch.clear();
  const own = batch.add();
  own.set(row);
  const { tail, tailTotal, distances } = odd;
  if (tail !== undefined && tailTotal !== undefined) writeTail(own, { tail, tailTotal, distances });
  else own.set(distances, column.distances);
  return scoreMatrix(batch.matrix, 1);
}

function bandOf(surprise: number): number {
  return surpriseBands.findLastIndex((from) => surprise >= from);
}

function round(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}
