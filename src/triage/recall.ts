import type { Priority, RecallEffect, RecallResult } from '../incident/index.ts';
import type { Fact } from '../engine/index.ts';
import type { IncidentRow } from './incident-row.ts';
import type { Member } from './triage-signal.ts';

/** An incident asks at most this often: when it opens, and at 2, 4, 8 ... times as many signals. */
const maxRecalls = 8;
const maxTemplates = 64;

/** Whether the history should be asked (again) for incidents like this one, which must be at least as urgent as `from`. */
export function isRecallDue(row: IncidentRow, signalCount: number, from: Priority): boolean {
  const { state, priority } = row.incident;
  if (priority > from) return false;
  if (state !== 'open' && state !== 'acknowledged') return false;
  return row.recallCount < maxRecalls && signalCount >= Math.max(1, 2 * row.recalledSignals);
}

/** The question to the history. Signals of one template are asked about once. */
export function createRecall(row: IncidentRow, members: readonly Member[], limit: number): RecallEffect {
  const byTemplate = new Map<string, readonly number[]>();
  for (const { signal } of members) {
    if (byTemplate.size >= maxTemplates) break;
    if (!byTemplate.has(signal.template)) byTemplate.set(signal.template, signal.signature);
  }
  const { id, domain, openedAtMs, services } = row.incident;
  return {
    id: `recall/${id}/${row.recallCount + 1}`,
    kind: 'recall',
    payload: {
      incidentId: id,
      domain,
      beforeMs: openedAtMs,
      templates: [...byTemplate.keys()],
      signatures: [...byTemplate.values()],
      services,
      limit,
    },
  };
}

/** An answer of the history: which recall of which incident, and what it found. Null when the fact is none. */
export function readRecallFact(
  fact: Fact,
): { readonly incidentId: string; readonly recall: number; readonly result: RecallResult } | null {
  if (fact.kind !== 'recall') return null;
  const [, incidentId = '', recall = ''] = fact.effectId.split('/');
  const missing = { similar: [], historyMissing: true };
  const result = fact.outcome.status === 'done' ? (fact.outcome.result as RecallResult) : missing;
  return { incidentId, recall: Number(recall), result };
}
