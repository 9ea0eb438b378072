import { labelValue, type Severity } from '../alert/index.ts';
import type { Priority, Reason, ServiceGraph } from '../incident/index.ts';
import type { TriageConfig } from './config.ts';
import type { Member } from './triage-signal.ts';

const severityPoints: Readonly<Record<Severity, number>> = {
  critical: 40,
  error: 25,
  warning: 10,
  unknown: 10,
  info: -5,
};
const tierPoints: Readonly<Record<number, number>> = { 1: 30, 2: 20, 3: 10, 4: 0 };
const unknownTierPoints = 15;
const mostUrgentInfo: Priority = 'P4';
const environmentPoints = { production: 10, other: -30, unknown: 5 } as const;

/** What the signals say of themselves. */
export interface Urgency {
  readonly severity: Severity;
  readonly surprise: number | null;
  /** How often the rarest of their alert names had been in incidents before; null where that is not known. */
  readonly rarest: number | null;
}

/** What the priority is made of. */
export interface PriorityFinding {
  readonly priority: Priority;
  /** One reason for each kind of points; their weights sum up to the points. */
  readonly reasons: readonly Reason[];
}

/**
 * Sums up points for business impact (tier and promise of the most important service, number of services, environment),
 * severity and surprise, and reads the priority from `triage.points`:
 *
 * | what | points |
 * |---|---|
 * | severity critical, error, warning, unknown, info | 40, 25, 10, 10, -5 |
 * | tier 1, 2, 3, 4, not in the catalog | 30, 20, 10, 0, 15 |
 * | promised availability from 99.95 %, from 99.9 % | 10, 5 |
 * | services affected: 2-3, 4-9, 10 and more | 5, 10, 20 |
 * | environment: production, not named or not known, another | 10, 5, -30 |
 * | surprise: from 0.9, from 0.7, below 0.2 | 10, 5, -10 |
 * | where no sender says how severe it is: an alert name that was in no incident before; all of them in 3 and more | 10, -10 |
 *
 * What is purely informational (heartbeats, notices) is P4 at most, whatever it touches.
 */
export function findPriority(
  members: readonly Member[],
  services: readonly string[],
  { severity, surprise, rarest }: Urgency,
  graph: ServiceGraph,
  config: TriageConfig,
): PriorityFinding {
  const reasons: Reason[] = [];
  const add = (code: string, text: string, weight: number) => {
    if (weight !== 0) reasons.push({ stage: 'triage', code, text, weight });
  };
  add('severity', `severity ${severity}`, severityPoints[severity]);
  addService(services, graph, add);
  if (services.length > 1) {
    const weight = services.length >= 10 ? 20 : services.length >= 4 ? 10 : 5;
    add('services', `${services.length} services affected`, weight);
  }
  addEnvironment(members, config, add);
  if (surprise !== null) {
    const weight = surprise >= 0.9 ? 10 : surprise >= 0.7 ? 5 : surprise < 0.2 ? -10 : 0;
    add('surprise', `surprise ${surprise.toFixed(2)}`, weight);
  }
  if (severity === 'unknown' && rarest === 0)
    add('new', 'an alert of this name was in no incident before', 10);
  if (severity === 'unknown' && rarest !== null && rarest >= 3)
    add('routine', `alerts of these names were in ${rarest} incidents before`, -10);
  const points = reasons.reduce((sum, reason) => sum + (reason.weight ?? 0), 0);
  const priority = priorityOf(points, config);
  // What is merely not known tells a responder least.
  reasons.sort((a, b) => Number(a.code.startsWith('unknown_')) - Number(b.code.startsWith('unknown_')));
  if (severity !== 'info' || priority > mostUrgentInfo) return { priority, reasons };
  reasons.unshift({
    stage: 'triage',
    code: 'informational',
    text: `purely informational: ${mostUrgentInfo} at most`,
  });
  return { priority: mostUrgentInfo, reasons };
}

type Add = (code: string, text: string, weight: number) => void;

function addService(services: readonly string[], graph: ServiceGraph, add: Add): void {
  const known = services.flatMap((name) => graph.service(name) ?? []);
  const [first] = known.toSorted((a, b) => a.tier - b.tier);
  if (!first) {
    add('unknown_tier', 'no affected service is in the catalog', unknownTierPoints);
    return;
  }
  add('service_tier', `${first.name} is tier ${first.tier}`, tierPoints[first.tier] ?? 0);
  const [strictest] = known.toSorted((a, b) => (b.sla ?? 0) - (a.sla ?? 0));
  if (strictest?.sla !== undefined && strictest.sla >= 99.9) {
    add('sla', `${strictest.name} promises ${strictest.sla} %`, strictest.sla >= 99.95 ? 10 : 5);
  }
}

/** One signal from production is enough for an incident in production. */
function addEnvironment(members: readonly Member[], config: TriageConfig, add: Add): void {
  const named = members.flatMap(({ signal }) => {
    const label = config.environment_labels.find((name) => labelValue(signal.labels, name) !== '');
    return label === undefined ? [] : [labelValue(signal.labels, label)];
  });
  const of = (kind: Environment): string | undefined =>
    named.find((value) => environmentOf(value, config) === kind);
  const production = of('production');
  if (production !== undefined) {
    add('environment', `environment ${production}`, environmentPoints.production);
    return;
  }
  const unknown = of('unknown');
  if (named.length === 0) add('unknown_environment', 'no environment is named', environmentPoints.unknown);
  else if (unknown !== undefined)
    add('unknown_environment', `environment ${unknown} is none that triage knows`, environmentPoints.unknown);
  else add('environment', `environment ${named[0]}, not production`, environmentPoints.other);
}

type Environment = keyof typeof environmentPoints;

function environmentOf(value: string, { production_values, other_values }: TriageConfig): Environment {
  const text = value.toLowerCase();
  if (production_values.includes(text)) return 'production';
  const words = [text, ...text.split(/[^\p{L}\p{N}]+/u)];
  if (words.some((word) => other_values.includes(word))) return 'other';
  return words.some((word) => production_values.includes(word)) ? 'production' : 'unknown';
}

function priorityOf(points: number, { points: limits }: TriageConfig): Priority {
  if (points >= limits.P1) return 'P1';
  if (points >= limits.P2) return 'P2';
  if (points >= limits.P3) return 'P3';
  return points >= limits.P4 ? 'P4' : 'P5';
}
