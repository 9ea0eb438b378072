/**
 * `POST /api/v2/alerts`, side by side with Debian's Alertmanager under the same client: batches of 50, 10,000 series that are sent
 * again and again, 10 connections; all series are known before the
 * clock starts. Tocsin runs as shipped, with its durable log. Servers take turns; each turn is a fresh process.
 *
 *   node bench/ingest.ts [seconds] [turns]
 */
import autocannon from 'autocannon';
import { startAlertmanager, startTocsin, type RunningServer } from './peers.ts';

const [seconds = '8', turns = '2'] = process.argv.slice(2);
const seriesCount = 10_000;
const batchSize = 50;
const settleMs = 12_000;

const bodies = Array.from({ length: seriesCount / batchSize }, (_, batch) =>
  JSON.stringify(
    Array.from({ length: batchSize }, (_, index) => {
      const series = batch * batchSize + index;
      return {
        labels: {
          alertname: `Rule${series % 50}`,
          cluster: `eu-${series % 4}`,
          instance: `10.0.${series >> 8}.${series & 255}:9100`,
          job: 'node',
          service: `service-${series % 40}`,
          severity: 'warning',
        },
        annotations: {
          summary: `something is wrong with 10.0.${series >> 8}.${series & 255}`,
          description: 'bench',
        },
        startsAt: '2026-08-24T09:13:00.000Z',
        generatorURL: 'http://prometheus.example.net/graph?g0.expr=up',
      };
    }),
  ),
);

interface Measured {
  readonly alertsPerSecond: number;
  readonly p99Ms: number;
  readonly failures: number;
}

async function measure(start: () => Promise<RunningServer>): Promise<Measured> {
  const server = await start();
  try {
    await warmUp(server.url);
    const result = await autocannon({
      url: server.url,
      connections: 10,
      duration: Number(seconds),
      requests: bodies.map((body) => ({
        method: 'POST',
        path: '/api/v2/alerts',
        headers: { 'content-type': 'application/json' },
        body,
      })),
    });
    return {
      alertsPerSecond: Math.round((result['2xx'] * batchSize) / result.duration),
      p99Ms: result.latency.p99,
      failures: result.non2xx + result.errors,
    };
  } finally {
    await server.stop();
  }
}

/** Every series is known before the clock starts, and what its first appearance set off has settled. */
async function warmUp(url: string): Promise<void> {
  for (const body of bodies) {
    const response = await fetch(`${url}/api/v2/alerts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
    if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  }
  await new Promise((resolve) => setTimeout(resolve, settleMs));
}

const ratios: number[] = [];
for (let turn = 0; turn < Number(turns); turn++) {
  const alertmanager = await measure(startAlertmanager);
  const tocsin = await measure(() => startTocsin());
  const ratio = tocsin.alertsPerSecond / alertmanager.alertsPerSecond;
  ratios.push(ratio);
  console.log(
    `alertmanager ${alertmanager.alertsPerSecond.toLocaleString('en')} alerts/s (p99 ${alertmanager.p99Ms} ms, ${alertmanager.failures} failed)   ` +
      `tocsin ${tocsin.alertsPerSecond.toLocaleString('en')} alerts/s (p99 ${tocsin.p99Ms} ms, ${tocsin.failures} failed)   ratio ${ratio.toFixed(2)}`,
  );
}
console.log(
  `ratio, median of ${ratios.length}: ${ratios.toSorted((a, b) => a - b)[ratios.length >> 1]?.toFixed(2)}`,
);
