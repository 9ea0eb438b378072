import type { StageContext, Table } from '../engine/index.ts';
import {
  readServiceGraph,
  type Priority,
  type ServiceGraph,
  type TocsinFrame,
  type TocsinStage,
} from '../incident/index.ts';
import { AlertProjection, type CountedReports } from './alert-projection.ts';
import { AuditProjection, type ChainHead } from './audit-projection.ts';
import { historyConfig, type HistoryConfig } from './config.ts';
import { IncidentProjection, type RememberedCandidate } from './incident-projection.ts';
import { PageProjection, type RememberedPage } from './page-projection.ts';
import { RowEmitter, type RowCounter } from './row-emitter.ts';
import { SignalProjection, type RememberedSignal } from './signal-projection.ts';
import { projectStorms } from './storm-projection.ts';

/**
 * The last stage: turns what all others said about each frame into rows for the history. It changes no decision, so
 * the fold without it decides the same. Cost of a repeated report: one look-up and one addition.
 */
export function createHistoryStage(context: StageContext): TocsinStage {
  let settings = readSettings(null);
  const services = (): ServiceGraph => settings.services;
  const rows = new RowEmitter(context.table<RowCounter>('counter'));
  const alerts = new AlertProjection({
    counted: context.table<CountedReports>('counted'),
    timers: context.timers,
    rows,
    services,
    intervalMs: () => settings.repeatIntervalMs,
  });
  const signals = new SignalProjection({
    signals: context.table<RememberedSignal>('signals'),
    rows,
    services,
  });
  const incidents = new IncidentProjection({
    candidates: context.table<RememberedCandidate>('candidates'),
    signals,
    rows,
    recallableFrom: () => settings.recallableFrom,
  });
  const muted = context.table<true>('muted');
  const pages = new PageProjection({ sent: context.table<RememberedPage>('sent'), rows });
  const audit = new AuditProjection({ heads: context.table<ChainHead>('heads'), rows });

  return {
    name: 'history',
    restore(config) {
      settings = readSettings(config?.kind === 'config' ? config.payload : null);
      alerts.restore();
      incidents.restore();
    },
    onFrame(frame) {
      const { entry, flow } = frame;
      rows.begin(frame);
      if (entry?.kind === 'config') settings = readSettings(entry.payload);
      if (flow.alertChanges.length > 0) alerts.onFrame(frame);
      if (flow.verdictChanges.length > 0) pushVerdicts(frame, rows, muted);
      if (flow.signalChanges.length > 0 || flow.scores.length > 0) signals.onFrame(frame);
      if (flow.candidateChanges.length > 0 || flow.incidents.length > 0 || flow.signalChanges.length > 0) {
        incidents.onFrame(frame);
      }
      if (flow.stormChanges.length > 0 || flow.covers.length > 0) projectStorms(frame, rows);
      pages.onFrame(frame);
      audit.onFrame(frame);
    },
    onTimer(key, frame) {
      rows.begin(frame);
      alerts.onTimer(key);
    },
  };
}

interface Settings {
  readonly services: ServiceGraph;
  readonly repeatIntervalMs: number;
  /** Triage asks for incidents like this one from this priority on (`triage.similar_incidents_from`). */
  readonly recallableFrom: Priority;
}

function readSettings(config: Readonly<Record<string, unknown>> | null): Settings {
  const history = (config?.['history'] as HistoryConfig | undefined) ?? historyConfig.parse({});
  const triage = config?.['triage'] as { readonly similar_incidents_from?: Priority } | undefined;
  return {
    services: readServiceGraph(config),
    repeatIntervalMs: history.repeat_interval,
    recallableFrom: triage?.similar_incidents_from ?? 'P3',
  };
}

/** Writes who is muted and who is no longer. An alert that never was has no row: most have none. */
function pushVerdicts({ flow }: TocsinFrame, rows: RowEmitter, muted: Table<true>): void {
  for (const { fingerprint, verdict } of flow.verdictChanges) {
    if (!verdict.muted && !muted.delete(fingerprint)) continue;
    if (verdict.muted) muted.set(fingerprint, true);
    rows.push('verdicts', {
      fingerprint,
      is_muted: verdict.muted,
      silenced_by: verdict.muted ? verdict.silencedBy : [],
      inhibited_by: verdict.muted ? verdict.inhibitedBy : [],
    });
  }
}
