/**
 * How fast reports are decoded and taken in: `node bench/decode.ts`. Alerts per second, best of the rounds, of
 * `POST /api/v2/alerts` bodies (50 alerts of 8 labels and 2 annotations, 10,000 series) through the decoder, of the same
 * alerts repeated through the intake stage, and of the same alerts as NDJSON read from a file.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Fold } from '../src/engine/index.ts';
import { createFlow, type Flow, type LogEntry } from '../src/incident/index.ts';
import { createIntakeStage, decoders, readAlertLines, type DecodeContext } from '../src/source/index.ts';

const seriesCount = 10_000;
const batchAlertCount = 50;
const roundCount = 15;
const startMs = Date.parse('2026-08-24T09:00:00Z');

const context: DecodeContext = {
  nowMs: startMs,
  resolveTimeoutMs: 300_000,
  defaultDomain: 'default',
  domainLabel: 'domain',
};

const batches: object[][] = [];
for (let series = 0; series < seriesCount; series += batchAlertCount) {
  batches.push(Array.from({ length: batchAlertCount }, (_, i) => wireAlert(series + i)));
}
const bodies = batches.map((batch) => Buffer.from(JSON.stringify(batch)));
const folder = await mkdtemp(join(tmpdir(), 'tocsin-bench-'));
const file = join(folder, 'alerts.ndjson');
await writeFile(
  file,
  `${batches.flatMap((batch) => batch.map((alert) => JSON.stringify(alert))).join('\n')}\n`,
);

const payloads = bodies.map((body) => decoders.alertmanager(body, context).alerts);
const fold = new Fold<LogEntry, Flow>({ stages: [['source', createIntakeStage]], createFlow });
let timeMs = startMs;

await measure('decode POST /api/v2/alerts', () => {
  for (const body of bodies) decoders.alertmanager(body, context);
});
await measure('intake of repeats', async () => {
  timeMs += 15_000;
  await fold.apply({
    firstPosition: fold.position + 1,
    entries: payloads.map((payload) => ({ kind: 'alerts', timeMs, payload })),
  });
});
await measure('read NDJSON', async () => {
  for await (const { errors } of readAlertLines(file, context))
    if (errors.length > 0) throw new Error('bad line');
});
await rm(folder, { recursive: true });

async function measure(name: string, round: () => void | Promise<void>): Promise<void> {
  let bestMs = Infinity;
  for (let i = 0; i < roundCount; i++) {
    const startedMs = performance.now();
    await round();
    bestMs = Math.min(bestMs, performance.now() - startedMs);
  }
  const perSecond = Math.round(seriesCount / (bestMs / 1000));
  const eachUs = ((bestMs * 1000) / seriesCount).toFixed(2);
  console.log(
    `${name.padEnd(28)} ${perSecond.toLocaleString('en').padStart(10)} alerts/s  ${eachUs} us each`,
  );
}

function wireAlert(series: number): object {
  return {
    labels: {
      alertname: `DiskWillFill${series % 40}`,
      cluster: 'eu-west-1',
      instance: `10.0.${series >> 8}.${series & 255}:9100`,
      job: 'node',
      namespace: `team-${series % 25}`,
      pod: `web-${series}-7f9c`,
      service: `service-${series % 40}`,
      severity: series % 10 === 0 ? 'critical' : 'warning',
    },
    annotations: {
      description: `The disk of instance ${series} will be full within four hours.`,
      summary: `Disk of service-${series % 40} fills`,
    },
    startsAt: '2026-08-24T08:58:12.345Z',
    endsAt: '2026-08-24T19:04:12.345Z',
    generatorURL: 'http://prometheus.example.org/graph?g0.expr=node_filesystem_free&g0.tab=1',
  };
}
