import { createPipeline } from '../src/app/pipeline.ts';
import { scopeOf } from '../src/app/fleet/scope.ts';
import { encode, type Effect } from '../src/engine/index.ts';
import { subjectOf, type NotifyResult } from '../src/notify/index.ts';
import { createInlineScorer } from '../src/score/index.ts';
import { idempotencyKey } from '../src/notify/idempotency-key.ts';
import type { HistoryComparison } from './history.ts';
import type { Ledger } from './load.ts';
import type { PlainPartition } from './plain.ts';
import type { Receipt } from './receiver.ts';

/** What a check has counted, and what it found wrong. */
export interface Verdict {
  readonly name: string;
  readonly counts: string;
  readonly violations: readonly string[];
}

const shownCount = 5;

export function verdict(name: string, counts: string, violations: readonly string[]): Verdict {
  const more = violations.length - shownCount;
  return {
    name,
    counts,
    violations: more > 0 ? [...violations.slice(0, shownCount), `and ${more} more`] : violations,
  };
}

/** Every acknowledged alert, and every acknowledged end of one, is in the history exactly once; nothing is that nobody sent. */
export async function checkAcknowledged(
  ledger: Ledger,
  history: Pick<HistoryComparison, 'countsOf'>,
): Promise<Verdict> {
  const violations: string[] = [];
  const counts: string[] = [];
  for (const change of ['fired', 'resolved'] as const) {
    const found = await history.countsOf(change);
    for (const id of ledger[change]) {
      const count = found.get(id) ?? 0;
      if (count !== 1) violations.push(`${id} has ${change} ${count} times`);
    }
    for (const id of found.keys()) if (!ledger.tried.has(id)) violations.push(`${id} was never sent`);
    counts.push(`${ledger[change].size} acknowledged as ${change}, ${found.size} in the history`);
  }
  return verdict('every acknowledged alert is in the history exactly once', counts.join('; '), violations);
}

/** The fleet's last checkpoint is the state of the plain fold, byte for byte. */
export function checkState(plain: readonly PlainPartition[]): Verdict {
  const violations: string[] = [];
  let bytes = 0;
  for (const { partition, checkpoint, pipeline } of plain) {
    const { fold } = createPipeline({
      scorer: createInlineScorer(),
      withHistory: true,
      scope: scopeOf(partition),
    });
    fold.restore(checkpoint);
    const [theirs, ours] = [encode(fold.snapshot()), encode(pipeline.fold.snapshot())];
    bytes += ours.length;
    if (Buffer.compare(theirs, ours) !== 0) violations.push(`partition ${partition}: the states differ`);
  }
  const kinds = new Map<string, number>();
  for (const { entryCounts } of plain)
    for (const [kind, count] of entryCounts) kinds.set(kind, (kinds.get(kind) ?? 0) + count);
  const entries = [...kinds].map(([kind, count]) => `${kind} ${count}`).join(', ');
  const counts = `${plain.length} partitions, ${bytes} bytes of state; log entries: ${entries}`;
  return verdict('the state is that of a plain fold of the log, byte for byte', counts, violations);
}

/** Each table of the history has the rows of the plain fold, and no other. */
export async function checkHistory(history: HistoryComparison): Promise<Verdict> {
  const violations: string[] = [];
  const counts: string[] = [];
  for (const table of await history.tables()) {
    const { rows, missing, alien } = await history.difference(table);
    counts.push(`${table} ${rows}`);
    for (const line of missing) violations.push(`${table} lacks ${line}`);
    for (const line of alien) violations.push(`${table} has ${line}`);
  }
  return verdict('the history has the rows of the plain fold and no other', counts.join(', '), violations);
}

/**
 * Every page was taken once by its key, none that the plain fold does not send; those about one thing in the order of their revisions; and
 * every page has its end in the log.
 */
export function checkPages(plain: readonly PlainPartition[], receipts: readonly Receipt[]): Verdict {
  const violations: string[] = [];
  const taken = new Map<string, Receipt[]>();
  for (const receipt of receipts) {
    if (receipt.answer !== 'taken' && receipt.answer !== 'taken and cut') continue;
    taken.set(receipt.key, [...(taken.get(receipt.key) ?? []), receipt]);
  }
  const sent = new Map<string, Effect>();
  let endedCount = 0;
  for (const { pages, facts } of plain) {
    for (const page of pages) {
      const key = idempotencyKey(page.id);
      if (sent.has(key)) violations.push(`page ${page.id} was decided twice`);
      sent.set(key, page);
      const outcome = facts.get(page.id)?.outcome;
      if (!outcome) violations.push(`page ${page.id} has no end in the log`);
      else if (outcome.status === 'done') {
        // One that tells of no alert that still fires goes to nobody who has not heard of it.
        if ((outcome.result as NotifyResult).delivered.length === 0) continue;
        endedCount++;
        if (!taken.has(key)) violations.push(`page ${page.id} ended as sent and was not received`);
      } else if (outcome.code !== 'TOC_EFFECT_SUPERSEDED' && outcome.code !== 'TOC_NOTIFY_FAILED')
        violations.push(`page ${page.id} ended with ${outcome.code}: ${outcome.message}`);
    }
  }
  for (const key of taken.keys()) if (!sent.has(key)) violations.push(`page ${key} was never decided`);
  violations.push(...outOfOrder(plain, taken));
  const counts = `${sent.size} pages decided, ${taken.size} received by their keys, ${endedCount} ended as sent`;
  return verdict('every page was received once by its key, in order', counts, violations);
}

/** Pages about one thing whose first copies came in another order than they were decided in. */
function outOfOrder(
  plain: readonly PlainPartition[],
  taken: ReadonlyMap<string, readonly Receipt[]>,
): string[] {
  const found: string[] = [];
  for (const { pages } of plain) {
    for (const about of Map.groupBy(pages, (page) => subjectOf(page)).values()) {
      let lastMs = -Infinity;
      for (const { id } of about) {
        const first = taken.get(idempotencyKey(id))?.[0];
        if (!first) continue;
        if (first.atMs < lastMs) found.push(`page ${id} came after a later one of its group`);
        lastMs = Math.max(lastMs, first.atMs);
      }
    }
  }
  return found;
}
