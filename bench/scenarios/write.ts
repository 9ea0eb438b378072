import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { generateScenario, wireReport } from './generate.ts';

/** Writes a scenario: `node bench/scenarios/write.ts <folder> [seed]` gives alerts.ndjson, truth.txt and services.yml. */
const [folder, seed = '1'] = process.argv.slice(2);
if (folder === undefined) throw new Error('usage: node bench/scenarios/write.ts <folder> [seed]');

const { services, reports } = generateScenario({
  seed: Number(seed),
  startMs: Date.parse('2026-08-24T10:00:00Z'),
  serviceCount: 40,
  reportCount: 40_000,
});
mkdirSync(folder, { recursive: true });
const lines = reports.map((report) =>
  JSON.stringify({ ...wireReport(report), receivedAt: new Date(report.atMs).toISOString() }),
);
writeFileSync(join(folder, 'alerts.ndjson'), `${lines.join('\n')}\n`);
writeFileSync(join(folder, 'truth.txt'), `${reports.map(({ faultId }) => faultId ?? '-').join('\n')}\n`);
writeFileSync(join(folder, 'services.yml'), stringify({ services }));
console.log(`${reports.length} reports of ${services.length} services in ${folder}`);
