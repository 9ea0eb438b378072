import { labelValue, severityRank } from '../alert/index.ts';
import type { ProbableCause, Reason, ServiceGraph } from '../incident/index.ts';
import type { Member } from './triage-signal.ts';
import { findBlame, type Blame } from './upstream.ts';

interface Suspect {
  readonly member: Member;
  readonly belief: number;
  readonly reasons: readonly Reason[];
}

const weights = {
  first: 2,
  upstream: 1,
  surprise: 1,
  severity: 1,
  flapping: -2,
  symptom: -1,
  fault: 1,
} as const;
/** Bounds of what the place in the graph counts, before its weight. */
const blameBounds = { least: -3, most: 3 } as const;
/** What is felt, and what may be the reason for it. */
const symptomWords =
  /\b(latency|latencies|slow|answers in|timeouts?|timed out|error rate|errors?|requests|5xx|unavailable|health check|apdex|duration|throughput)\b/i;
const faultWords =
  /\b(disk|space|memory|oom|killed|cpu|throttled|deploy\w*|rollout|release|config\w*|certificate|expired|crash\w*|packets?|link|host|node|replication|connections?|exhausted|leak|quota|power|corrupt\w*|down|unreachable)\b/i;
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
  const weightOf = new Map<string, number>();
  for (const { service } of all)
    if (service !== null) weightOf.set(service, (weightOf.get(service) ?? 0) + 1);
  const blame = findBlame(weightOf, graph);
  const suspects = members.map((member) => suspect(member, firstAtMs, blame));
  const total = suspects.reduce((sum, { belief }) => sum + belief, 0);
  suspects.sort(
    (a, b) => b.belief - a.belief || a.member.signal.sinceMs - b.member.signal.sinceMs || byId(a, b),
  );
  const [top, second] = suspects;
  if (!top) return [];
  const isOnePlace =
    top.member.service !== null && weightOf.size === 1 && weightOf.get(top.member.service) === all.length;
  if (!isOnePlace && (top.belief / total) * members.length < leastLift) return [];
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

function suspect(member: Member, firstAtMs: number, blame: ReadonlyMap<string, Blame>): Suspect {
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
  const place = service === null ? undefined : blame.get(service);
  if (place && place.callers.length + place.callees.length > 0) {
    const { least, most } = blameBounds;
    const weight = Math.min(most, Math.max(least, Math.log(place.share * blame.size)));
    const text =
      place.callers.length > 0
        ? `${listOf(place.callers)} depend${place.callers.length === 1 ? 's' : ''} on ${service}`
        : `${service} depends on ${listOf(place.callees)}`;
    add(place.callers.length > 0 ? 'upstream' : 'downstream', text, weights.upstream * weight);
  }
  const words = `${labelValue(signal.labels, 'alertname').replaceAll(/([a-z])([A-Z])/g, '$1 $2')} ${signal.text}`;
  if (faultWords.test(words)) add('fault', 'says what is broken', weights.fault);
  else if (symptomWords.test(words)) add('symptom', 'says what is felt', weights.symptom);
  if (signal.flapping) add('flapping', 'comes and goes', weights.flapping);
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
