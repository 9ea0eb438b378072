import {
  createSeriesBank,
  explainPoint,
  judgements,
  scorePoint,
  seriesResult,
  seriesResultWidth,
} from '../../score/index.ts';
import type { SeriesRow } from './read-series.ts';

/** A row with its score. */
export interface ScoredRow extends SeriesRow {
  /** 0..1; 0 while the series is still learned, as `reason` then says. */
  readonly surprise: number;
  readonly reason: string;
  /** Where values lay of late: their 5th and 95th percentile before this one. */
  readonly low: number;
  readonly high: number;
}

const value = judgements.findIndex(({ feature }) => feature === 'value');
/** Finer differences between surprises are lost in a number between 0 and 1. */
const digits = 1e15;

/** Scores the rows of one series in their order: each by those before it only. */
export function scoreSeries(rows: readonly SeriesRow[]): ScoredRow[] {
  const bank = createSeriesBank(1);
  const result = new Float64Array(seriesResultWidth);
  return rows.map((row) => {
    scorePoint(bank, 0, row.timeMs, row.number, result);
    const surprise = result[seriesResult.surprise]!;
    return {
      ...row,
      surprise: Number.isNaN(surprise) ? 0 : Math.round(surprise * digits) / digits,
      reason: explainPoint(result)
        .map(({ text }) => text)
        .join('; '),
      low: result[seriesResult.low + value]!,
      high: result[seriesResult.high + value]!,
    };
  });
}
