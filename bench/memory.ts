/**
 * Resident memory per active series, side by side with Debian's Alertmanager: 100,000 series are posted once, in batches of 500,
 * and memory is read when it has settled. Tocsin keeps its whole pipeline for each (intake, signal, incident, group).
 *
 *   node bench/memory.ts [series]
 */
import { readFileSync } from 'node:fs';
import { wireAlert } from './fleet/load.ts';
import { residentBytes, startAlertmanager, startTocsin, type RunningServer } from './peers.ts';

const seriesCount = Number(process.argv[2] ?? 100_000);
const batchSize = 500;
const settleMs = 20_000;

function body(start: number): string {
  return JSON.stringify(Array.from({ length: batchSize }, (_, index) => wireAlert(start + index)));
}

async function measure(name: string, start: () => Promise<RunningServer>): Promise<void> {
  const server = await start();
  const memory = (): number => residentBytes(server.process.pid ?? 0, (file) => readFileSync(file, 'utf8'));
  try {
    const before = memory();
    for (let series = 0; series < seriesCount; series += batchSize) {
      const response = await fetch(`${server.url}/api/v2/alerts`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: body(series),
      });
      if (!response.ok) throw new Error(`${name} answered ${response.status}`);
    }
    await new Promise((resolve) => setTimeout(resolve, settleMs));
    const perSeries = (memory() - before) / seriesCount;
    console.log(
      `${name}: ${(perSeries / 1024).toFixed(1)} KiB resident per active series at ${seriesCount.toLocaleString('en')}`,
    );
  } finally {
    await server.stop();
  }
}

await measure('alertmanager', startAlertmanager);
await measure('tocsin', startTocsin);
