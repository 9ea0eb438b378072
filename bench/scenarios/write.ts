/**
 * Writes a scenario into a folder: `node bench/scenarios/write.ts <folder> [seed] [reports]` gives
 *
 * - `alerts.ndjson`: what `tocsin replay` reads, one alert a line with its `receivedAt`,
 * - `truth.ndjson`: for each of those lines its index and the id of the fault behind it, or null,
 * - `services.yml`: the service catalog.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { generateScenario, wireReport } from './generate.ts';

const [folder, seed = '1', count = '40000'] = process.argv.slice(2);
if (folder === undefined || !/^\d+$/.test(seed) || !/^\d+$/.test(count)) {
  console.error('usage: node bench/scenarios/write.ts <folder> [seed] [reports]');
  process.exit(2);
}

const { services, reports } = generateScenario({
  seed: Number(seed),
  startMs: Date.parse('2026-08-24T10:00:00Z'),
  serviceCount: 40,
  reportCount: Number(count),
});
mkdirSync(folder, { recursive: true });
writeLines(
  'alerts.ndjson',
  reports.map((report) => ({ ...wireReport(report), receivedAt: new Date(report.atMs).toISOString() })),
);
writeLines(
  'truth.ndjson',
  reports.map(({ faultId }, index) => ({ index, faultId })),
);
writeFileSync(join(folder, 'services.yml'), stringify({ services }));
console.log(`${reports.length} reports of ${services.length} services in ${folder}`);

function writeLines(file: string, values: readonly unknown[]): void {
  writeFileSync(join(folder!, file), values.map((value) => `${JSON.stringify(value)}\n`).join(''));
}
