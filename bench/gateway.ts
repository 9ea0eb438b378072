/**
 * Alerts a second that one gateway of a fleet takes over HTTP into JetStream, each acknowledged once it is on the server's disk: requests of 1 and
 * of 256 alerts, 5,000 series, 16 connections. Nobody folds them meanwhile.
 *
 *   node bench/gateway.ts [seconds]
 */
import autocannon from 'autocannon';
import { FleetScene } from '../test/support/fleet.ts';
import { requestsOf, wireAlert } from './fleet/load.ts';

const seconds = Number(process.argv[2] ?? 8);
const connections = 16;
const seriesCount = 5_000;

const scene = await FleetScene.open({ partitions: 1 });
const { url } = await scene.start('gateway');
const single = Array.from({ length: seriesCount }, (_, series) => [wireAlert(series, 'default')]);
for (const [size, bodies] of [
  [1, single.map((alerts) => Buffer.from(JSON.stringify(alerts)))],
  [256, requestsOf(0, seriesCount - (seriesCount % 256))],
] as const) {
  const result = await autocannon({
    url,
    connections,
    duration: seconds,
    requests: bodies.map((body) => ({
      method: 'POST',
      path: '/api/v2/alerts',
      headers: { 'content-type': 'application/json' },
      body,
    })),
  });
  const rate = Math.round((result['2xx'] * size) / result.duration);
  console.log(
    `requests of ${size}: ${rate.toLocaleString('en')} alerts/s, p50 ${result.latency.p50} ms, p99 ${result.latency.p99} ms, ${result.non2xx + result.errors} failed`,
  );
}
await scene.close();
