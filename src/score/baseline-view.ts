import type { Baselines, KindState } from './baselines.ts';
import type { ScoreConfig } from './config.ts';
import { scoreMatrix } from './kernel.ts';
import { column, result, sampleScope } from './matrix.ts';
import { RowBatch } from './row-batch.ts';

/** What is known of a kind, for people. Counts are per period of `periodMs`. */
export interface BaselineView {
  readonly kindId: string;
  readonly domain: string;
  readonly kind: string;
  readonly service: string;
  readonly state: 'learning' | 'known';
  readonly firstSeenAtMs: number;
  readonly lastSeenAtMs: number;
  readonly periodMs: number;
  /** Past periods with alerts, and how many are needed to be known. */
  readonly periodsSeen: number;
  readonly periodsNeeded: number;
  /** Alerts in the period that was last open. */
  readonly count: number;
  /** Usual counts of comparable periods (10th percentile, median, 90th); null when there are none yet. */
  readonly usual: UsualCounts | null;
  /** Usual gaps in seconds (10th percentile, median, 90th); null when there are none yet. */
  readonly usualGapSeconds: UsualSeconds | null;
  /** For how many seconds it usually fires (10th percentile, median, 90th); null when it has never ended. */
  readonly usualDurationSeconds: UsualSeconds | null;
  /** Since when what was usual before no longer counts; null while it does. */
  readonly changedAtMs: number | null;
}

export interface UsualSeconds {
  readonly low: number;
  readonly median: number;
  readonly high: number;
}

export interface UsualCounts {
  readonly low: number;
  readonly median: number;
  readonly high: number;
  readonly samples: number;
  /** Which periods are comparable: the same hour of the week (UTC), the same hour of any day, or any. */
  readonly scope: 'hour_of_week' | 'hour_of_day' | 'any';
}

export function describeBaseline(baselines: Baselines, kind: KindState, config: ScoreConfig): BaselineView {
  const batch = new RowBatch(null);
  const row = batch.add();
  baselines.writeRow(row, kind, kind.lastMs);
  const scored = scoreMatrix(batch.matrix, 1);
  return {
    kindId: kind.id,
    domain: kind.domain,
    kind: kind.kind,
    service: kind.service,
    state: kind.seen < config.min_samples ? 'learning' : 'known',
    firstSeenAtMs: kind.firstMs,
    lastSeenAtMs: kind.lastMs,
    periodMs: config.bucket,
    periodsSeen: kind.seen,
    periodsNeeded: config.min_samples,
    count: kind.count,
    usual:
      row[column.sampleCount] === 0
        ? null
        : {
            low: scored[result.usualLow]!,
            median: scored[result.usualMedian]!,
            high: scored[result.usualHigh]!,
            samples: row[column.sampleCount]!,
            scope: nameScope(row[column.scope]!),
          },
    usualGapSeconds:
      row[column.gapCount] === 0
        ? null
        : {
            low: 2 ** scored[result.gapLow]!,
            median: 2 ** scored[result.gapMedian]!,
            high: 2 ** scored[result.gapHigh]!,
          },
    usualDurationSeconds:
      row[column.durationCount] === 0
        ? null
        : {
            low: 2 ** scored[result.durationLow]!,
            median: 2 ** scored[result.durationMedian]!,
            high: 2 ** scored[result.durationHigh]!,
          },
    changedAtMs: baselines.changedAtMs(kind),
  };
}

function nameScope(scope: number): UsualCounts['scope'] {
  if (scope === sampleScope.hourOfWeek) return 'hour_of_week';
  return scope === sampleScope.hourOfDay ? 'hour_of_day' : 'any';
}
