import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  createMissingRecall,
  createRecall,
  openHistory,
  type HistoryDatabase,
  type HistoryOptions,
} from '../../src/history/index.ts';
import type { RecallEffect } from '../../src/incident/index.ts';
import { describeCopies } from './history-copies.contract.ts';
import { describeHistory } from './history.contract.ts';
import { firstLine, kill, startClickHouse, type ClickHouseProcess } from '../support/clickhouse.ts';
import { freePort } from '../support/port.ts';

const folder = mkdtempSync(join(tmpdir(), 'tocsin-history-'));

afterAll(() => rmSync(folder, { recursive: true }));

const recallEffect: RecallEffect = {
  id: 'i/recall',
  kind: 'recall',
  payload: {
    incidentId: 'i',
    domain: '',
    beforeMs: 0,
    templates: [],
    signatures: [[1, 2, 3, 4]],
    services: [],
    limit: 5,
  },
};

async function open(options: HistoryOptions): Promise<HistoryDatabase> {
  const { database, missing } = await openHistory(options);
  if (!database) throw new Error(missing);
  return database;
}

function run(file: string, ...args: string[]): ChildProcess {
  return spawn(process.execPath, [join(import.meta.dirname, file), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

describeHistory('embedded', () => open({ path: join(folder, 'embedded') }));
describeCopies('embedded', () => open({ path: join(folder, 'copies') }));

describe('server', () => {
  let server: ClickHouseProcess;
  let options: Extract<HistoryOptions, { url: string }>;

  beforeAll(async () => {
    server = await startClickHouse({ path: join(folder, 'server'), user: 'tocsin', password: 'secret' });
    const passwordFile = join(folder, 'password');
    writeFileSync(passwordFile, 'secret\n');
    options = { url: server.url, user: 'tocsin', passwordFile, database: 'tocsin' };
  });

  afterAll(() => server.kill());

  describeHistory('server', () => open(options));
  describeCopies('server', () => open({ ...options, database: 'copies' }));

  test('a server that is away at start is told, and taken into use when it answers', async () => {
    const port = await freePort();
    const { database, problem } = await openHistory({ ...options, url: `http://127.0.0.1:${port}` });
    if (!database) throw new Error('the server counts as missing');
    expect(problem).toMatchObject({ code: 'TOC_HISTORY_UNAVAILABLE', retryable: true });
    const carry = createRecall(database, { timeoutMs: 5_000, onProblem: () => {} });
    const nothing = { similar: [], historyMissing: true };
    expect(await carry(recallEffect, new AbortController().signal)).toEqual(nothing);

    const late = await startClickHouse({
      path: join(folder, 'late'),
      port: `${port}`,
      user: 'tocsin',
      password: 'secret',
    });
    expect(await database.query('SELECT count() AS count FROM alerts')).toEqual([{ count: 0 }]);
    expect(await carry(recallEffect, new AbortController().signal)).toEqual({
      ...nothing,
      historyMissing: false,
    });
    await database.close();
    await late.kill();
  });

  test('tables that are not replicated as asked, and a cluster that there is not, are refused for good', async () => {
    const replicated = { path: '/clickhouse/tables/{shard}/{database}/{table}', replica: '{replica}' };
    await expect(openHistory({ ...options, placement: { replicated } })).rejects.toMatchObject({
      code: 'TOC_HISTORY_TABLES_DIFFER',
      message: expect.stringContaining('table alerts is ReplacingMergeTree') as unknown,
    });
    const elsewhere = openHistory({ ...options, database: 'elsewhere', placement: { cluster: 'nowhere' } });
    await expect(elsewhere).rejects.toMatchObject({
      code: 'TOC_HISTORY_QUERY_FAILED',
      message: 'ClickHouse answers CLUSTER_DOESNT_EXIST',
    });
  });

  test('a wrong password is a trouble that may pass', async () => {
    const passwordFile = join(folder, 'wrong-password');
    writeFileSync(passwordFile, 'wrong');
    const { database, missing, problem } = await openHistory({ ...options, passwordFile });
    expect([missing, problem?.code]).toEqual([null, 'TOC_HISTORY_UNAVAILABLE']);
    await database?.close();
  });
});

describe('embedded', () => {
  test('what was flushed survives kill -9', async () => {
    const path = join(folder, 'killed');
    const child = run('history-child.ts', path, '1234');
    expect(await firstLine(child)).toBe('flushed');
    await kill(child);
    const database = await open({ path });
    const [row] = await database.query<{ count: number }>(
      'SELECT count() AS count FROM verdicts FINAL WHERE position <= 1234',
    );
    expect(row?.count).toBe(1234);
    await database.close();
  });

  test('a process that closes the history ends by itself', async () => {
    const child = run('history-child.ts', join(folder, 'ended'), '10', 'end');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  test('a folder that another process holds is refused with a code', async () => {
    const path = join(folder, 'held');
    const child = run('history-child.ts', path, '1');
    await firstLine(child);
    await expect(openHistory({ path })).rejects.toMatchObject({ code: 'TOC_HISTORY_UNAVAILABLE' });
    await kill(child);
  });
});

test('recall without a history says so', async () => {
  expect(await createMissingRecall()(recallEffect, new AbortController().signal)).toEqual({
    similar: [],
    historyMissing: true,
  });
});
