import type { Signal, Link, ServiceGraph } from '../incident/index.ts';
import type { Background } from './background.ts';
import { addReason, noteSignal, type CandidateRow, type SignalRow } from './candidate-row.ts';
import type { Candidates } from './candidates.ts';
import type { Companion, Companions } from './companions.ts';
import type { CorrelateConfig } from './config.ts';
import { weighEvidence, type Evidence } from './evidence.ts';
import { facetsOf, type Facets } from './facets.ts';
import { createPace, hear, logOf, patienceOf, usualGapOf, type Pace } from './pace.ts';

interface Match {
  readonly row: CandidateRow;
  readonly evidence: Evidence;
}

/** How many candidates are weighed for one signal. */
const maxWeighed = 10;
/** Of what comes at one moment a pace learns no more than this. */
const mostAtOnce = 8;
/** Beside a candidate that has fallen silent a gap is usual up to this many times the mean. */
const mostUsual = 3;
/** The same where the mean is that of all signals, because the pace of this one is not known yet. */
const mostUsualAnew = 1.2;
/** The share of a silent candidate's members that must be heard of for it to go on. */
const leastRevival = 0.25;
/** How sure company must be, in log-odds, to make one of what goes on. */
const leastCompany = 4;
/** Visits after which it is first looked whether a signal has company. */
const firstLook = 8;
/** From so many gaps on a signal has a pace of its own. */
const knownGaps = 3;
/** What has been heard of once may be silent for this many times `cascade_scale`. */
const usualGaps = 2;

/** Finds the candidate of a signal, and joins candidates that a signal shows to be one. */
export class Placement {
  readonly #candidates: Candidates;
  readonly #background: Background;
  readonly #companions: Companions;
  readonly #config: CorrelateConfig;
  readonly #graph: ServiceGraph;

  constructor(
    candidates: Candidates,
    background: Background,
    companions: Companions,
    config: CorrelateConfig,
    graph: ServiceGraph,
  ) {
    this.#candidates = candidates;
    this.#background = background;
    this.#companions = companions;
    this.#config = config;
    this.#graph = graph;
  }

  /**
   * Puts a signal that has opened into the candidate with the most evidence for it, or into one of its own. `isEvent`: its alerts are
   * told as they happen, and nobody says when they end.
   */
  place(change: Signal, isEvent: boolean, nowMs: number): void {
    const { id, domain, labels, template, signature, severity } = change;
    const former = this.#candidates.get(this.#candidates.signal(id)?.candidateId ?? '');
    const signal: SignalRow = {
      id,
      domain,
      labels,
      template,
      signature,
      isNotice: severity === 'info',
      isFiring: true,
      candidateId: '',
      ...(isEvent ? { pace: createPace(nowMs) } : {}),
    };
    const facets = facetsOf(signal, this.#config, this.#graph);
    const without = former ? [former.candidate.id, ...former.apart] : [];
    const matches = this.#find(signal, facets, without, nowMs);
    this.#settle(signal, facets, matches, former?.apart ?? [], nowMs);
  }

  /** Looks for the place of a signal that is heard of again after its time: where it was, in another candidate, or in one of its own. */
  replace(signal: SignalRow, nowMs: number): void {
    const former = this.#candidates.get(signal.candidateId);
    const facets = facetsOf(signal, this.#config, this.#graph);
    const isAlone = former?.candidate.signalIds.length === 1;
    const without = former ? (isAlone ? [former.candidate.id, ...former.apart] : former.apart) : [];
    const matches = this.#find(signal, facets, without, nowMs);
    const [best] = matches;
    if (former && best?.row === former && best.evidence.weight >= this.#config.threshold) {
      this.#candidates.hearMember(signal, former, nowMs);
      return;
    }
    if (signal.pace) hear(signal.pace, nowMs);
    this.#candidates.leave(signal, `${signal.id} began anew`, nowMs);
    this.#settle(signal, facets, matches, former?.apart ?? [], nowMs);
  }

  /**
   * Whether a member that is heard of now begins anew: it had been silent for longer than is usual for it or, where that is not known yet,
   * for its candidate.
   */
  hasReturned(pace: Pace, row: CandidateRow, nowMs: number): boolean {
    const { domain } = row.candidate;
    const isAlone = row.candidate.signalIds.length === 1;
    const gapMs = nowMs - pace.heardAtMs;
    const isUsual =
      pace.count >= knownGaps
        ? gapMs <= mostUsual * usualGapOf(pace)
        : gapMs <= mostUsualAnew * this.#background.usualGapMs(domain);
    if (!isAlone && !isUsual && this.#isSilent(row, nowMs)) return true;
    const patienceMs = patienceOf(pace) ?? usualGaps * this.#config.cascade_scale;
    return gapMs > this.#config.time_scale + patienceMs;
  }

  /** Whether a candidate goes on when `count` of its members are heard of: a few that linger do not bring back what has fallen silent. */
  isRevived(row: CandidateRow, count: number, nowMs: number): boolean {
    return count >= leastRevival * row.firingCount || !this.#isSilent(row, nowMs);
  }

  /** Counts `count` reports of a member, all at `nowMs`; for its candidate only where that goes on. */
  hear(signal: SignalRow, row: CandidateRow, count: number, isRevived: boolean, nowMs: number): void {
    const { pace } = signal;
    if (!pace) return;
    const { time_scale } = this.#config;
    if (pace.count < knownGaps) this.#background.noteGap(signal.domain, logOf(nowMs - pace.heardAtMs));
    if (nowMs - pace.heardAtMs > time_scale) this.#visit(signal, row, nowMs);
    for (let i = 0; i < Math.min(count, mostAtOnce); i++) {
      this.#candidates.hearMember(signal, isRevived ? row : null, nowMs);
    }
  }

  /**
   * A member comes again within its own time. After 8, 16, 32 ... visits it is looked whether what it came together with shows its
   * candidate to be one with another.
   */
  #visit(signal: SignalRow, row: CandidateRow, nowMs: number): void {
    const facets = facetsOf(signal, this.#config, this.#graph);
    const visits = this.#companions.visit(signal.domain, facets.kind, this.#config.time_scale, nowMs);
    if (signal.isNotice || visits < firstLook || !Number.isInteger(Math.log2(visits))) return;
    const matches = this.#find(signal, facets, [row.candidate.id], nowMs, true);
    this.#mergeAll(signal, row, matches.slice(0, 1), this.#config.merge_threshold, nowMs);
  }

  #settle(
    signal: SignalRow,
    facets: Facets,
    matches: readonly Match[],
    apart: readonly string[],
    nowMs: number,
  ): void {
    const [best] = matches;
    const hasPlace = best && best.evidence.weight >= this.#config.threshold;
    const row = hasPlace ? this.#withRoom(best.row, nowMs) : this.#candidates.open(signal.domain, nowMs);
    const link = hasPlace && row === best.row ? linkTo(signal, best) : null;
    if (!hasPlace) for (const id of apart) this.#candidates.setApart(row.candidate.id, id);
    if (link && signal.pace && row.pace)
      this.#background.noteLag(signal.domain, logOf(nowMs - row.pace.heardAtMs));
    if (!hasPlace && !signal.isNotice) this.#background.noteCause(signal.domain, 1, nowMs);
    this.#candidates.join(row, signal, facets, link, nowMs);
    this.#noteFamily(row, nowMs);
    this.#note(row, signal, facets, nowMs);
    if (hasPlace && !signal.isNotice)
      this.#mergeAll(signal, row, mergeable(matches), this.#config.merge_threshold, nowMs);
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
    this.#companions.visit(candidate.domain, facets.kind, this.#config.time_scale, nowMs);
    if (this.#background.count(candidate.domain, facets.values, nowMs)) this.#companions.halve(nowMs);
    if (!isNotice) this.#background.noteActive(candidate.domain, candidate.id, nowMs);
  }

  /** Active candidates that may hold the signal, those with the most evidence first. */
  #find(
    signal: SignalRow,
    facets: Facets,
    without: readonly string[],
    nowMs: number,
    isGoingOn = false,
  ): Match[] {
    const { max_postings } = this.#config;
    const votes = new Map<string, number>();
    for (const id of this.#background.recent(signal.domain)) votes.set(id, 0);
    const near = facets.service === null ? [] : this.#graph.near(facets.service).keys();
    const companions = this.#companions.of(facets.kind, this.#config.time_scale, nowMs);
    this.#candidates.index.find(signal.domain, facets, near, companions, max_postings, votes);
    const found: { row: CandidateRow; votes: number }[] = [];
    for (const [id, count] of votes) {
      const row = this.#candidates.get(id);
      if (!row?.isActive || without.includes(id)) continue;
      found.push({ row, votes: count });
    }
    found.sort((a, b) => b.votes - a.votes || b.row.number - a.row.number);
    const weighed = found.slice(0, maxWeighed);
    const causeRate = this.#background.causeRate(signal.domain, nowMs);
    return weighed
      .flatMap(({ row }) => this.#weigh(signal, facets, companions, row, causeRate, isGoingOn, nowMs))
      .sort((a, b) => b.evidence.weight - a.evidence.weight || a.row.number - b.row.number);
  }

  #weigh(
    signal: SignalRow,
    facets: Facets,
    companions: readonly Companion[],
    row: CandidateRow,
    causeRate: number,
    isGoingOn: boolean,
    nowMs: number,
  ): Match[] {
    const profile = this.#candidates.profile(row.candidate.id);
    if (!profile || profile.size === 0) return [];
    if (!signal.isNotice && this.#isNotice(row)) return [];
    if (this.#isSilent(row, nowMs) || (!isGoingOn && this.#hasGrown(row, nowMs))) return [];
    const first = this.#firstOf(row);
    const familySize = first.candidate.signalIds.length + first.overflowCount;
    const familyRatio = Math.max(1, familySize / profile.size);
    const candidate = { row, profile, familyRatio, causeRate, isGoingOn };
    const evidence = weighEvidence(signal, facets, candidate, companions, nowMs, {
      graph: this.#graph,
      background: this.#background,
      signal: (id) => this.#candidates.signal(id),
    });
    if (isGoingOn && evidence.company < leastCompany) return [];
    if (row.candidate.state === 'resolved' && !evidence.hasSimilarText) return [];
    return [{ row, evidence }];
  }

  /** It holds events only, and they have been silent for longer than is usual for them and for the domain. */
  #isSilent(row: CandidateRow, nowMs: number): boolean {
    const { candidate, pace, steadyCount } = row;
    if (!pace || steadyCount > 0) return false;
    const patienceMs = patienceOf(pace) ?? usualGaps * this.#config.cascade_scale;
    const lagMs = this.#background.longestLagMs(candidate.domain);
    return nowMs - pace.heardAtMs > this.#config.time_scale + Math.max(lagMs, patienceMs);
  }

  /** It has taken in signals from time to time, and none for longer than was usual. What still goes on in it does not grow. */
  #hasGrown({ growth, candidate }: CandidateRow, nowMs: number): boolean {
    const patienceMs = growth && patienceOf(growth);
    const { time_scale, cascade_scale } = this.#config;
    return (
      patienceMs != null &&
      nowMs - candidate.lastAtMs > time_scale + Math.max(usualGaps * cascade_scale, patienceMs)
    );
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
      this.#background.noteCause(into.candidate.domain, -1, nowMs);
      into.candidate.links = [...into.candidate.links, link];
      this.#candidates.note(into, 'merged', [link]);
      row = into;
    }
  }
}

/** The matches after the best one. What depends on two things that are in trouble does not make one of them. */
function mergeable([best, ...others]: readonly Match[]): Match[] {
  return others.filter(({ evidence }) => !(best?.evidence.isEffect && evidence.isEffect));
}

function linkTo(signal: SignalRow, { row, evidence }: Match): Link {
  return {
    fromSignalId: signal.id,
    toSignalId: evidence.memberId ?? row.candidate.signalIds.at(-1) ?? signal.id,
    weight: evidence.weight,
    reasons: evidence.explain(),
  };
}
