import { severityRank, type Severity } from '../alert/index.ts';
import type { Candidate, Incident, Priority, Reason } from '../incident/index.ts';
import type { Assessment } from './assessment.ts';

/** What triage remembers of an incident. */
export interface IncidentRow {
  /** The last revision. */
  incident: Incident;
  /** The candidate as it was last seen, without its links. */
  candidate: Candidate;
  headId: string;
  /** Why its signals were linked: the strongest reasons so far. */
  linkReasons: readonly Reason[];
  /** The command that acknowledged it. */
  acknowledgedByCommand: string | null;
  /** How urgent it was then. */
  acknowledgedPriority: Priority | null;
  /** Recalls asked for so far. */
  recallCount: number;
  /** How many signals the last recall knew of. */
  recalledSignals: number;
  /** The last recall that was answered. */
  answeredRecall: number;
}

const maxLinkReasons = 3;
const largeIncident = 100;

/** The incident as it stands, with the revision of the row's last one. */
export function incidentOf(
  row: Pick<IncidentRow, 'incident' | 'acknowledgedPriority'> | null,
  candidate: Candidate,
  assessment: Assessment,
  nowMs: number,
): Incident {
  const { headId: _, ...found } = assessment;
  const last = row?.incident;
  const wasAcknowledged = last !== undefined && last.state !== 'merged' && last.acknowledgedBy !== null;
  const reopens = candidate.state === 'open' && last?.state === 'resolved';
  // Who took on a P4 has not taken on a P1.
  const isOutgrown =
    row !== null && row.acknowledgedPriority !== null && found.priority < row.acknowledgedPriority;
  const isAcknowledged = wasAcknowledged && !reopens && !isOutgrown;
  return {
    id: candidate.id,
    domain: candidate.domain,
    revision: last?.revision ?? 0,
    state: candidate.state === 'open' && isAcknowledged ? 'acknowledged' : candidate.state,
    ...found,
    reasons:
      wasAcknowledged && isOutgrown
        ? [outgrown(last.acknowledgedBy, row.acknowledgedPriority, found.priority), ...found.reasons]
        : found.reasons,
    openedAtMs: candidate.openedAtMs,
    updatedAtMs: nowMs,
    resolvedAtMs: candidate.resolvedAtMs,
    acknowledgedBy: isAcknowledged ? last.acknowledgedBy : null,
    acknowledgedAtMs: isAcknowledged ? last.acknowledgedAtMs : null,
    mergedInto: candidate.mergedInto,
    similar: last?.similar ?? [],
    historyMissing: last?.historyMissing ?? false,
  };
}

/**
 * Whether a person would notice the difference. Numbers count by steps (1, 2, 3, 5, 10, 20, 50 ...), so that a storm
 * makes few revisions; how sure triage is, and how many alerts there are, makes none.
 */
export function isNoticeable(before: Incident, after: Incident): boolean {
  return (
    before.state !== after.state ||
    before.severity !== after.severity ||
    before.priority !== after.priority ||
    before.category !== after.category ||
    before.mergedInto !== after.mergedInto ||
    before.acknowledgedBy !== after.acknowledgedBy ||
    before.historyMissing !== after.historyMissing ||
    isFlapping(before) !== isFlapping(after) ||
    before.probableCauses[0]?.signalId !== after.probableCauses[0]?.signalId ||
    stepOf(before.signalCount) !== stepOf(after.signalCount) ||
    stepOf(before.services.length) !== stepOf(after.services.length) ||
    before.similar.map(({ incidentId }) => incidentId).join() !==
      after.similar.map(({ incidentId }) => incidentId).join()
  );
}

function isFlapping({ reasons }: Incident): boolean {
  return reasons.some(({ code }) => code === 'flapping');
}

/** Keeps the strongest link reasons of those known and those new, each text once. */
export function strongestReasons(known: readonly Reason[], added: readonly Reason[]): readonly Reason[] {
  const byText = new Map<string, Reason>();
  for (const reason of [...known, ...added]) {
    const other = byText.get(reason.text);
    if (!other || (other.weight ?? 0) < (reason.weight ?? 0)) byText.set(reason.text, reason);
  }
  return [...byText.values()].sort((a, b) => (b.weight ?? 0) - (a.weight ?? 0)).slice(0, maxLinkReasons);
}

/** Of a large incident only this much is looked at anew with each signal: is there anything to notice at all? */
export function isWorthAssessing(row: IncidentRow, candidate: Candidate, worst: Severity): boolean {
  return (
    candidate.signalIds.length < largeIncident ||
    candidate.state !== row.candidate.state ||
    severityRank(worst) > severityRank(row.incident.severity) ||
    stepOf(candidate.signalIds.length) !== stepOf(row.incident.signalCount)
  );
}

/** The largest of 0, 1, 2, 3, 5, 10, 20, 50, 100 ... that is not above `count`. */
function stepOf(count: number): number {
  if (count <= 3) return count;
  const power = 10 ** Math.floor(Math.log10(count));
  if (count < 10) return count < 5 ? 3 : 5;
  return power * (count < 2 * power ? 1 : count < 5 * power ? 2 : 5);
}

function outgrown(by: string | null, before: Priority | null, now: Priority): Reason {
  return {
    stage: 'triage',
    code: 'acknowledgement_outgrown',
    text: `acknowledged by ${by ?? 'somebody'} as ${before ?? 'less urgent'}; now it is ${now}`,
  };
}
