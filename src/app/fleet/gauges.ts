import type { Partition } from '../partition.ts';
import type { Observed, Telemetry } from '../telemetry.ts';

export interface FleetGauged {
  /** The partitions that this process leads, by number. */
  readonly led: () => ReadonlyMap<number, Partition>;
  readonly partitionCount: number;
  readonly isConnected: () => boolean;
  /** Whether nothing can be appended to the log of the partition from here at the moment. */
  readonly hasLogTrouble: (partition: number) => boolean;
  readonly historyPendingCount: () => number;
}

/** What of a process of a fleet is shown as it stands; of each partition by its number, 0 for one that another process leads. */
export function addFleetGauges(
  telemetry: Telemetry,
  { led, partitionCount, isConnected, hasLogTrouble, historyPendingCount }: FleetGauged,
): void {
  const partitions = Array.from({ length: partitionCount }, (_, partition) => partition);
  const each = (value: (partition: Partition) => number) => (): readonly Observed[] =>
    partitions.map((partition) => {
      const parts = led().get(partition);
      return { value: parts ? value(parts) : 0, attributes: { partition: String(partition) } };
    });
  telemetry.gauge(
    'tocsin_partition_led',
    '1 for each partition that this process leads.',
    each(() => 1),
  );
  telemetry.gauge('tocsin_log_connected', '1 while the NATS servers that hold the logs answer.', () =>
    isConnected() ? 1 : 0,
  );
  telemetry.gauge(
    'tocsin_log_trouble',
    '1 for each partition whose stream does not answer this process, or is not the one that it opened.',
    () =>
      partitions.map((partition) => ({
        value: hasLogTrouble(partition) ? 1 : 0,
        attributes: { partition: String(partition) },
      })),
  );
  telemetry.gauge(
    'tocsin_alerts_active',
    'Alerts that are remembered.',
    each(({ stages }) => stages.intake.size),
  );
  telemetry.gauge(
    'tocsin_log_lag_entries',
    'Log entries that are not folded in yet.',
    each(({ owner }) => owner.lagCount),
  );
  telemetry.gauge(
    'tocsin_log_position',
    'Position of the last entry that was folded in.',
    each(({ fold }) => fold.position),
  );
  telemetry.gauge(
    'tocsin_effects_in_flight',
    'Effects that are being carried out.',
    each(({ runner }) => runner.inFlightCount),
  );
  telemetry.gauge(
    'tocsin_history_rows_pending',
    'Rows that are not in the history yet.',
    historyPendingCount,
  );
  telemetry.gauge('process_resident_memory_bytes', 'Memory of the process, as the system counts it.', () =>
    process.memoryUsage.rss(),
  );
  telemetry.gauge(
    'nodejs_heap_size_used_bytes',
    "Memory that the process's JavaScript objects take.",
    () => process.memoryUsage().heapUsed,
  );
}
