import type { StormChange, TocsinFrame } from '../incident/index.ts';
import { nullableTimeColumn, reasonsColumn, timeColumn } from './columns.ts';
import type { RowEmitter } from './row-emitter.ts';

/**
 * Rows of tables `storms` (one when a storm begins, and one when it is over, which is its report) and `covers` (one when another incident
 * begins to stand for an incident, or none does any more).
 */
export function projectStorms({ flow }: TocsinFrame, rows: RowEmitter): void {
  for (const change of flow.stormChanges) if (change.change !== 'went_on') pushStorm(change, rows);
  for (const { incidentId, stormId, rootId, reason } of flow.covers) {
    rows.push('covers', {
      storm_id: stormId,
      incident_id: incidentId,
      root_id: rootId ?? '',
      reasons: reasonsColumn([reason]),
    });
  }
}

function pushStorm({ change, storm }: StormChange, rows: RowEmitter): void {
  rows.push('storms', {
    domain: storm.domain,
    storm_id: storm.id,
    change,
    started_at: timeColumn(storm.startedAtMs),
    ended_at: nullableTimeColumn(storm.endedAtMs),
    window_ms: storm.windowMs,
    peak_count: storm.peakCount,
    usual_mean: storm.usual?.mean ?? null,
    usual_variance: storm.usual?.variance ?? null,
    signal_count: storm.signalCount,
    incident_count: storm.incidentCount,
    covered_count: storm.coveredCount,
    families: storm.families.map((family) => ({
      kind: family.kind,
      root_id: family.rootId ?? '',
      severity: family.severity,
      signal_count: family.signalCount,
      service_count: family.serviceCount,
      services: family.services,
      text: family.representative.text,
    })),
    other_count: storm.otherCount,
    reasons: reasonsColumn(storm.reasons),
  });
}
