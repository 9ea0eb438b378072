import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@clickhouse/client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { kill, startClickHouse, type ClickHouseProcess } from '../support/clickhouse.ts';
import { freePort } from '../support/port.ts';
import { startTocsin, type TocsinProcess } from '../support/tocsin.ts';

let folder: string;
let port: number;
const tocsins: TocsinProcess[] = [];
const servers: ClickHouseProcess[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tocsin-history-server-'));
  port = await freePort();
  await writeFile(
    join(folder, 'tocsin.yml'),
    `history: { url: "http://127.0.0.1:${port}", flush_interval: 20ms, ttl: { default: 365d } }
storage: { checkpoint_interval: 1s }
`,
  );
});

afterEach(async () => {
  for (const { child } of [...tocsins, ...servers]) await kill(child);
  await rm(folder, { recursive: true, force: true });
});

async function start(): Promise<TocsinProcess> {
  const tocsin = await startTocsin(
    'serve',
    '--config',
    join(folder, 'tocsin.yml'),
    '--data',
    join(folder, 'data'),
    '--listen',
    '127.0.0.1:0',
  );
  tocsins.push(tocsin);
  return tocsin;
}

async function report({ url }: TocsinProcess, alertname: string): Promise<void> {
  const response = await fetch(`${url}/api/v2/alerts`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify([{ labels: { alertname, severity: 'critical' } }]),
  });
  expect(response.status).toBe(200);
}

async function metricOf({ url }: TocsinProcess, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)`, 'm').exec(text)?.[1]);
}

test('what happens while the ClickHouse server is away is in the history in the end, once, over a crash in between', async () => {
  const before = await start();
  for (const name of ['First', 'Second']) await report(before, name);
  await before.says(/Rows wait on the disk/);
  await expect.poll(() => metricOf(before, 'tocsin_history_rows_spilled')).toBeGreaterThan(0);
  await kill(before.child);

  const after = await start();
  await report(after, 'Third');
  servers.push(await startClickHouse({ path: join(folder, 'server'), port: `${port}` }));
  await after.says(/has all rows that waited on the disk/);
  await expect.poll(() => metricOf(after, 'tocsin_history_rows_pending')).toBe(0);

  const client = createClient({ url: `http://127.0.0.1:${port}`, database: 'tocsin' });
  const read = async (query: string): Promise<unknown> =>
    (await client.query({ query, format: 'JSONEachRow' })).json();
  expect(
    await read(
      'SELECT alertname, sum(count) AS reports FROM alerts FINAL GROUP BY alertname ORDER BY alertname',
    ),
  ).toEqual([
    { alertname: 'First', reports: 1 },
    { alertname: 'Second', reports: 1 },
    { alertname: 'Third', reports: 1 },
  ]);
  expect(
    await read(
      "SELECT count() > 0 AS isSet FROM system.tables WHERE name = 'alerts' AND engine_full LIKE '%toIntervalSecond(31536000)%'",
    ),
  ).toEqual([{ isSet: 1 }]);
  await client.close();
}, 60_000);
