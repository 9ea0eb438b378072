import type { AlertsDraft } from '../../src/app/entry-codec.ts';
import { createRandom } from '../scenarios/random.ts';
import { decodeRequest, type DecodeContext, type Received } from '../../src/source/index.ts';

/** Alerts of one request: as many as Prometheus puts into one by default. */
export const batchSize = 256;

/** Alerts as Prometheus sends them: 6 labels and the domain where there is one, an annotation, about 400 bytes each. */
export function wireAlert(series: number, domain?: string, endsAt = '2036-08-24T09:13:00.000Z'): object {
  return {
    labels: {
      alertname: `Rule${series % 200}`,
      cluster: `eu-${series % 4}`,
      ...(domain === undefined ? {} : { domain }),
      instance: `10.${(series >> 16) & 255}.${(series >> 8) & 255}.${series & 255}:9100`,
      job: 'node',
      service: `service-${series % 400}`,
      severity: 'warning',
    },
    annotations: { summary: `something is wrong with instance ${series}` },
    startsAt: '2026-08-24T09:13:00.000Z',
    endsAt,
    generatorURL: 'http://prometheus.example.net/graph?g0.expr=up',
  };
}

/** Requests that bring the series `from` to `to` once, each of up to `batchSize` alerts. */
export function requestsOf(from: number, to: number, domain = 'default'): Buffer[] {
  return Array.from({ length: Math.ceil((to - from) / batchSize) }, (_, batch) => {
    const start = from + batch * batchSize;
    const length = Math.min(batchSize, to - start);
    return Buffer.from(
      JSON.stringify(Array.from({ length }, (_, index) => wireAlert(start + index, domain))),
    );
  });
}

/**
 * Requests that bring `seriesCount` series once more as Prometheus repeats them: each time with a later end, and in another order.
 * `round` tells one time from the next.
 */
export function repeatedRequests(seriesCount: number, round: number, domain = 'default'): Buffer[] {
  const random = createRandom(round);
  const endsAt = new Date(repeatedMs + round * 30_000).toISOString();
  const alerts = Array.from({ length: seriesCount }, (_, series) => ({
    alert: wireAlert(series, domain, endsAt),
    turn: random(),
  })).toSorted((left, right) => left.turn - right.turn);
  return Array.from({ length: Math.ceil(seriesCount / batchSize) }, (_, batch) =>
    Buffer.from(
      JSON.stringify(alerts.slice(batch * batchSize, (batch + 1) * batchSize).map(({ alert }) => alert)),
    ),
  );
}

const repeatedMs = Date.parse('2036-08-24T09:13:00Z');

/** The entry that a gateway makes of a request. */
export function draftOf(body: Uint8Array, timeMs: number): AlertsDraft {
  const context: DecodeContext = {
    nowMs: timeMs,
    resolveTimeoutMs: 300_000,
    defaultDomain: 'default',
    domainLabel: 'domain',
  };
  const received: Received = { format: 'alertmanager', context, aheadMs: 0, body };
  return { kind: 'alerts', timeMs, payload: decodeRequest(received).alerts, received };
}
