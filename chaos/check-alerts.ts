import type { HistoryDatabase } from '../src/history/index.ts';
import type { Check } from './check.ts';
import type { Report } from './load.ts';
import type { Copies, PlainPartition } from './plain-fold.ts';

interface FoundAlert {
  readonly id: string;
  readonly fired: number;
  readonly resolved: number;
  readonly raw: number;
}

/**
 * Every acknowledged alert is in the history exactly once, nothing is there that was never sent, and no log holds more copies of a report
 * than its sender made attempts.
 */
export async function checkAlerts(
  reports: readonly Report[],
  plain: readonly PlainPartition[],
  history: HistoryDatabase,
): Promise<Check> {
  const violations: string[] = [];
  const found = new Map<string, FoundAlert>();
  const rows = await history.query<Record<'id' | 'fired' | 'resolved' | 'raw', string>>(
    `SELECT labels['chaos_id'] AS id, countIf(change = 'fired') AS fired, countIf(change = 'resolved') AS resolved,
      0 AS raw FROM alerts FINAL GROUP BY id`,
  );
  for (const { id, ...counts } of rows)
    found.set(id, { id, fired: Number(counts.fired), resolved: Number(counts.resolved), raw: 0 });
  const copies = new Map(plain.flatMap((partition) => [...partition.copies]));
  const sent = new Map(reports.map((report) => [`${report.id}/${report.isResolved}`, report]));
  for (const { id, isResolved, isAcknowledged, attemptCount } of reports) {
    const count = found.get(id)?.[isResolved ? 'resolved' : 'fired'] ?? 0;
    const what = isResolved ? 'its end' : 'it';
    if (isAcknowledged && count !== 1)
      violations.push(`${id}: ${what} was acknowledged and is ${count} times in the history`);
    else if (count > 1) violations.push(`${id}: ${what} is ${count} times in the history`);
    const copyCount = copiesOf(copies.get(id), isResolved);
    if (isAcknowledged && copyCount === 0)
      violations.push(`${id}: ${what} was acknowledged and is in no log`);
    if (copyCount > attemptCount)
      violations.push(`${id}: ${what} was sent ${attemptCount} times and is ${copyCount} times in the log`);
  }
  for (const { id, fired, resolved } of found.values()) {
    const [ofFired, ofResolved] = [sent.get(`${id}/false`), sent.get(`${id}/true`)];
    if ((fired > 0 && !ofFired) || (resolved > 0 && !ofResolved))
      violations.push(`${id}: it is in the history and was never sent`);
  }
  const [totals] = await history.query<Record<'raw' | 'exact', string>>(
    'SELECT (SELECT count() FROM alerts) AS raw, (SELECT count() FROM alerts FINAL) AS exact',
  );
  const acknowledged = reports.filter(({ isAcknowledged }) => isAcknowledged);
  const copyCount = [...copies.values()].reduce((sum, { fired, resolved }) => sum + fired + resolved, 0);
  return {
    title: '1. alerts',
    counts: [
      ['reports acknowledged', acknowledged.length],
      ['  of them alerts that fire', acknowledged.filter(({ isResolved }) => !isResolved).length],
      ['  of them sent more than once', acknowledged.filter(({ attemptCount }) => attemptCount > 1).length],
      ['reports never acknowledged', reports.length - acknowledged.length],
      ['copies in the logs', copyCount],
      ['alerts in the history', [...found.values()].filter(({ fired }) => fired > 0).length],
      ['rows in the history', Number(totals?.exact ?? 0)],
      ['rows there twice before a merge', Number(totals?.raw ?? 0) - Number(totals?.exact ?? 0)],
    ],
    violations,
  };
}

function copiesOf(copies: Copies | undefined, isResolved: boolean): number {
  return copies?.[isResolved ? 'resolved' : 'fired'] ?? 0;
}
