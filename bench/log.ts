/**
 * Durable appends per second of the LMDB log (every one synced to disk before it is acknowledged), for entries of 50 alerts from
 * 1, 10 and 64 concurrent senders; what that costs the main thread; what it takes on disk; and how fast it is read back.
 *
 *   node bench/log.ts [seconds]
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fingerprint, labelsOf, type Alert } from '../src/alert/index.ts';
import type { Entry } from '../src/engine/index.ts';
import { decodeEntry, encodeEntry, openLmdbLog } from '../src/log/index.ts';

const runMs = Number(process.argv[2] ?? 3) * 1000;
const alertsPerEntry = 50;
const readCount = 2000;

const entries = Array.from({ length: 400 }, (_, entry): Entry => {
  const payload = Array.from({ length: alertsPerEntry }, (_, index) => alert(entry * alertsPerEntry + index));
  return { kind: 'alerts', timeMs: 1_767_571_200_000 + entry, payload };
});

function alert(series: number): Alert {
  const labels = labelsOf({
    alertname: `Rule${series % 200}`,
    cluster: `eu-${series % 4}`,
    instance: `10.0.${(series >> 8) & 255}.${series & 255}:9100`,
    job: 'node',
    service: `service-${series % 400}`,
    severity: 'warning',
  });
  return {
    fingerprint: fingerprint(labels),
    domain: 'default',
    labels,
    annotations: labelsOf({ summary: `something is wrong with instance ${series}` }),
    startsAtMs: 1_767_571_200_000 + series,
    endsAtMs: 1_767_571_500_000 + series,
    endsByTimeout: true,
    receivedAtMs: 1_767_571_200_000 + series,
    generatorUrl: 'http://prometheus.example.net/graph?g0.expr=up',
    source: 'alertmanager',
  };
}

/** CPU that the calling thread spends on `work`, in microseconds. */
function cpuOf(work: () => void): number {
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  return user + system;
}

function benchEncoding(): void {
  const bytes = entries.map((entry) => encodeEntry(entry).bytes);
  const costs = Array.from({ length: 10 }, () => ({
    encode: cpuOf(() => entries.forEach((entry) => encodeEntry(entry))),
    decode: cpuOf(() => bytes.forEach((entry) => decodeEntry(entry))),
  }));
  const least = (of: 'encode' | 'decode'): string =>
    (Math.min(...costs.map((cost) => cost[of])) / (entries.length * alertsPerEntry)).toFixed(2);
  const size = bytes.reduce((sum, { length }) => sum + length, 0) / (entries.length * alertsPerEntry);
  console.log(
    `encoding: ${least('encode')} us an alert, decoding: ${least('decode')} us, ${size.toFixed(0)} bytes before compression`,
  );
}

async function benchAppends(senderCount: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'tocsin-bench-log-'));
  try {
    const log = openLmdbLog(folder);
    let appended = 0;
    const endMs = performance.now() + runMs;
    const startMs = performance.now();
    const cpu = process.threadCpuUsage();
    await Promise.all(
      Array.from({ length: senderCount }, async (_, sender) => {
        for (let turn = sender; performance.now() < endMs; turn++) {
          await log.append(entries[turn % entries.length]!);
          appended++;
        }
      }),
    );
    const seconds = (performance.now() - startMs) / 1000;
    const { user, system } = process.threadCpuUsage(cpu);
    const alerts = appended * alertsPerEntry;
    const readMs = performance.now();
    const read = await log.read(1, Math.min(readCount, log.lastPosition));
    const readSeconds = (performance.now() - readMs) / 1000;
    const rate = (count: number): string => Math.round(count).toLocaleString('en');
    console.log(
      `${senderCount} senders: ${rate(appended / seconds)} entries/s, ${rate(alerts / seconds)} alerts/s durable; ` +
        `${((user + system) / alerts).toFixed(2)} us of the main thread an alert; ` +
        `${(statSync(join(folder, 'data.mdb')).size / alerts).toFixed(0)} bytes an alert on disk; ` +
        `read back at ${rate((read.entries.length * alertsPerEntry) / readSeconds)} alerts/s`,
    );
    await log.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

benchEncoding();
for (const senderCount of [1, 10, 64]) await benchAppends(senderCount);
