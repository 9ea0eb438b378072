import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openHistory, type HistoryDatabase } from '../../src/history/index.ts';
import { loadMigrations } from '../../src/history/migrations.ts';
import { placeStatement } from '../../src/history/placement.ts';

const folder = mkdtempSync(join(tmpdir(), 'tocsin-schema-'));
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

async function run(version: number): Promise<void> {
  for (const statement of loadMigrations()[version - 1]?.statements ?? []) await database.command(statement);
}

async function countOf(table: string): Promise<number> {
  const [row] = await database.query<{ count: number }>(`SELECT count() AS count FROM ${table} FINAL`);
  return row?.count ?? 0;
}

test('the engine reads every statement that is made for a cluster of replicas', async () => {
  const placement = {
    cluster: 'main',
    replicated: { path: '/clickhouse/tables/{shard}/{database}/{table}', replica: '{replica}' },
  };
  const statements = loadMigrations().flatMap((migration) => migration.statements);
  for (const statement of [
    ...statements,
    'ALTER TABLE alerts MODIFY TTL toDateTime(at) + toIntervalSecond(60)',
  ]) {
    const tree = await database.query<{ explain: string }>(
      `EXPLAIN AST ${placeStatement(statement, placement)}`,
    );
    const text = JSON.stringify(tree);
    expect(text).toMatch(/(Create|Drop|Alter|Insert)/i);
    expect(text.includes('ReplicatedReplacingMergeTree')).toBe(statement.startsWith('CREATE TABLE'));
  }
});

test('sketches of an earlier schema are taken over, however often a migration is begun anew', async () => {
  await run(4);
  const row = {
    partition: '0',
    position: 7,
    at: '2024-03-01 12:00:00.000',
    incident_id: 'i1',
    opened_at: '2024-03-01 12:00:00.000',
    signature: [1, 2, 3, 4],
  };
  await database.insert('incident_signatures', [
    JSON.stringify({ ...row, row_id: '7/0', signal_id: 's1', bands: [11, 12] }),
    JSON.stringify({ ...row, row_id: '7/1', signal_id: 's2', bands: [12, 13] }),
  ]);
  await run(5);
  await run(5);
  await run(6);
  await run(6);
  expect([await countOf('incident_sketches'), await countOf('sketch_bands')]).toEqual([2, 4]);
  const bands = await database.query<{ band: number }>(
    'SELECT DISTINCT band FROM sketch_bands ORDER BY band',
  );
  expect(bands.map(({ band }) => band)).toEqual([11, 12, 13]);
  const old = await database.query(
    "SELECT name FROM system.tables WHERE database = currentDatabase() AND name LIKE 'incident_%s' AND name LIKE '%signatures'",
  );
  expect(old).toEqual([]);
});
