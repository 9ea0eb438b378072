import type { Attributes } from '@opentelemetry/api';

/** What the process counts about itself. Names follow `tocsin_<noun>_<unit>_total`; label values come from closed sets. */
export interface Telemetry {
  count(name: CounterName, value: number, attributes?: Attributes): void;
  /** Reads `observe` whenever metrics are asked for. */
  gauge(name: string, description: string, observe: () => number | readonly Observed[]): void;
  /** As `gauge`, for what only rises. */
  counter(name: string, description: string, observe: () => readonly Observed[]): void;
  /** All metrics in Prometheus text format. */
  text(): Promise<string>;
  stop(): Promise<void>;
}

const counters = {
  tocsin_alerts_received_total: 'Reports that were accepted, by source format.',
  alertmanager_alerts_received_total: 'As in Alertmanager: the number of received alerts, by status.',
  alertmanager_alerts_invalid_total: 'As in Alertmanager: the number of received alerts that were invalid.',
  tocsin_alerts_invalid_total: 'Reports that were refused, by source format.',
  tocsin_requests_unavailable_total: 'Requests that were answered with 503 because nothing could be kept.',
  tocsin_log_entries_applied_total: 'Log entries that were folded in, by kind.',
  tocsin_alert_changes_total: 'What reports did to the alerts of their fingerprints, by change.',
  tocsin_sightings_total:
    'Reports that were counted into signals, by how: as the same alert, by their key, as similar, as something new; or ignored.',
  tocsin_keys_missing_total:
    'Signals that opened without a key because their alert lacked labels of a key rule.',
  tocsin_signals_total: 'Changes of signals, by change.',
  tocsin_incident_revisions_total: 'Revisions of incidents, by priority.',
  tocsin_storms_total: 'Storms that began and that ended, by change.',
  tocsin_covers_total:
    'Incidents for which another one stands in a storm (covered), or none any more (released).',
  tocsin_holds_total:
    'Incidents whose first page was given time because they are usually over soon (held), or has none any more (released).',
  tocsin_pages_total: 'Pages that were emitted, by status.',
  tocsin_effects_total: 'Effects that ended, by kind and status.',
  tocsin_history_rows_dropped_total: 'Rows that the history could not take in time.',
  tocsin_commands_total: 'Commands that were applied, by kind and status.',
} as const;

/** One of the values that a gauge has at a time. */
export interface Observed {
  readonly value: number;
  readonly attributes: Attributes;
}

export type CounterName = keyof typeof counters;

/** One counter under one set of attributes. */
interface Sum {
  value: number;
  readonly attributes: Attributes;
}

interface Gauge {
  readonly kind: 'gauge' | 'counter';
  readonly name: string;
  readonly description: string;
  readonly observe: () => number | readonly Observed[];
}

/**
 * Counts in plain sums, which OpenTelemetry reads when somebody asks: its modules are loaded at the first request for metrics, because
 * they make up a sixth of what a process loads to start.
 */
export function createTelemetry(): Telemetry {
  const sums = new Map<string, Map<string, Sum>>(
    Object.keys(counters).map((name) => [name, new Map([['{}', { value: 0, attributes: {} }]])]),
  );
  const gauges: Gauge[] = [];
  let exporter: Promise<MetricsExporter> | null = null;
  return {
    count(name, value, attributes = {}) {
      const byAttributes = sums.get(name)!;
      const key = JSON.stringify(attributes);
      const sum = byAttributes.get(key);
      if (sum) sum.value += value;
      else byAttributes.set(key, { value, attributes });
    },
    gauge(name, description, observe) {
      gauges.push({ kind: 'gauge', name, description, observe });
    },
    counter(name, description, observe) {
      gauges.push({ kind: 'counter', name, description, observe });
    },
    async text() {
      exporter ??= createExporter(sums, gauges);
      return (await exporter).text();
    },
    stop: async () => (await exporter)?.stop(),
  };
}

interface MetricsExporter {
  text(): Promise<string>;
  stop(): Promise<void>;
}

async function createExporter(
  sums: ReadonlyMap<string, ReadonlyMap<string, Sum>>,
  gauges: readonly Gauge[],
): Promise<MetricsExporter> {
  const [{ metrics }, { PrometheusExporter, PrometheusSerializer }, { MeterProvider }] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/exporter-prometheus'),
    import('@opentelemetry/sdk-metrics'),
  ]);
  // The exporter's own HTTP server stays off: the API serves the text.
  const exporter = new PrometheusExporter({ preventServerStart: true });
  const provider = new MeterProvider({ readers: [exporter] });
  const meter = provider.getMeter('tocsin');
  const serializer = new PrometheusSerializer('', false, undefined, true, true);
  for (const [name, description] of Object.entries(counters)) {
    meter.createObservableCounter(name, { description }).addCallback((result) => {
      for (const { value, attributes } of sums.get(name)!.values()) result.observe(value, attributes);
    });
  }
  for (const { kind, name, description, observe } of gauges) {
    const instrument =
      kind === 'gauge'
        ? meter.createObservableGauge(name, { description })
        : meter.createObservableCounter(name, { description });
    instrument.addCallback((result) => {
      const observed = observe();
      const all = typeof observed === 'number' ? [{ value: observed, attributes: {} }] : observed;
      for (const { value, attributes } of all) result.observe(value, attributes);
    });
  }
  metrics.setGlobalMeterProvider(provider);
  return {
    async text() {
      const { resourceMetrics } = await exporter.collect();
      return serializer.serialize(resourceMetrics);
    },
    stop: () => provider.shutdown(),
  };
}
