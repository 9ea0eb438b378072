import type { EffectRunner } from '../engine/index.ts';
import type { Carriers } from './effects.ts';
import type { HistoryParts } from './history-parts.ts';
import type { PipelineStages } from './pipeline.ts';
import { addCommonGauges } from './common-gauges.ts';
import type { SteadyClock } from './steady-clock.ts';
import type { Storage } from './storage.ts';
import type { Telemetry } from './telemetry.ts';

export interface Gauged {
  readonly clock: Pick<SteadyClock, 'aheadMs'>;
  readonly stages: Pick<PipelineStages, 'intake' | 'calm'>;
  readonly owner: { readonly lagCount: number };
  readonly fold: { readonly position: number };
  readonly runner: Pick<EffectRunner, 'inFlightCount'>;
  readonly carriers: Pick<Carriers, 'integrations'>;
  readonly history: Pick<HistoryParts, 'writer'>;
  readonly cluster: Storage['cluster'];
}

/** What of a running process is shown as it stands, and not counted. */
export function addGauges(
  telemetry: Telemetry,
  { clock, stages, owner, fold, runner, carriers, history, cluster }: Gauged,
): void {
  telemetry.gauge(
    'tocsin_clock_ahead_seconds',
    "How far log time is ahead of the machine's clock, which was set back.",
    () => clock.aheadMs / 1000,
  );
  telemetry.gauge('tocsin_alerts_active', 'Alerts that are remembered.', () => stages.intake.size);
  telemetry.gauge('tocsin_storms_active', 'Storms that go on.', () => stages.calm.activeCount);
  telemetry.gauge('tocsin_log_lag_entries', 'Log entries that are not folded in yet.', () => owner.lagCount);
  telemetry.gauge(
    'tocsin_log_position',
    'Position of the last entry that was folded in.',
    () => fold.position,
  );
  telemetry.gauge(
    'tocsin_effects_in_flight',
    'Effects that are being carried out.',
    () => runner.inFlightCount,
  );
  addCommonGauges(telemetry, {
    history: history.writer,
    integrations: () => carriers.integrations(),
  });
  if (!cluster) return;
  telemetry.gauge(
    'tocsin_cluster_members',
    'Members of the cluster that are heard, this one included.',
    () => cluster.members.length,
  );
  telemetry.gauge('tocsin_cluster_leading', '1 while this process leads its cluster.', () =>
    cluster.role === 'leading' ? 1 : 0,
  );
  telemetry.gauge(
    'tocsin_cluster_followers_in_sync',
    'Followers that have everything that was acknowledged; 0 where this process does not lead.',
    () => cluster.inSyncCount,
  );
}
