import { verdict, type Verdict } from './checks.ts';
import { reportKey, type Ledger } from './load.ts';
import type { PlainPartition } from './plain.ts';

/** What was acknowledged is in a log, and nothing is there more often than its sender has sent it. */
export function checkCopies(
  { fired, resolved, attempts }: Pick<Ledger, 'fired' | 'resolved' | 'attempts'>,
  plain: readonly Pick<PlainPartition, 'copies'>[],
): Verdict {
  const violations: string[] = [];
  const copies = new Map<string, number>();
  for (const partition of plain)
    for (const [key, count] of partition.copies) copies.set(key, (copies.get(key) ?? 0) + count);
  const acknowledged = [
    ...[...fired].map((id) => reportKey('fired', id)),
    ...[...resolved].map((id) => reportKey('resolved', id)),
  ];
  for (const key of acknowledged)
    if (!copies.has(key)) violations.push(`${key} was acknowledged and is in no log`);
  let copyCount = 0;
  for (const [key, count] of copies) {
    const sentCount = attempts.get(key) ?? 0;
    copyCount += count;
    if (count > sentCount)
      violations.push(`${key} was sent ${sentCount} times and is ${count} times in the log`);
  }
  const again = [...attempts.values()].filter((count) => count > 1).length;
  const counts = `${acknowledged.length} reports acknowledged, ${again} sent more than once, ${copyCount} copies in the logs`;
  return verdict('no log has a report more often than it was sent', counts, violations);
}
