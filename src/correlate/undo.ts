import type { Link } from '../incident/index.ts';
import { addReason, setLinks, type CandidateRow } from './candidate-row.ts';
import type { Candidates } from './candidates.ts';

interface UndoOf<Kind extends string> {
  readonly kind: Kind;
  isUndone: boolean;
  readonly result: Readonly<Record<string, unknown>>;
}

/** What is needed to take a command back. */
export type UndoRecord = MergeRecord | SplitRecord | ResolveRecord;

export interface MergeRecord extends UndoOf<'merge'> {
  readonly intoId: string;
  readonly before: {
    readonly signalIds: readonly string[];
    readonly links: Link[];
    readonly resolvedAtMs: number | null;
  };
  readonly parts: readonly {
    readonly id: string;
    readonly signalIds: readonly string[];
    /** Those of `signalIds` that belonged to it; a resolved incident may name others. */
    readonly ownedIds: readonly string[];
    readonly links: Link[];
    readonly resolvedAtMs: number | null;
    /** A person had taken the two apart before. */
    readonly wasApart: boolean;
  }[];
}

export interface SplitRecord extends UndoOf<'split'> {
  readonly incidentId: string;
  readonly partId: string;
  readonly before: { readonly signalIds: readonly string[]; readonly links: Link[] };
}

export interface ResolveRecord extends UndoOf<'resolve'> {
  readonly incidentId: string;
}

/**
 * Takes a merge, split or resolve back. Signals that came later stay where they are. Returns why it cannot be done
 * (a sentence), or null when it has been.
 */
export function takeBack(
  record: UndoRecord,
  candidates: Candidates,
  by: string,
  nowMs: number,
): string | null {
  if (record.kind === 'merge') return takeBackMerge(record, candidates, by, nowMs);
  if (record.kind === 'split') return takeBackSplit(record, candidates, by, nowMs);
  return takeBackResolve(record, candidates, by, nowMs);
}

function takeBackMerge(
  record: MergeRecord,
  candidates: Candidates,
  by: string,
  nowMs: number,
): string | null {
  const into = candidates.get(record.intoId);
  if (!into) return gone(record.intoId);
  if (into.candidate.state === 'merged') return mergedOn(into);
  const parts: { row: CandidateRow; part: MergeRecord['parts'][number] }[] = [];
  for (const part of record.parts) {
    const row = candidates.get(part.id);
    if (!row) return gone(part.id);
    if (row.candidate.mergedInto !== into.candidate.id)
      return `${part.id} is not merged into ${record.intoId} any more`;
    parts.push({ row, part });
  }
  const own = new Set(record.before.signalIds);
  for (const { row, part } of parts) {
    const moved = part.ownedIds.filter((id) => candidates.signal(id)?.candidateId === record.intoId);
    const returning = new Set(moved);
    const kept = into.candidate.signalIds.filter((id) => own.has(id) || !returning.has(id));
    revive(row, part.resolvedAtMs);
    candidates.moveSignals(into, row, moved);
    row.candidate.links = part.links;
    const owned = new Set(part.ownedIds);
    candidates.nameOnly(
      row,
      part.signalIds.filter((id) => returning.has(id) || !owned.has(id)),
    );
    candidates.nameOnly(into, kept);
    candidates.setApart(record.intoId, part.id);
    addReason(row, 'undone', `the merge into ${record.intoId} was taken back by ${by}`);
    addReason(into, 'undone', `the merge of ${part.id} was taken back by ${by}`);
    settle(row, candidates, nowMs);
    candidates.note(row, 'split');
  }
  const hasOnlyOwn = into.candidate.signalIds.every((id) => own.has(id));
  if (record.before.resolvedAtMs !== null && hasOnlyOwn) {
    revive(into, record.before.resolvedAtMs);
    into.candidate.links = record.before.links;
    candidates.nameOnly(into, record.before.signalIds);
  }
  settle(into, candidates, nowMs);
  candidates.note(into, 'split');
  return null;
}

function takeBackSplit(
  record: SplitRecord,
  candidates: Candidates,
  by: string,
  nowMs: number,
): string | null {
  const row = candidates.get(record.incidentId);
  const part = candidates.get(record.partId);
  if (!row) return gone(record.incidentId);
  if (!part) return gone(record.partId);
  for (const side of [row, part]) if (side.candidate.state === 'merged') return mergedOn(side);
  candidates.endApart(record.incidentId, record.partId);
  candidates.merge(row, part, `the split was taken back by ${by}`, nowMs);
  const order = new Map(record.before.signalIds.map((id, index) => [id, index]));
  const rank = (id: string) => order.get(id) ?? order.size;
  row.candidate.signalIds = row.candidate.signalIds.toSorted((a, b) => rank(a) - rank(b));
  candidates.deriveProfile(row);
  const known = new Set(row.candidate.links.map((link) => endsOf(link)));
  const returning = record.before.links.filter((link) => !known.has(endsOf(link)));
  setLinks(row, [...returning, ...row.candidate.links]);
  candidates.nameOnly(row, row.candidate.signalIds);
  candidates.note(row, 'merged');
  return null;
}

function takeBackResolve(
  record: ResolveRecord,
  candidates: Candidates,
  by: string,
  nowMs: number,
): string | null {
  const row = candidates.get(record.incidentId);
  if (!row) return gone(record.incidentId);
  if (row.candidate.state === 'merged') return mergedOn(row);
  if (row.candidate.state === 'open') return `${record.incidentId} is open already`;
  if (row.firingCount === 0) return `all signals of ${record.incidentId} have resolved`;
  candidates.reopen(row, `the resolve was taken back by ${by}`, nowMs);
  return null;
}

/** Makes a candidate a live one again; `resolvedAtMs` is when it was resolved, or null when it was open. */
function revive(row: CandidateRow, resolvedAtMs: number | null): void {
  row.candidate.state = resolvedAtMs === null ? 'open' : 'resolved';
  row.candidate.resolvedAtMs = resolvedAtMs;
  row.candidate.mergedInto = null;
}

/** Resolves an open candidate that has nothing firing left; one that stays open names only its own signals. Sets the timers. */
function settle(row: CandidateRow, candidates: Candidates, nowMs: number): void {
  if (row.candidate.state === 'open' && row.firingCount === 0) {
    row.candidate.state = 'resolved';
    row.candidate.resolvedAtMs = nowMs;
  }
  if (row.candidate.state === 'open') candidates.nameOnly(row, candidates.ownedBy(row));
  candidates.schedule(row, nowMs);
}

function endsOf(link: Link): string {
  return `${link.fromSignalId}\n${link.toSignalId}`;
}

function gone(id: string): string {
  return `${id} is not remembered any more`;
}

function mergedOn({ candidate }: CandidateRow): string {
  return `${candidate.id} has been merged into ${candidate.mergedInto} since: take that back first`;
}
