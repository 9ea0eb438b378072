import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openHistory, type HistoryDatabase } from '../../src/history/index.ts';
import { applyTtl } from '../../src/history/ttl.ts';
import { timeColumn } from '../../src/history/columns.ts';

const dayMs = 86_400_000;
const folder = mkdtempSync(join(tmpdir(), 'tocsin-ttl-'));
let database: HistoryDatabase;

beforeAll(async () => {
  const opened = await openHistory({ path: folder });
  if (!opened.database) throw new Error(opened.missing);
  database = opened.database;
});

afterAll(async () => {
  await database.close();
  rmSync(folder, { recursive: true });
});

async function insert(table: string, ageDays: number): Promise<void> {
  const at = timeColumn(Date.now() - ageDays * dayMs);
  const bands = table === 'incident_sketches' ? { bands: [ageDays], opened_at: at } : {};
  await database.insert(table, [JSON.stringify({ row_id: `${ageDays}/0`, at, ...bands })]);
}

/** Ages in days, of the rows that a table still has. */
async function agesOf(table: string): Promise<number[]> {
  await database.command(`OPTIMIZE TABLE ${table} FINAL`);
  const rows = await database.query<{ row_id: string }>(`SELECT row_id FROM ${table} FINAL`);
  return rows.map(({ row_id }) => Number.parseInt(row_id, 10)).toSorted((a, b) => a - b);
}

test('the engine forgets what is older than its table is told to keep, and the audit trail only when it is named', async () => {
  for (const age of [0, 20, 40, 400]) {
    for (const table of ['alerts', 'links', 'incident_sketches', 'audit']) await insert(table, age);
  }
  const ttl = { default: 90 * dayMs, alerts: 30 * dayMs };
  const changed = await applyTtl(database, ttl);
  expect(changed).toContain('ALTER TABLE alerts MODIFY TTL toDateTime(at) + toIntervalSecond(2592000)');
  expect(changed).toContain('ALTER TABLE sketch_bands MODIFY TTL toDateTime(at) + toIntervalSecond(7776000)');
  expect(await agesOf('alerts')).toEqual([0, 20]);
  expect(await agesOf('links')).toEqual([0, 20, 40]);
  expect(await agesOf('incident_sketches')).toEqual([0, 20, 40]);
  expect(await agesOf('sketch_bands')).toEqual([0, 20, 40]);
  expect(await agesOf('audit')).toEqual([0, 20, 40, 400]);
  expect(await applyTtl(database, ttl)).toEqual([]);
  expect(await applyTtl(database, { ...ttl, audit: 365 * dayMs })).toEqual([
    'ALTER TABLE audit MODIFY TTL toDateTime(at) + toIntervalSecond(31536000)',
  ]);
  expect(await agesOf('audit')).toEqual([0, 20, 40]);
});

test('a longer TTL keeps what comes from then on, and without one everything stays', async () => {
  await applyTtl(database, { default: 30 * dayMs });
  expect(await applyTtl(database, { default: 30 * dayMs, pages: 90 * dayMs })).toHaveLength(1);
  await insert('pages', 60);
  expect(await agesOf('pages')).toEqual([60]);
  const removed = await applyTtl(database, {});
  expect(removed).toContain('ALTER TABLE pages REMOVE TTL');
  await insert('pages', 300);
  expect(await agesOf('pages')).toEqual([60, 300]);
  expect(await applyTtl(database, {})).toEqual([]);
});

test('a TTL that somebody set by hand stays until one is configured for its table', async () => {
  await database.command('ALTER TABLE deliveries MODIFY TTL toDateTime(at) + INTERVAL 1 YEAR');
  expect(await applyTtl(database, {})).toEqual([]);
  expect(await applyTtl(database, { deliveries: dayMs })).toEqual([
    'ALTER TABLE deliveries MODIFY TTL toDateTime(at) + toIntervalSecond(86400)',
  ]);
});
