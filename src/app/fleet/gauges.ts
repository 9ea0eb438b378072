import type { Readiness } from '../../api/index.ts';
import { addCommonGauges, type CommonGauged } from '../common-gauges.ts';
import type { Partition } from '../partition.ts';
import type { Observed, Telemetry } from '../telemetry.ts';

export interface FleetGauged extends CommonGauged {
  /** The partitions that this process leads, by number. */
  readonly led: () => ReadonlyMap<number, Partition>;
  readonly partitionCount: number;
  readonly isConnected: () => boolean;
  /** Whether nothing can be appended to the log of the partition from here at the moment. */
  readonly hasLogTrouble: (partition: number) => boolean;
  readonly readiness: () => Readiness;
}

/** What of a process of a fleet is shown as it stands; of each partition by its number, 0 for one that another process leads. */
export function addFleetGauges(
  telemetry: Telemetry,
  { led, partitionCount, isConnected, hasLogTrouble, readiness, history, integrations }: FleetGauged,
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
    'tocsin_storms_active',
    'Storms that go on.',
    each(({ stages }) => stages.calm.activeCount),
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
  // A series that once was keeps its last value until it gets another.
  const troubled = new Set<string>();
  telemetry.gauge(
    'tocsin_trouble',
    '1 for each code by which /-/ready says what this process lacks, though it may be ready; 0 once that is over.',
    () => {
      const now = new Set(readiness().troubles.map(({ code }) => code));
      for (const code of now) troubled.add(code);
      return [...troubled].map((code) => ({ value: now.has(code) ? 1 : 0, attributes: { code } }));
    },
  );
  addCommonGauges(telemetry, { history, integrations });
}
