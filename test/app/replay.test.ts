import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { generateScenario, wireReport } from '../../bench/scenarios/generate.ts';

const tocsin = new URL('../../bin/tocsin.js', import.meta.url).pathname;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tocsin-replay-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function run(...args: string[]) {
  return spawnSync(process.execPath, [tocsin, ...args], { encoding: 'utf8', cwd: folder });
}

const line = (at: string, labels: Record<string, string>) =>
  JSON.stringify({ labels, startsAt: at, receivedAt: at });

test('each alert gets its line: signal, incident, pages, surprise', async () => {
  const alerts = [
    line('2026-01-05T09:00:00Z', { alertname: 'Down', service: 'db', severity: 'critical' }),
    line('2026-01-05T09:00:10Z', { alertname: 'Down', service: 'db', severity: 'critical' }),
    line('2026-01-05T09:00:11Z', { alertname: 'Other', service: 'wiki' }),
  ];
  await writeFile(join(folder, 'alerts.ndjson'), alerts.join('\n'));
  const { status, stdout } = run('replay', 'alerts.ndjson', '--assignments', 'out.ndjson', '--json');
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ alerts: 3, signals: 2, badLines: 0 });
  const out = (await readFile(join(folder, 'out.ndjson'), 'utf8'))
    .trim()
    .split('\n')
    .map((text) => JSON.parse(text) as Record<string, unknown>);
  expect(out.map(({ index }) => index)).toEqual([0, 1, 2]);
  expect(Object.keys(out[0] ?? {})).toEqual([
    'index',
    'fingerprint',
    'signalId',
    'incidentId',
    'pageIds',
    'muted',
    'surprise',
  ]);
  expect(out[0]?.['signalId']).toBe(out[1]?.['signalId']);
  expect(out[0]?.['incidentId']).toMatch(/^INC-/);
  expect(out[0]?.['pageIds']).toEqual([expect.stringMatching(/^INC-1\//), expect.stringMatching(/^INC-1\//)]);
});

test('a line that does not parse is reported with its number, skipped, and shown by the exit status', async () => {
  await writeFile(
    join(folder, 'bad.ndjson'),
    `${line('2026-01-05T09:00:00Z', { alertname: 'A' })}\n{"labels":\n{"labels":{}}\n`,
  );
  const { status, stderr, stdout } = run('replay', 'bad.ndjson', '--json');
  expect(status).toBe(1);
  expect(stderr).toMatch(/bad.ndjson:2: /);
  expect(stderr).toMatch(/bad.ndjson:3: .*labels/);
  expect(JSON.parse(stdout)).toMatchObject({ alerts: 1, badLines: 2 });
});

test('alerts that are not in the order of time are sorted in, and keep their index', async () => {
  const alerts = [
    line('2026-01-05T10:00:00Z', { alertname: 'Late' }),
    line('2026-01-05T09:00:00Z', { alertname: 'Early' }),
  ];
  await writeFile(join(folder, 'unsorted.ndjson'), alerts.join('\n'));
  const { status, stderr } = run('replay', 'unsorted.ndjson', '--assignments', 'sorted.ndjson', '--json');
  expect(status).toBe(0);
  expect(stderr).toMatch(/1 alerts were not in the order of time/);
  const out = (await readFile(join(folder, 'sorted.ndjson'), 'utf8'))
    .trim()
    .split('\n')
    .map((text) => JSON.parse(text) as { index: number; incidentId: string });
  expect(out.map(({ index, incidentId }) => [index, incidentId])).toEqual([
    [0, 'INC-2'],
    [1, 'INC-1'],
  ]);
});

test('a storm of the scenario becomes few pages, and the fault one incident', async () => {
  const { services, reports } = generateScenario({
    seed: 3,
    startMs: Date.parse('2026-01-05T09:00:00Z'),
    serviceCount: 40,
    reportCount: 8000,
  });
  const lines = reports.map((report) =>
    JSON.stringify({ ...wireReport(report), receivedAt: new Date(report.atMs).toISOString() }),
  );
  await writeFile(join(folder, 'storm.ndjson'), lines.join('\n'));
  await writeFile(join(folder, 'storm.yml'), JSON.stringify({ services }));
  const { stdout } = run(
    'replay',
    'storm.ndjson',
    '--config',
    'storm.yml',
    '--assignments',
    'storm-out.ndjson',
    '--json',
  );
  const summary = JSON.parse(stdout) as { pages: number; biggest: { id: string }[] };
  expect(summary.pages).toBeLessThan(40);
  const out = (await readFile(join(folder, 'storm-out.ndjson'), 'utf8'))
    .trim()
    .split('\n')
    .map((text) => JSON.parse(text) as { incidentId: string });
  const ofFault = reports.flatMap(({ faultId }, index) => (faultId === null ? [] : [out[index]?.incidentId]));
  const counts = [...Map.groupBy(ofFault, (id) => id).values()].map(({ length }) => length);
  expect(Math.max(...counts) / ofFault.length).toBeGreaterThan(0.9);
});
