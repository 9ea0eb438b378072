import { createHash } from 'node:crypto';
import { isResolvedAt } from '../../alert/index.ts';
import type { IntegrationState } from '../../api/index.ts';
import type { PipelineStages } from '../pipeline.ts';
import type { Observed, Telemetry } from '../telemetry.ts';

export interface WatchedPartition {
  readonly stages: Pick<PipelineStages, 'intake' | 'mute' | 'dispatch'>;
  readonly carriers: { readonly integrations: () => readonly IntegrationState[] };
}

export interface Watched {
  /** Those that this process leads. */
  readonly partitions: () => Iterable<WatchedPartition>;
  readonly reloads: () => { readonly isSuccessful: boolean; readonly succeededMs: number };
  readonly configText: () => string;
  /** 1 where this process is alone. */
  readonly memberCount: () => number;
  readonly startedAtMs: number;
  readonly version: string;
  readonly nowMs: () => number;
}

/**
 * Metrics under Alertmanager's names, so that dashboards and rules that watch one go on (cmd/alertmanager/main.go, dispatch/dispatch.go,
 * notify/notify.go, silence/silence.go, and the rules of its mixin).
 */
export function addAlertmanagerMetrics(telemetry: Telemetry, watched: Watched): void {
  const { partitions, reloads, configText, memberCount, startedAtMs, version, nowMs } = watched;
  telemetry.gauge('alertmanager_alerts', 'How many alerts by state.', () => {
    const counts = { active: 0, suppressed: 0, unprocessed: 0 };
    const now = nowMs();
    for (const { stages } of partitions()) {
      for (const alert of stages.intake.alerts()) {
        if (isResolvedAt(alert, now)) continue;
        counts[stages.mute.verdict(alert.fingerprint).muted ? 'suppressed' : 'active']++;
      }
    }
    return byLabel('state', counts);
  });
  telemetry.gauge('alertmanager_silences', 'How many silences by state.', () => {
    const counts = { active: 0, expired: 0, pending: 0 };
    // Each partition has its copy of every silence.
    const [any] = partitions();
    for (const { state } of any?.stages.mute.silences() ?? []) counts[state]++;
    return byLabel('state', counts);
  });
  telemetry.gauge('alertmanager_dispatcher_aggregation_groups', 'Number of active aggregation groups', () =>
    [...partitions()].reduce((sum, { stages }) => sum + [...stages.dispatch.groups()].length, 0),
  );
  const kinds = new Set<string>();
  const byKind = (count: (state: IntegrationState) => number) => (): readonly Observed[] => {
    // Those of a partition that was given up are 0: what is not said would be shown as it was.
    const counts: Record<string, number> = Object.fromEntries([...kinds].map((kind) => [kind, 0]));
    for (const state of [...partitions()].flatMap(({ carriers }) => carriers.integrations())) {
      const kind = state.integration.replace(/\[\d+\]$/, '');
      kinds.add(kind);
      counts[kind] = (counts[kind] ?? 0) + count(state);
    }
    return byLabel('integration', counts);
  };
  telemetry.counter(
    'alertmanager_notifications_total',
    'The total number of attempted notifications.',
    byKind(({ deliveredCount, failedCount }) => deliveredCount + failedCount),
  );
  telemetry.counter(
    'alertmanager_notifications_failed_total',
    'The total number of failed notifications.',
    byKind(({ failedCount }) => failedCount),
  );
  telemetry.gauge(
    'alertmanager_config_last_reload_successful',
    'Whether the last configuration reload attempt was successful.',
    () => (reloads().isSuccessful ? 1 : 0),
  );
  telemetry.gauge(
    'alertmanager_config_last_reload_success_timestamp_seconds',
    'Timestamp of the last successful configuration reload.',
    () => reloads().succeededMs / 1000,
  );
  telemetry.gauge(
    'alertmanager_config_hash',
    'Hash of the currently loaded alertmanager configuration.',
    () => createHash('sha256').update(configText()).digest().readUIntBE(0, 6),
  );
  telemetry.gauge(
    'alertmanager_cluster_members',
    'Number indicating current number of members in cluster.',
    memberCount,
  );
  telemetry.gauge('alertmanager_build_info', 'What runs: the version is that of Tocsin.', () => [
    { value: 1, attributes: { version } },
  ]);
  telemetry.gauge(
    'process_start_time_seconds',
    'Start time of the process since unix epoch in seconds.',
    () => startedAtMs / 1000,
  );
}

function byLabel(label: string, counts: Readonly<Record<string, number>>): readonly Observed[] {
  return Object.entries(counts).map(([name, value]) => ({ value, attributes: { [label]: name } }));
}
