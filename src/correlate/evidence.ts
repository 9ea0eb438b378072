import type { Reason, ServiceGraph, ServicePath } from '../incident/index.ts';
import type { Background } from './background.ts';
import type { Profile } from './candidate-index.ts';
import type { CandidateRow, SignalRow } from './candidate-row.ts';
import { mostCompanionWeight, type Companion } from './companions.ts';
import { intensityOf } from './heat.ts';
import { isPlace, kindKey, serviceKey, similarityOf, type Facets, type FacetValue } from './facets.ts';

/** What speaks for a signal belonging to a candidate. `weight` is the sum in log-odds. */
export interface Evidence {
  readonly weight: number;
  /** Puts it in words. Only evidence that becomes a link is worth the cost. */
  readonly explain: () => readonly Reason[];
  /** The member that the strongest piece leads to, other than time; null when there is only time. */
  readonly memberId: string | null;
  /** The candidate holds a signal of the same or a similar text. */
  readonly hasSimilarText: boolean;
  /** The signal's service calls one of the candidate's: it may be an effect of what the candidate holds, and of other things besides. */
  readonly isEffect: boolean;
  /** How surely it holds a signal that comes with this one, in log-odds; 0 when it holds none. */
  readonly company: number;
}

interface Piece {
  readonly code: string;
  readonly text: () => string;
  readonly weight: number;
  readonly memberId: string | null;
  readonly isEffect?: boolean;
}

/** A candidate as it is weighed. Candidates that continue each other because they were full are one family and one cause. */
export interface WeighedCandidate {
  readonly row: CandidateRow;
  readonly profile: Profile;
  /** Signals of its family for each of its own; at least 1. */
  readonly familyRatio: number;
  /** The signal has not begun now but goes on: that the candidate began long ago says nothing then. */
  readonly isGoingOn: boolean;
  /** Causes per second that nobody has seen yet. */
  readonly causeRate: number;
}

/** Where the evidence looks things up. */
export interface EvidenceSources {
  readonly graph: ServiceGraph;
  readonly background: Background;
  readonly signal: (id: string) => SignalRow | undefined;
}

const timeBounds = { least: -4, most: 5 } as const;
const mostPerValue = 4;
/** How often a signal of the same cause has the value that others of its incident have. */
const agreement = { label: 0.5, name: 0.3, entity: 0.5, service: 0.5, template: 0.3 } as const;
/** What a further piece about content still counts, after the strongest, as a power of this. */
const dependence = 0.3;
const hopWeight = { 1: 6.5, 2: 4 } as const;
/** What a way still counts to a service whose trouble is explained, and one over a third service that is not affected itself. */
const explainedShare = 0.4;
const sharedShare = 0.7;
/** Both are on one service. */
const sameServiceWeight = 2;
/** A service with more neighbours than this says less about what it connects. */
const hubDegree = 4;
/** Both say where they happen, and it is not the same machine ... */
const otherMachineWeight = -5;
/** ... or not the same service: trouble goes from one to the other, whether the catalog knows it or not. */
const otherServiceWeight = -0.5;
/** The catalog knows both services, and they are not near each other. */
const farWeight = -2;
const leastSimilarity = 0.5;

/**
 * Weighs a signal against a candidate as a whole: each piece is the logarithm of how much likelier the observation is
 * when the signal has the candidate's cause than when it has another (naive Bayes). Pieces about content depend on each
 * other (host and address say the same), so that the strongest counts in full and each next one much less.
 */
export function weighEvidence(
  signal: SignalRow,
  facets: Facets,
  candidate: WeighedCandidate,
  companions: readonly Companion[],
  nowMs: number,
  sources: EvidenceSources,
): Evidence {
  const { graph } = sources;
  const content = contentPieces(signal, facets, candidate, sources).sort((a, b) => b.weight - a.weight);
  const pieces: Piece[] = content.map((piece, index) => ({
    ...piece,
    weight: piece.weight * dependence ** index,
  }));
  const place = placePiece(facets, candidate.profile, graph);
  const together = togetherPiece(companions, candidate.profile);
  const onset = timePiece(candidate, place !== null && place.weight > 0, nowMs);
  const time = candidate.isGoingOn && together && onset.weight < 0 ? excused(onset, together) : onset;
  if (place) pieces.push(place.weight > 0 || !together ? place : excused(place, together));
  if (together) pieces.push(together);
  const tied = pieces.sort((a, b) => b.weight - a.weight);
  const all = [...tied, time];
  return {
    weight: all.reduce((sum, piece) => sum + piece.weight, 0),
    explain: () =>
      all
        .filter((piece) => Math.abs(piece.weight) >= 0.1 || piece === time)
        .slice(0, 6)
        .map(({ code, text, weight }) => ({ stage: 'correlate', code, text: text(), weight: round(weight) })),
    memberId: tied.find((piece) => piece.weight > 0)?.memberId ?? null,
    isEffect: place?.isEffect === true,
    company: together?.weight ?? 0,
    hasSimilarText: content.some((piece) => piece.code === 'same_text' || piece.code === 'similar_text'),
  };
}

/**
 * The signals per second that the candidate lets expect now, against the rate at which new causes come up: where one comes up once an
 * hour, coming close after a signal says much, where one does each second nothing.
 */
function timePiece(
  { row: { candidate, heat }, causeRate }: WeighedCandidate,
  isCascade: boolean,
  nowMs: number,
): Piece {
  const gapMs = Math.max(0, nowMs - candidate.lastAtMs);
  const expected = intensityOf(heat, isCascade, nowMs);
  const weight = clamp(Math.log(expected / causeRate), timeBounds.least, timeBounds.most);
  return { code: 'time', text: () => `within ${secondsText(gapMs)}`, weight, memberId: null };
}

/** What is sure to come together does so in spite of being elsewhere, and long after its candidate began. */
function excused(piece: Piece, together: Piece): Piece {
  return { ...piece, weight: piece.weight * (1 - together.weight / mostCompanionWeight) };
}

/** The surest of what usually comes with the signal and is in the candidate. */
function togetherPiece(companions: readonly Companion[], profile: Profile): Piece | null {
  for (const { kind, together, of, weight } of companions) {
    const memberId = profile.memberWith(kindKey(kind));
    if (memberId === undefined) continue;
    const text = () => `came together ${Math.round(together)} of ${Math.round(of)} times`;
    return { code: 'together', text, weight, memberId };
  }
  return null;
}

function contentPieces(
  signal: SignalRow,
  facets: Facets,
  candidate: WeighedCandidate,
  sources: EvidenceSources,
): Piece[] {
  const { row, profile } = candidate;
  const pieces: Piece[] = [];
  let isSameText = false;
  for (const value of facets.values) {
    const count = profile.count(value.key);
    if (count === 0) continue;
    if (value.kind === 'template') isSameText = true;
    const weight = valueWeight(value, count, candidate, sources.background);
    const memberId = profile.memberWith(value.key) ?? null;
    if (weight > 0) pieces.push({ ...describeValue(value, row, sources.background), weight, memberId });
  }
  if (!isSameText) {
    const similar = similarPiece(signal, facets, candidate, sources);
    if (similar) pieces.push(similar);
  }
  return pieces;
}

/** Half-way between sharing the value with one member and with all of them. */
function valueWeight(
  value: FacetValue,
  count: number,
  { row, profile, familyRatio }: WeighedCandidate,
  background: Background,
): number {
  const own = { count: count * familyRatio, of: profile.size * familyRatio };
  const usual = background.probabilityOf(row.candidate.domain, value, own);
  const expected = agreement[value.kind] * Math.sqrt(count / profile.size);
  return Math.min(mostPerValue, Math.log(expected / usual));
}

function describeValue(
  value: FacetValue,
  row: CandidateRow,
  background: Background,
): Pick<Piece, 'code' | 'text'> {
  if (value.kind === 'service') return { code: 'same_service', text: () => `same ${value.text}` };
  const share = () => percentText(background.shareOf(row.candidate.domain, value));
  if (value.kind === 'template') {
    return { code: 'same_text', text: () => `same text (in ${share()} of signals)` };
  }
  return { code: 'shared_label', text: () => `shares ${value.text} (in ${share()} of signals)` };
}

/** The most similar text among the members that share a band of the signature. */
function similarPiece(
  signal: SignalRow,
  facets: Facets,
  candidate: WeighedCandidate,
  { background, signal: find }: EvidenceSources,
): Piece | null {
  const { profile } = candidate;
  let best: { member: SignalRow; similarity: number } | null = null;
  const seen = new Set<string>();
  for (const band of facets.bands) {
    const memberId = profile.memberWith(band);
    if (memberId === undefined || seen.has(memberId)) continue;
    seen.add(memberId);
    const member = find(memberId);
    if (!member) continue;
    const similarity = similarityOf(signal.signature, member.signature);
    if (similarity > (best?.similarity ?? leastSimilarity)) best = { member, similarity };
  }
  if (!best) return null;
  const value = { key: `t:${best.member.template}`, text: '', kind: 'template' } as const;
  const weight =
    best.similarity * valueWeight(value, Math.max(1, profile.count(value.key)), candidate, background);
  if (weight <= 0) return null;
  const { member, similarity } = best;
  const text = () => `similar text ${similarity.toFixed(2)}`;
  return { code: 'similar_text', text, weight, memberId: member.id };
}

/** The strongest way over the catalog to a service of the candidate, or the weight of happening elsewhere; null when nothing is known. */
function placePiece(facets: Facets, profile: Profile, graph: ServiceGraph): Piece | null {
  const { service } = facets;
  if (service !== null && profile.count(serviceKey(service)) > 0) {
    const memberId = profile.memberWith(serviceKey(service)) ?? null;
    return {
      code: 'topology',
      text: () => `on the same service ${service}`,
      weight: sameServiceWeight,
      memberId,
    };
  }
  if (service !== null) {
    const best = nearest(service, profile, graph);
    if (best) {
      const memberId = profile.memberWith(serviceKey(best.other)) ?? null;
      const { other, path } = best;
      const text = () => pathText(service, other, path);
      return { code: 'topology', text, weight: best.weight, memberId, isEffect: path.relation === 'calls' };
    }
  }
  const places = facets.values.filter((value) => isPlace(value));
  if (places.length === 0 || !profile.hasPlaces) return null;
  if (places.some((value) => profile.count(value.key) > 0)) return null;
  const isKnown = service !== null && graph.knows(service);
  const isFar = isKnown && profile.services.some((other) => graph.knows(other));
  const weight =
    service === null || profile.services.length === 0
      ? otherMachineWeight
      : isFar
        ? farWeight
        : otherServiceWeight;
  return { code: 'elsewhere', text: () => 'no machine or service in common', weight, memberId: null };
}

interface Way {
  readonly other: string;
  readonly path: ServicePath;
  readonly weight: number;
}

/** The strongest way from a service to one of the candidate's; of equal ones the first by name. Looks through the fewer: what is near, or what the candidate has. */
function nearest(service: string, profile: Profile, graph: ServiceGraph): Way | null {
  const near = graph.near(service);
  let best: Way | null = null;
  const consider = (other: string, path: ServicePath): void => {
    const weight = pathWeight(path, graph) * doubt(service, other, path, profile, graph);
    if (weight <= 0) return;
    if (!best || weight > best.weight || (weight === best.weight && other < best.other))
      best = { other, path, weight };
  };
  if (near.size < profile.services.length) {
    for (const [other, path] of near) if (profile.count(serviceKey(other)) > 0) consider(other, path);
  } else {
    for (const other of profile.services) {
      const path = near.get(other);
      if (path) consider(other, path);
    }
  }
  return best;
}

/**
 * What a candidate has explained already needs no other reason: where `other` calls the signal's service and another affected one too, the
 * signal is as likely of a cause of its own.
 */
function doubt(
  service: string,
  other: string,
  path: ServicePath,
  profile: Profile,
  graph: ServiceGraph,
): number {
  if (path.relation === 'calls') return 1;
  const reached = path.via ?? service;
  for (const callee of graph.dependenciesOf(other))
    if (callee !== service && callee !== reached && profile.count(serviceKey(callee)) > 0)
      return explainedShare;
  return path.relation === 'shares' ? sharedShare : 1;
}

function pathWeight(path: ServicePath, graph: ServiceGraph): number {
  if (path.via === null) return hopWeight[1];
  return hopWeight[2] - Math.log(Math.max(1, graph.degreeOf(path.via) / hubDegree));
}

function pathText(service: string, other: string, { relation, hops, via }: ServicePath): string {
  const distance = hops === 1 ? '1 hop' : `${hops} hops over ${via}`;
  if (relation === 'calls') return `${service} calls ${other} (${distance})`;
  if (relation === 'called_by') return `${other} calls ${service} (${distance})`;
  return `${service} and ${other} share ${via}`;
}

function secondsText(ms: number): string {
  if (ms < 120_000) return `${Math.round(ms / 1000)} s`;
  return ms < 7_200_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 3_600_000)} h`;
}

function percentText(share: number): string {
  const percent = share * 100;
  return `${percent >= 10 ? percent.toFixed(0) : percent.toFixed(1)} %`;
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}

function round(weight: number): number {
  return Math.round(weight * 100) / 100;
}
