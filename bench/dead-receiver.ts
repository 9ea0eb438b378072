/**
 * What a webhook that never answers costs: 5,000 series in 1,000 groups fire and resolve in turn, 100,000 reports in all, with a receiver
 * that answers and one that hangs, beside the same with two that answer, and beside Debian's Alertmanager. Shows the process's memory
 * after each tenth of the way, and how long after its report the receiver that answers was told of an alert.
 *
 *   node bench/dead-receiver.ts [rounds]
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { residentBytes, startAlertmanager, startTocsin, type RunningServer } from './peers.ts';

const rounds = Number(process.argv[2] ?? 20);
const seriesCount = 5000;
const groupCount = 1000;
const batchSize = 100;
const intervalMs = 50;

interface Receiver {
  readonly url: string;
  /** When each report was first told. */
  readonly toldMs: Map<string, number>;
  close(): Promise<void>;
}

async function startReceiver(answers: boolean): Promise<Receiver> {
  const toldMs = new Map<string, number>();
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      if (!answers) return;
      const nowMs = performance.now();
      const { alerts } = JSON.parse(Buffer.concat(parts).toString()) as {
        alerts: { annotations: { report: string } }[];
      };
      for (const { annotations } of alerts)
        if (!toldMs.has(annotations.report)) toldMs.set(annotations.report, nowMs);
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    toldMs,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** As an Alertmanager understands it too. */
const configFor = (living: string, other: string): string => `
route:
  receiver: living
  group_by: [group]
  group_wait: 100ms
  group_interval: 1s
  routes: [{ receiver: other, continue: true }, { receiver: living }]
receivers:
  - { name: living, webhook_configs: [{ url: '${living}' }] }
  - { name: other, webhook_configs: [{ url: '${other}' }] }
`;

async function measure(
  name: string,
  otherAnswers: boolean,
  start: (config: string) => Promise<RunningServer>,
): Promise<void> {
  const [living, other] = [await startReceiver(true), await startReceiver(otherAnswers)];
  const server = await start(configFor(living.url, other.url));
  const postedMs = new Map<string, number>();
  const memory: string[] = [];
  const note = (): void => {
    const bytes = residentBytes(server.process.pid ?? 0, (file) => readFileSync(file, 'utf8'));
    memory.push((bytes / 2 ** 20).toFixed(0));
  };
  try {
    note();
    for (let round = 0; round < rounds; round++) {
      for (let first = 0; first < seriesCount; first += batchSize) {
        const now = new Date();
        const atMs = performance.now();
        const alerts = Array.from({ length: batchSize }, (_, index) => {
          const series = first + index;
          const report = `${series}/${round}`;
          postedMs.set(report, atMs);
          return {
            labels: { alertname: 'Load', group: `g${series % groupCount}`, series: `s${series}` },
            annotations: { report },
            ...(round % 2 === 0 ? { startsAt: now } : { endsAt: now }),
          };
        });
        const response = await fetch(`${server.url}/api/v2/alerts`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(alerts),
        });
        await response.arrayBuffer();
        if (!response.ok) throw new Error(`${name} answered ${response.status}`);
        await new Promise((resolve) => setTimeout(resolve, intervalMs));
      }
      if ((round + 1) % (rounds / 10) === 0) note();
    }
    await new Promise((resolve) => setTimeout(resolve, 5000));
    note();
    const waits = Array.from(living.toldMs, ([series, toldMs]) => toldMs - postedMs.get(series)!).toSorted(
      (a, b) => a - b,
    );
    const at = (share: number): string => `${waits[Math.floor(share * (waits.length - 1))]?.toFixed(0)} ms`;
    console.log(`${name}: resident MiB ${memory.join(', ')}`);
    console.log(
      `  the receiver that answers was told of ${living.toldMs.size.toLocaleString('en')} reports, after ${at(0.5)} (half), ${at(0.99)} (99 %)`,
    );
  } finally {
    await server.stop();
    await Promise.all([living.close(), other.close()]);
  }
}

await measure('tocsin, both answer', true, startTocsin);
await measure('tocsin, one hangs', false, startTocsin);
await measure('alertmanager, both answer', true, startAlertmanager);
await measure('alertmanager, one hangs', false, startAlertmanager);
