import type { EffectRunner } from '../engine/index.ts';
import type { Carriers } from './effects.ts';
import type { HistoryParts } from './history-parts.ts';
import type { PipelineStages } from './pipeline.ts';
import type { SteadyClock } from './steady-clock.ts';
import type { Storage } from './storage.ts';
import type { Telemetry } from './telemetry.ts';

export interface Gauged {
  readonly clock: Pick<SteadyClock, 'aheadMs'>;
  readonly stages: Pick<PipelineStages, 'intake'>;
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
  telemetry.gauge(
    'tocsin_history_rows_pending',
    'Rows that are not in the history yet.',
    () => history.writer?.pendingCount ?? 0,
  );
  telemetry.gauge(
    'tocsin_history_rows_spilled',
    'Those of them that wait on the disk, because the ClickHouse server is away.',
    () => history.writer?.spilledCount ?? 0,
  );
  telemetry.gauge(
    'tocsin_history_spill_size_bytes',
    'What they take of the disk.',
    () => history.writer?.spilledBytes ?? 0,
  );
  telemetry.gauge('process_resident_memory_bytes', 'Memory of the process, as the system counts it.', () =>
    process.memoryUsage.rss(),
  );
  telemetry.gauge(
    'nodejs_heap_size_used_bytes',
    "Memory that the process's JavaScript objects take.",
    () => process.memoryUsage().heapUsed,
  );
  telemetry.gauge(
    'tocsin_integration_circuit_open',
    '1 while an integration does not take pages and is spared, 0.5 while it is tried again.',
    () =>
      carriers.integrations().map(({ receiver, integration, state }) => ({
        value: state === 'open' ? 1 : state === 'half-open' ? 0.5 : 0,
        attributes: { receiver, integration },
      })),
  );
  telemetry.gauge(
    'tocsin_integration_pages_waiting',
    'Pages that wait until an integration takes pages again.',
    () =>
      carriers.integrations().map(({ receiver, integration, waitingCount }) => ({
        value: waitingCount,
        attributes: { receiver, integration },
      })),
  );
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
