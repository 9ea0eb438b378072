import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createClient } from '@clickhouse/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { kill, startClickHouse, type ClickHouseProcess } from '../support/clickhouse.ts';
import { freePort } from '../support/port.ts';

const length = 480;
const folder = mkdtempSync(join(tmpdir(), 'tocsin-crash-'));
let port = 0;
let server: ClickHouseProcess;
const writers: ChildProcess[] = [];

beforeAll(async () => {
  port = await freePort();
  await startServer();
});

afterAll(async () => {
  await Promise.all(writers.map(kill));
  await server.kill();
  rmSync(folder, { recursive: true });
});

async function startServer(): Promise<void> {
  server = await startClickHouse({ path: join(folder, 'server'), port: `${port}` });
}

interface Writer {
  readonly child: ChildProcess;
  readonly lines: AsyncIterator<string>;
}

function startWriter(database: string, limit = length): Writer {
  const args = [`http://127.0.0.1:${port}`, database, join(folder, database), `${length}`, `${limit}`];
  const child = spawn(process.execPath, [join(import.meta.dirname, 'history-crash-child.ts'), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  writers.push(child);
  return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
}

/** Reads on until a line matches; gives its number. Throws when the writer ends before. */
async function until({ lines }: Writer, matches: (word: string, count: number) => boolean): Promise<number> {
  for (;;) {
    const { done, value } = await lines.next();
    if (done === true) throw new Error('the writer ended');
    const [word = '', count = '0'] = value.split(' ');
    if (matches(word, Number(count))) return Number(count);
  }
}

/** All that each table has, by the project's way of reading. */
async function contentOf(database: string): Promise<Record<string, unknown[]>> {
  const client = createClient({ url: `http://127.0.0.1:${port}`, database });
  const read = async <Row>(query: string): Promise<Row[]> =>
    (await client.query({ query, format: 'JSONEachRow' })).json<Row>();
  const content: Record<string, unknown[]> = {};
  for (const { name } of await read<{ name: string }>(
    "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine = 'ReplacingMergeTree' AND name != 'schema_migrations'",
  )) {
    content[name] = await read(`SELECT * FROM ${name} FINAL ORDER BY ALL`);
  }
  await client.close();
  return content;
}

test('after ten crashes of the writer, and three of the server, each table has exactly what an undisturbed run gives', async () => {
  const undisturbed = startWriter('undisturbed');
  await until(undisturbed, (word) => word === 'done');
  const expected = await contentOf('undisturbed');
  const rowCount = Object.values(expected).reduce((sum, { length: count }) => sum + count, 0);
  expect(Object.keys(expected)).toHaveLength(13);
  for (const [table, rows] of Object.entries(expected)) expect(rows.length, table).toBeGreaterThan(10);
  expect(rowCount).toBeGreaterThan(length);

  let replayedCount = 0;
  let spilledCount = 0;
  let reached = 0;
  for (let crash = 1; crash <= 10; crash++) {
    const goal = Math.round((crash * length) / 11);
    const writer = startWriter('crashed', goal + 20);
    spilledCount += await until(writer, (word) => word === 'spilled');
    replayedCount += Math.max(reached - (await until(writer, (word) => word === 'from')), 0);
    const isServerAway = crash % 4 === 2;
    if (isServerAway) {
      await until(writer, (word) => word === 'at');
      await server.kill();
    }
    // Now in the middle of writing, now just behind a checkpoint: there the rows before it must be safe already.
    const kind = crash % 3 === 0 ? 'at' : 'checkpoint';
    reached = await until(writer, (word, position) => word === kind && position >= goal);
    await kill(writer.child);
    if (isServerAway) await startServer();
  }
  expect(replayedCount).toBeGreaterThan(0);
  expect(spilledCount).toBeGreaterThan(0);
  const last = startWriter('crashed');
  await until(last, (word) => word === 'done');

  const found = await contentOf('crashed');
  const countsOf = (content: Record<string, unknown[]>): Record<string, number> =>
    Object.fromEntries(Object.entries(content).map(([table, rows]) => [table, rows.length]));
  expect(countsOf(found)).toEqual(countsOf(expected));
  for (const [table, rows] of Object.entries(expected)) expect(found[table], table).toEqual(rows);
}, 120_000);
