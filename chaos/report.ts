import type { Check } from './check.ts';
import { median } from './check-processes.ts';
import type { Fault } from './faults.ts';
import type { Watch } from './watch.ts';

const shownViolations = 20;
const width = 58;

/** The counts of all checks, and what they found wrong. */
export function tableOf(checks: readonly Check[]): string {
  return checks
    .flatMap(({ title, counts, violations }) => [
      `${title}: ${violations.length === 0 ? 'ok' : `${violations.length} VIOLATIONS`}`,
      ...counts.map(([what, count]) => `  ${what.padEnd(width)}${count}`),
      ...violations.slice(0, shownViolations).map((violation) => `  ! ${violation}`),
      ...(violations.length > shownViolations ? [`  ! and ${violations.length - shownViolations} more`] : []),
    ])
    .join('\n');
}

/** Which faults struck whom, and how long partitions were without a leader. */
export function faultsText(faults: readonly Fault[], watch: Watch): string {
  const kinds = Map.groupBy(faults, ({ kind, target }) => `${kind} of ${target}`);
  const { failoversMs } = watch;
  const failovers =
    failoversMs.length === 0
      ? 'none'
      : `median ${median(failoversMs) / 1000} s, at most ${Math.max(...failoversMs) / 1000} s (${failoversMs.length} partitions)`;
  return [
    `faults: ${faults.length}`,
    ...[...kinds]
      .toSorted(([a], [b]) => a.localeCompare(b))
      .map(([what, of]) => `  ${what.padEnd(width)}${of.length}`),
    `from an owner's kill until its partition was led again: ${failovers}`,
  ].join('\n');
}
