/**
 * Alerts per second of `tocsin replay`: on a generated stream of heartbeats (10,000 series, sent again and again), and on each file
 * that is named.
 *
 *   node bench/replay.ts [alerts.ndjson ...]
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const seriesCount = 10_000;
const rounds = 40;
const tocsin = new URL('../bin/tocsin.js', import.meta.url).pathname;

interface Summary {
  readonly alerts: number;
  readonly signals: number;
  readonly incidents: number;
  readonly pages: number;
  readonly seconds: number;
  readonly alertsPerSecond: number;
}

function replay(file: string): Summary {
  const { stdout, stderr, status } = spawnSync(process.execPath, [tocsin, 'replay', file, '--json'], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Summary;
}

function heartbeats(file: string): void {
  const lines: string[] = [];
  for (let round = 0; round < rounds; round++) {
    const at = new Date(Date.UTC(2026, 0, 5) + round * 15_000).toISOString();
    for (let series = 0; series < seriesCount; series++) {
      lines.push(
        JSON.stringify({
          labels: {
            alertname: 'Watchdog',
            severity: 'none',
            service: `service-${series % 400}`,
            instance: `10.0.${series >> 8}.${series & 255}:9100`,
          },
          annotations: { summary: 'alerting works' },
          startsAt: '2026-01-05T00:00:00.000Z',
          receivedAt: at,
        }),
      );
    }
  }
  writeFileSync(file, lines.join('\n'));
}

const folder = mkdtempSync(join(tmpdir(), 'tocsin-bench-'));
try {
  const generated = join(folder, 'heartbeats.ndjson');
  heartbeats(generated);
  for (const file of [generated, ...process.argv.slice(2)]) {
    const { alerts, signals, incidents, pages, seconds, alertsPerSecond } = replay(file);
    const count = (value: number): string => value.toLocaleString('en');
    console.log(
      `${file.split('/').slice(-2).join('/')}: ${count(alerts)} alerts, ${count(signals)} signals, ${count(incidents)} incidents, ${count(pages)} pages; ` +
        `${seconds.toFixed(2)} s, ${count(alertsPerSecond)} alerts/s`,
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
