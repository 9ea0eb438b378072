import type { Reason } from '../incident/index.ts';
import { column, result, rowState, sampleScope } from './matrix.ts';

const days = ['Mondays', 'Tuesdays', 'Wednesdays', 'Thursdays', 'Fridays', 'Saturdays', 'Sundays'] as const;
const reasonLimit = 3;
/** What happens more often than this is no reason; see `explainScore`. */
const oddTail = 0.25;

export interface ReasonOptions {
  readonly bucketMs: number;
  readonly minSamples: number;
}

/**
 * Why a row got its score, strongest first, three at most: the components with a tail probability below 0.25, or the
 * strongest one when none is. A kind that is still learned says so, with what is known of it. `weight` is the
 * component's own surprise, 0..1.
 */
export function explainScore(row: Float64Array, scored: Float64Array, options: ReasonOptions): Reason[] {
  if (row[column.state] === rowState.learning) return [explainLearning(row, options)];
  const judged = [
    { tail: scored[result.rateTail]!, code: 'rate', text: describeRate },
    { tail: scored[result.intervalTail]!, code: 'interval', text: describeInterval },
    { tail: scored[result.durationTail]!, code: 'duration', text: describeDuration },
    { tail: scored[result.noveltyTail]!, code: 'novelty', text: describeNovelty },
    { tail: scored[result.behaviourTail]!, code: 'behaviour', text: describeBehaviour },
  ]
    .filter(({ tail }) => !Number.isNaN(tail))
    .sort((a, b) => a.tail - b.tail);
  const odd = judged.filter(({ tail }) => tail < oddTail);
  return (odd.length > 0 ? odd : judged.slice(0, 1)).slice(0, reasonLimit).map(({ tail, code, text }) => ({
    stage: 'score',
    code,
    text: text(row, scored, options),
    weight: roundTo(1 - tail, 4),
  }));
}

function explainLearning(row: Float64Array, { bucketMs, minSamples }: ReasonOptions): Reason {
  const seen = row[column.seen]!;
  const known =
    seen === 0
      ? `first seen in ${formatDays(row[column.domainDays]!)}`
      : `seen in ${seen} of the ${minSamples} ${formatPeriod(bucketMs)} periods needed` +
        (row[column.gap]! >= 0 ? `, last ${formatLogSeconds(row[column.gap]!)} before` : '');
  return { stage: 'score', code: 'learning', text: `still learning: ${known}` };
}

function describeRate(row: Float64Array, scored: Float64Array, { bucketMs }: ReasonOptions): string {
  const usual = formatRange(formatCount(scored[result.usualLow]!), formatCount(scored[result.usualHigh]!));
  return `${row[column.count]} in ${formatPeriod(bucketMs)} where ${usual} is usual${describeScope(row)}`;
}

function describeScope(row: Float64Array): string {
  const hour = row[column.hourOfWeek]!;
  const clock = `${String(hour % 24).padStart(2, '0')}:00 UTC`;
  if (row[column.scope] === sampleScope.hourOfWeek) return ` on ${days[Math.floor(hour / 24)]} at ${clock}`;
  return row[column.scope] === sampleScope.hourOfDay ? ` at ${clock}` : '';
}

function describeInterval(row: Float64Array, scored: Float64Array): string {
  const gap = row[column.gap]!;
  const usual = formatRange(
    formatLogSeconds(scored[result.gapLow]!),
    formatLogSeconds(scored[result.gapHigh]!),
  );
  return gap > scored[result.gapMedian]!
    ? `not seen for ${formatLogSeconds(gap)} where ${usual} is usual`
    : `again after ${formatLogSeconds(gap)} where ${usual} is usual`;
}

function describeDuration(row: Float64Array, scored: Float64Array): string {
  const [low, high] = [scored[result.durationLow]!, scored[result.durationHigh]!];
  const usual = formatRange(formatLogSeconds(low), formatLogSeconds(high));
  return `firing for ${formatLogSeconds(row[column.age]!)} where ${usual} is usual`;
}

function describeNovelty(row: Float64Array): string {
  const span = formatDays(row[column.domainDays]!);
  if (row[column.state] === rowState.fresh) return `first seen in ${span}`;
  return `seen ${row[column.seen]} times before in ${span}, rarer than ${formatPercent(1 - row[column.novelty]!)} of what comes`;
}

function describeBehaviour(_row: Float64Array, scored: Float64Array): string {
  return (
    `pattern ${roundTo(scored[result.distance]!, 1)} from the nearest usual one (cluster ${scored[result.cluster]}), ` +
    `closer in ${formatPercent(1 - scored[result.behaviourTail]!)} of what is usual here and in training`
  );
}

function formatRange(low: string, high: string): string {
  return low === high ? low : `${low} to ${high}`;
}

function formatCount(count: number): string {
  return String(Math.round(count));
}

function formatPercent(share: number): string {
  const percent = 100 * share;
  return `${percent > 99 ? Math.floor(percent * 100) / 100 : Math.round(percent)} %`;
}

function formatPeriod(bucketMs: number): string {
  return `${bucketMs / 60_000} min`;
}

function formatLogSeconds(log2Seconds: number): string {
  const seconds = 2 ** log2Seconds;
  if (seconds < 99.5) return `${Math.round(seconds)} s`;
  if (seconds < 99.5 * 60) return `${Math.round(seconds / 60)} min`;
  if (seconds < 47.5 * 3600) return `${Math.round(seconds / 3600)} h`;
  return formatDays(seconds / 86_400);
}

function formatDays(span: number): string {
  if (span < 2) return `${Math.max(1, Math.floor(span * 24))} h`;
  return `${Math.floor(span)} days`;
}

function roundTo(value: number, digits: number): number {
  return Math.round(value * 10 ** digits) / 10 ** digits;
}
