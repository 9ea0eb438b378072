import { createLabels, type Alert } from '../alert/index.ts';
import { timeColumn } from './columns.ts';
import type { HistoryDatabase } from './database.ts';

/** Reports of some time, as far as the history keeps them. */
export interface PastReports {
  /** In the order in which they were received. */
  readonly alerts: readonly Alert[];
  /** Reports that were received; of those that changed nothing only the first and the last of an interval are given. */
  readonly receivedCount: number;
}

interface ReportRow {
  readonly fingerprint: string;
  readonly domain: string;
  readonly reports: number;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
  readonly startsAtMs: number;
  readonly endsAtMs: number;
  readonly endsByTimeout: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly generatorUrl: string;
  readonly source: string;
  readonly isCounted: boolean;
}

/** Rows are asked for by the part of the time that they were written in. */
const windowMs = 3_600_000;

/**
 * Reads the reports that were received from `fromMs` on and before `toMs`, for folding them again. What expired was no report, and is left
 * out. Rejects as `HistoryDatabase.query`.
 */
export async function readPastReports(
  database: HistoryDatabase,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
  onProgress: (atMs: number) => void,
): Promise<PastReports> {
  const alerts: Alert[] = [];
  const known = new Map<string, Alert>();
  let receivedCount = 0;
  for (let startMs = fromMs; startMs < toMs; startMs += windowMs) {
    const endMs = Math.min(startMs + windowMs, toMs);
    const rows = await database.query<ReportRow>(reportsQuery, {
      from: timeColumn(startMs),
      to: timeColumn(endMs),
    });
    for (const row of rows) {
      receivedCount += row.reports;
      const alert = reportOf(row, known.get(row.fingerprint));
      known.set(row.fingerprint, alert);
      alerts.push(alert);
      const { lastAtMs } = row;
      if (row.isCounted && lastAtMs > alert.receivedAtMs) alerts.push({ ...alert, receivedAtMs: lastAtMs });
    }
    onProgress(endMs);
  }
  // Rows of counted reports are written behind others that were received later.
  return { alerts: alerts.toSorted((a, b) => a.receivedAtMs - b.receivedAtMs), receivedCount };
}

const reportsQuery = `SELECT fingerprint, domain, count AS reports,
  toUnixTimestamp64Milli(first_at) AS firstAtMs, toUnixTimestamp64Milli(last_at) AS lastAtMs,
  toUnixTimestamp64Milli(starts_at) AS startsAtMs, toUnixTimestamp64Milli(ends_at) AS endsAtMs,
  ends_by_timeout AS endsByTimeout, labels, annotations, generator_url AS generatorUrl, source,
  change IN ('repeated', 'ignored') AS isCounted
FROM alerts FINAL
WHERE at >= {from:DateTime64(3, 'UTC')} AND at < {to:DateTime64(3, 'UTC')} AND count > 0
ORDER BY first_at, partition, position, row_id`;

/** Rows of counted reports hold what differs from one to the next; the rest is as it was said before. */
function reportOf(row: ReportRow, before: Alert | undefined): Alert {
  const labels = before?.labels ?? createLabels(Object.entries(row.labels));
  const isCounted = row.isCounted && before !== undefined;
  return {
    fingerprint: row.fingerprint,
    domain: row.domain,
    labels,
    annotations: isCounted ? before.annotations : createLabels(Object.entries(row.annotations)),
    startsAtMs: row.startsAtMs,
    endsAtMs: row.endsAtMs,
    endsByTimeout: isCounted ? before.endsByTimeout : row.endsByTimeout,
    receivedAtMs: row.firstAtMs,
    generatorUrl: isCounted ? before.generatorUrl : row.generatorUrl,
    source: row.source,
  };
}
