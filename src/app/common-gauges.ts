import type { IntegrationState } from '../api/index.ts';
import type { HistoryParts } from './history-parts.ts';
import type { Telemetry } from './telemetry.ts';

export interface CommonGauged {
  /** Null where no history is kept. */
  readonly history: HistoryParts['writer'];
  readonly integrations: () => readonly IntegrationState[];
}

/** What every process shows as it stands, be it alone or one of many. */
export function addCommonGauges(telemetry: Telemetry, { history, integrations }: CommonGauged): void {
  telemetry.gauge(
    'tocsin_history_rows_pending',
    'Rows that are not in the history yet.',
    () => history?.pendingCount ?? 0,
  );
  telemetry.gauge(
    'tocsin_history_rows_spilled',
    'Those of them that wait on the disk, because the ClickHouse server is away.',
    () => history?.spilledCount ?? 0,
  );
  telemetry.gauge(
    'tocsin_history_spill_size_bytes',
    'What they take of the disk.',
    () => history?.spilledBytes ?? 0,
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
      integrations().map(({ receiver, integration, state }) => ({
        value: state === 'open' ? 1 : state === 'half-open' ? 0.5 : 0,
        attributes: { receiver, integration },
      })),
  );
  telemetry.gauge(
    'tocsin_integration_pages_waiting',
    'Pages that wait until an integration takes pages again.',
    () =>
      integrations().map(({ receiver, integration, waitingCount }) => ({
        value: waitingCount,
        attributes: { receiver, integration },
      })),
  );
}
