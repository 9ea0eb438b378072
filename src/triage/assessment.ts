import { maxSeverity, type Severity } from '../alert/index.ts';
import type { Candidate, Incident, Reason, ServiceGraph } from '../incident/index.ts';
import { findCategory } from './category.ts';
import { findCauses } from './cause.ts';
import type { TriageConfig } from './config.ts';
import { rarestOf } from './novelty.ts';
import { findPriority } from './priority.ts';
import type { TriageRules } from './rules.ts';
import { headOf, titleOf } from './title.ts';
import { servicesOf, type Member } from './triage-signal.ts';

/** What triage finds by looking at the signals alone. */
export type Assessment = Pick<
  Incident,
  | 'title'
  | 'severity'
  | 'priority'
  | 'confidence'
  | 'category'
  | 'services'
  | 'signalCount'
  | 'alertCount'
  | 'probableCauses'
  | 'reasons'
  | 'surprise'
> & {
  /** What the title is about, without its counts. */
  readonly headId: string;
};

export interface AssessmentSources {
  readonly config: TriageConfig;
  readonly rules: TriageRules;
  readonly graph: ServiceGraph;
}

const maxReasons = 20;
const maxFlappingReasons = 2;

/** Looks at all signals of an incident. There must be at least one. Cost follows their number. */
export function assess(
  members: readonly Member[],
  candidate: Candidate,
  linkReasons: readonly Reason[],
  { config, rules, graph }: AssessmentSources,
): Assessment {
  const services = servicesOf(members);
  const overrules = rules.apply(members);
  let worst: Severity = 'unknown';
  let surprise: number | null = null;
  let alertCount = 0;
  for (const { signal } of members) {
    worst = maxSeverity(worst, signal.severity);
    alertCount += signal.alertCount;
    if (signal.surprise !== null) surprise = Math.max(surprise ?? 0, signal.surprise);
  }
  const severity = overrules.severity ?? worst;
  const probableCauses = findCauses(members, graph);
  const causeId = probableCauses[0]?.signalId ?? null;
  const head = headOf(members, causeId);
  const category = findCategory(members, causeId);
  const priority = findPriority(
    members,
    services,
    { severity, surprise, rarest: rarestOf(members) },
    graph,
    config,
  );
  const flapping = members.flatMap(({ signal }) => signal.flapping ?? []).slice(0, maxFlappingReasons);
  const reasons: Reason[] = [...flapping, ...overrules.reasons, ...priority.reasons];
  if (category.words.length > 0 && overrules.category === null) {
    const text = `category ${category.category} by ${category.words.join(', ')}`;
    reasons.push({ stage: 'triage', code: 'category', text, weight: round(category.confidence) });
  }
  reasons.push(...linkReasons, ...candidate.reasons.slice(-3));
  return {
    title: head ? titleOf(head, members.length, services.length) : candidate.id,
    headId: head?.signal.id ?? '',
    severity,
    priority: overrules.priority ?? priority.priority,
    confidence: confidenceOf({
      isSeverityKnown: severity !== 'unknown',
      isServiceKnown: services.some((name) => graph.service(name)),
      isScored: surprise !== null,
      categoryConfidence: overrules.category === null ? category.confidence : 1,
    }),
    category: overrules.category ?? category.category,
    services,
    signalCount: members.length,
    alertCount,
    probableCauses,
    reasons: reasons.slice(0, maxReasons),
    surprise,
  };
}

/** How much of what priority and category are made of is known: severity 0.35, catalog 0.25, baseline 0.15, words 0.25. */
function confidenceOf(known: {
  readonly isSeverityKnown: boolean;
  readonly isServiceKnown: boolean;
  readonly isScored: boolean;
  readonly categoryConfidence: number;
}): number {
  const severity = known.isSeverityKnown ? 0.35 : 0;
  const service = known.isServiceKnown ? 0.25 : 0;
  const baseline = known.isScored ? 0.15 : 0;
  return round(severity + service + baseline + 0.25 * known.categoryConfidence);
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
