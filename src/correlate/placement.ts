import type { Signal, Link, ServiceGraph } from '../incident/index.ts';
import type { Background } from './background.ts';
import { addReason, noteSignal, pulseOf, type CandidateRow, type SignalRow } from './candidate-row.ts';
import type { Candidates } from './candidates.ts';
import type { CorrelateConfig } from './config.ts';
import { weighEvidence, type Evidence } from './evidence.ts';
import { facetsOf, type Facets } from './facets.ts';

interface Match {
  readonly row: CandidateRow;
  readonly evidence: Evidence;
}

/** How many candidates are weighed for one signal. */
const maxWeighed = 16;

/** Finds the candidate of a signal, and joins candidates that a signal shows to be one. */
export class Placement {
  readonly #candidates: Candidates;
  readonly #background: Background;
  readonly #config: CorrelateConfig;
  readonly #graph: ServiceGraph;

  constructor(candidates: Candidates, background: Background, config: CorrelateConfig, graph: ServiceGraph) {
    this.#candidates = candidates;
    this.#background = background;
    this.#config = config;
    this.#graph = graph;
  }

  /** Puts a signal that has opened into the candidate with the most evidence for it, or into one of its own. */
  place(change: Signal, nowMs: number): void {
    const { id, domain, labels, template, signature, severity } = change;
    const former = this.#candidates.get(this.#candidates.signal(id)?.candidateId ?? '');
    const isNotice = severity === 'info';
    const signal: SignalRow = {
      id,
      domain,
      labels,
      template,
      signature,
      isNotice,
      isFiring: true,
      candidateId: '',
    };
    const facets = facetsOf(signal, this.#config, this.#graph);
    const matches = this.#find(signal, facets, former ? [former.candidate.id, ...former.apart] : [], nowMs);
    const [best] = matches;
    const hasPlace = best && best.evidence.weight >= this.#config.threshold;
    const row = hasPlace ? this.#withRoom(best.row, nowMs) : this.#candidates.open(domain, nowMs);
    const link = hasPlace && row === best.row ? linkTo(signal, best) : null;
    if (!hasPlace) for (const id of former?.apart ?? []) this.#candidates.setApart(row.candidate.id, id);
    this.#candidates.join(row, signal, facets, link, nowMs);
    this.#noteFamily(row, nowMs);
    this.#note(row, signal, facets, nowMs);
    if (hasPlace && !isNotice)
      this.#mergeAll(signal, row, matches.slice(1), this.#config.merge_threshold, nowMs);
  }

  /** The candidate itself, or the one that continues its family when it is full. */
  #withRoom(row: CandidateRow, nowMs: number): CandidateRow {
    const { max_signals } = this.#config;
    if (row.candidate.signalIds.length < max_signals) return row;
    noteSignal(row, nowMs);
    this.#candidates.schedule(row, nowMs);
    const first = this.#firstOf(row);
    const latest = this.#candidates.get(first.continuedBy ?? '');
    if (latest?.candidate.state === 'open' && latest.candidate.signalIds.length < max_signals) return latest;
    const next = this.#candidates.open(row.candidate.domain, nowMs);
    next.familyId = first.candidate.id;
    addReason(next, 'continues', `continues ${row.candidate.id}, which is full`);
    first.continuedBy = next.candidate.id;
    return next;
  }

  /** The first of the family; the row itself when that is forgotten. */
  #firstOf(row: CandidateRow): CandidateRow {
    return this.#candidates.get(row.familyId) ?? row;
  }

  /** Looks whether a member that has returned or grown more urgent shows its candidate to be one with others. */
  reconsider(signal: SignalRow, row: CandidateRow, nowMs: number): void {
    noteSignal(row, nowMs);
    const facets = facetsOf(signal, this.#config, this.#graph);
    const matches = this.#find(signal, facets, [row.candidate.id], nowMs);
    const isAlone = row.candidate.signalIds.length === 1;
    const threshold = isAlone ? this.#config.threshold : this.#config.merge_threshold;
    this.#note(row, signal, facets, nowMs);
    if (!signal.isNotice) this.#mergeAll(signal, row, matches.slice(0, 1), threshold, nowMs);
  }

  #noteFamily(row: CandidateRow, nowMs: number): void {
    const first = this.#firstOf(row);
    if (first === row) return;
    first.overflowCount++;
    noteSignal(first, nowMs);
    this.#candidates.schedule(first, nowMs);
  }

  #note({ candidate }: CandidateRow, { isNotice }: SignalRow, facets: Facets, nowMs: number): void {
    this.#background.count(candidate.domain, facets.values, isNotice, nowMs);
    if (!isNotice) this.#background.noteActive(candidate.domain, candidate.id, nowMs);
  }

  /** Active candidates that may hold the signal, those with the most evidence first. */
  #find(signal: SignalRow, facets: Facets, without: readonly string[], nowMs: number): Match[] {
    const { max_postings } = this.#config;
    const votes = new Map<string, number>();
    for (const id of this.#background.recent(signal.domain)) votes.set(id, 0);
    const near = facets.service === null ? [] : this.#graph.near(facets.service).keys();
    this.#candidates.index.find(signal.domain, facets, near, max_postings, votes);
    const found: { row: CandidateRow; votes: number }[] = [];
    for (const [id, count] of votes) {
      const row = this.#candidates.get(id);
      if (!row?.isActive || without.includes(id)) continue;
      found.push({ row, votes: count });
    }
    found.sort((a, b) => b.votes - a.votes || b.row.number - a.row.number);
    return found
      .slice(0, maxWeighed)
      .flatMap(({ row }) => this.#weigh(signal, facets, row, nowMs))
      .sort((a, b) => b.evidence.weight - a.evidence.weight || a.row.number - b.row.number);
  }

  #weigh(signal: SignalRow, facets: Facets, row: CandidateRow, nowMs: number): Match[] {
    const profile = this.#candidates.profile(row.candidate.id);
    if (!profile || profile.size === 0) return [];
    if (!signal.isNotice && this.#isNotice(row)) return [];
    const first = this.#firstOf(row);
    const familySize = first.candidate.signalIds.length + first.overflowCount;
    const familyRatio = Math.max(1, familySize / profile.size);
    const familyPulse = Math.max(pulseOf(row, nowMs), pulseOf(first, nowMs));
    const evidence = weighEvidence(signal, facets, { row, profile, familyRatio, familyPulse }, nowMs, {
      config: this.#config,
      graph: this.#graph,
      background: this.#background,
      signal: (id) => this.#candidates.signal(id),
    });
    if (row.candidate.state === 'resolved' && !evidence.hasSimilarText) return [];
    return [{ row, evidence }];
  }

  /** A candidate that began with a notice holds nothing else: trouble does not belong to a heartbeat. */
  #isNotice({ candidate }: CandidateRow): boolean {
    return this.#candidates.signal(candidate.signalIds[0] ?? '')?.isNotice ?? false;
  }

  #mergeAll(
    signal: SignalRow,
    own: CandidateRow,
    matches: readonly Match[],
    threshold: number,
    nowMs: number,
  ): void {
    let row = own;
    for (const match of matches) {
      const { row: other, evidence } = match;
      const size = row.candidate.signalIds.length + other.candidate.signalIds.length;
      if (evidence.weight < threshold || other.candidate.state !== 'open' || row.candidate.state !== 'open')
        continue;
      if (row.apart.includes(other.candidate.id) || size > this.#config.max_signals) continue;
      if (row.familyId === other.familyId) continue;
      const [into, from] = other.number < row.number ? [other, row] : [row, other];
      const link = linkTo(signal, match);
      this.#candidates.merge(into, from, `${signal.id} belongs to both`, nowMs);
      into.candidate.links = [...into.candidate.links, link];
      this.#candidates.note(into, 'merged', [link]);
      row = into;
    }
  }
}

function linkTo(signal: SignalRow, { row, evidence }: Match): Link {
  return {
    fromSignalId: signal.id,
    toSignalId: evidence.memberId ?? row.candidate.signalIds.at(-1) ?? signal.id,
    weight: evidence.weight,
    reasons: evidence.explain(),
  };
}
