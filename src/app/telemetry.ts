import { metrics, type Attributes, type Meter } from '@opentelemetry/api';
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';

/** What the process counts about itself. Names follow `tocsin_<noun>_<unit>_total`; label values come from closed sets. */
export interface Telemetry {
  count(name: CounterName, value: number, attributes?: Attributes): void;
  /** Reads `observe` whenever metrics are asked for. */
  gauge(name: string, description: string, observe: () => number): void;
  /** All metrics in Prometheus text format. */
  text(): Promise<string>;
  stop(): Promise<void>;
}

const counters = {
  tocsin_alerts_received_total: 'Reports that were accepted, by source format.',
  tocsin_alerts_invalid_total: 'Reports that were refused, by source format.',
  tocsin_requests_unavailable_total: 'Requests that were answered with 503 because nothing could be kept.',
  tocsin_log_entries_applied_total: 'Log entries that were folded in, by kind.',
  tocsin_alert_changes_total: 'What reports did to the alerts of their fingerprints, by change.',
  tocsin_signals_total: 'Changes of signals, by change.',
  tocsin_incident_revisions_total: 'Revisions of incidents, by priority.',
  tocsin_pages_total: 'Pages that were emitted, by status.',
  tocsin_effects_total: 'Effects that ended, by kind and status.',
  tocsin_history_rows_dropped_total: 'Rows that the history could not take in time.',
  tocsin_commands_total: 'Commands that were applied, by kind and status.',
} as const;

export type CounterName = keyof typeof counters;

export function createTelemetry(): Telemetry {
  // The exporter's own HTTP server stays off: the API serves the text.
  const exporter = new PrometheusExporter({ preventServerStart: true });
  const provider = new MeterProvider({ readers: [exporter] });
  const meter: Meter = provider.getMeter('tocsin');
  const serializer = new PrometheusSerializer('', false, undefined, true, true);
  const instruments = new Map(
    Object.entries(counters).map(([name, description]) => {
      const counter = meter.createCounter(name, { description });
      counter.add(0);
      return [name, counter] as const;
    }),
  );
  metrics.setGlobalMeterProvider(provider);
  return {
    count: (name, value, attributes) => instruments.get(name)?.add(value, attributes),
    gauge(name, description, observe) {
      meter.createObservableGauge(name, { description }).addCallback((result) => result.observe(observe()));
    },
    async text() {
      const { resourceMetrics } = await exporter.collect();
      return serializer.serialize(resourceMetrics);
    },
    stop: () => provider.shutdown(),
  };
}
