import type { Labels, Severity } from '../alert/index.ts';
import type { Reason } from './reason.ts';

export type Priority = 'P1' | 'P2' | 'P3' | 'P4' | 'P5';

export const priorities: readonly Priority[] = ['P1', 'P2', 'P3', 'P4', 'P5'];

/** Evidence that two signals belong together. `weight` is the sum of the evidence in log-odds. */
export interface Link {
  readonly fromSignalId: string;
  readonly toSignalId: string;
  readonly weight: number;
  readonly reasons: readonly Reason[];
}

/** A group of signals that correlation proposes. It becomes an incident once triage has looked at it. */
export interface Candidate {
  readonly id: string;
  readonly domain: string;
  state: CandidateState;
  signalIds: string[];
  links: Link[];
  readonly openedAtMs: number;
  lastAtMs: number;
  resolvedAtMs: number | null;
  /** Why it is as it is: merged from, split from, closed by whom. The newest is last; at most 20 are kept. */
  reasons: Reason[];
  /** The incident that it was merged into, when `state` is `merged`. */
  mergedInto: string | null;
}

export type CandidateState = 'open' | 'resolved' | 'merged';

/** What triage makes of a candidate. `revision` counts from 1 and rises with every change that a person would notice. */
export interface Incident {
  readonly id: string;
  readonly domain: string;
  readonly revision: number;
  readonly state: 'open' | 'acknowledged' | 'resolved' | 'merged';
  readonly title: string;
  readonly severity: Severity;
  readonly priority: Priority;
  /** How sure triage is of priority and category, 0..1. */
  readonly confidence: number;
  readonly category: Category;
  readonly services: readonly string[];
  readonly signalCount: number;
  readonly alertCount: number;
  readonly probableCauses: readonly ProbableCause[];
  readonly reasons: readonly Reason[];
  readonly openedAtMs: number;
  readonly updatedAtMs: number;
  readonly resolvedAtMs: number | null;
  readonly acknowledgedBy: string | null;
  readonly acknowledgedAtMs: number | null;
  readonly mergedInto: string | null;
  /** The most surprising signal, 0..1; null while every baseline is still learning. */
  readonly surprise: number | null;
  /** Past incidents most like this one, once recall has answered. */
  readonly similar: readonly SimilarIncident[];
  /** Recall could not ask the history (it is absent or failed), so that an empty `similar` says nothing. */
  readonly historyMissing: boolean;
}

export const categories = [
  'network',
  'database',
  'capacity',
  'deploy',
  'certificate',
  'dependency',
  'host',
  'security',
  'application',
  'other',
] as const;

export type Category = (typeof categories)[number];

export interface ProbableCause {
  readonly signalId: string;
  readonly labels: Labels;
  readonly text: string;
  /** Share of the belief among this incident's signals, 0..1. */
  readonly score: number;
  readonly reasons: readonly Reason[];
}

export interface SimilarIncident {
  readonly incidentId: string;
  readonly title: string;
  /** Estimated Jaccard similarity of the incidents' templates after re-ranking, 0..1. */
  readonly similarity: number;
  readonly openedAtMs: number;
  readonly resolvedAtMs: number | null;
  readonly priority: Priority;
  /** What the two have in common, for people: services, alert names, labels. */
  readonly shared: readonly string[];
}
