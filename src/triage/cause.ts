import { severityRank } from '../alert/index.ts';
import type { ProbableCause, Reason, ServiceGraph } from '../incident/index.ts';
import { servicesOf, type Member } from './triage-signal.ts';

interface Suspect {
  readonly member: Member;
  readonly belief: number;
  readonly reasons: readonly Reason[];
}

const weights = { first: 2, upstream: 3, downstream: -2, surprise: 1, severity: 1 } as const;
/** A signal this much later than the first is hardly the cause for being early. */
const leadScaleMs = 60_000;
/** Signals that came later than so many others are not suspected. */
const maxSuspects = 256;
const maxCauses = 3;
/** The best suspect must have this many times the belief of an even spread, or the evidence is too thin to name one. */
const leastLift = 1.5;

/**
 * Ranks the signals by how probably they caused the others: early, upstream in the dependency graph (affected services
 * depend on it, it depends on none of them), surprising, severe. The beliefs are a softmax over all signals. Names at
 * most three, and nobody when a single signal is all there is or when no suspect stands out.
 */
export function findCauses(all: readonly Member[], graph: ServiceGraph): ProbableCause[] {
  if (all.length < 2) return [];
  const members = all.slice(0, maxSuspects);
  const firstAtMs = Math.min(...members.map(({ signal }) => signal.sinceMs));
  const positions = positionsOf(servicesOf(all), graph);
  const suspects = members.map((member) => suspect(member, firstAtMs, positions));
  const total = suspects.reduce((sum, { belief }) => sum + belief, 0);
  suspects.sort(
    (a, b) => b.belief - a.belief || a.member.signal.sinceMs - b.member.signal.sinceMs || byId(a, b),
  );
  const [top, second] = suspects;
  if (!top || (top.belief / total) * members.length < leastLift) return [];
  if (second && top.belief / second.belief < 1 + 1e-9 && top.member.service !== second.member.service)
    return [];
  return suspects.slice(0, maxCauses).map(({ member: { signal }, belief, reasons }) => ({
    signalId: signal.id,
    labels: signal.labels,
    text: signal.text,
    score: round(belief / total),
    reasons,
  }));
}

interface Position {
  readonly callers: readonly string[];
  readonly callees: readonly string[];
  readonly others: number;
}

/** For each affected service: which other affected services depend on it, and on which it depends. */
function positionsOf(services: readonly string[], graph: ServiceGraph): ReadonlyMap<string, Position> {
  const known = services.filter((service) => graph.knows(service));
  const others = Math.max(1, services.length - 1);
  const positions = new Map<string, { callers: string[]; callees: string[]; others: number }>();
  for (const service of known) positions.set(service, { callers: [], callees: [], others });
  for (const service of known) {
    const upstream = graph.upstreamOf(service);
    for (const callee of known) {
      if (!upstream.has(callee)) continue;
      positions.get(service)?.callees.push(callee);
      positions.get(callee)?.callers.push(service);
    }
  }
  return positions;
}

function suspect(member: Member, firstAtMs: number, positions: ReadonlyMap<string, Position>): Suspect {
  const { signal, service } = member;
  const leadMs = signal.sinceMs - firstAtMs;
  const reasons: Reason[] = [];
  let score = 0;
  const add = (code: string, text: string, weight: number) => {
    score += weight;
    if (Math.abs(weight) >= 0.1) reasons.push({ stage: 'triage', code, text, weight: round(weight) });
  };
  const lead = leadMs === 0 ? 'the first signal' : `${Math.round(leadMs / 1000)} s after the first signal`;
  add('early', lead, weights.first * Math.exp(-leadMs / leadScaleMs));
  const position = service === null ? undefined : positions.get(service);
  if (position && position.callers.length > 0) {
    const share = position.callers.length / position.others;
    add(
      'upstream',
      `${listOf(position.callers)} depend${position.callers.length === 1 ? 's' : ''} on ${service}`,
      weights.upstream * share,
    );
  }
  if (position && position.callees.length > 0) {
    const share = position.callees.length / position.others;
    add('downstream', `${service} depends on ${listOf(position.callees)}`, weights.downstream * share);
  }
  if (signal.surprise !== null) {
    add('surprise', `surprise ${signal.surprise.toFixed(2)}`, weights.surprise * signal.surprise);
  }
  add('severity', `severity ${signal.severity}`, (weights.severity * severityRank(signal.severity)) / 4);
  return { member, belief: Math.exp(score), reasons };
}

function listOf(names: readonly string[]): string {
  if (names.length <= 3) return names.join(', ');
  return `${names.slice(0, 2).join(', ')} and ${names.length - 2} more`;
}

function byId(a: Suspect, b: Suspect): number {
  return a.member.signal.id < b.member.signal.id ? -1 : 1;
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
