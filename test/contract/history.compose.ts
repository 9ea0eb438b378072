/**
 * The contract of the history against a real ClickHouse server: `npm run test:compose` with
 *
 *     TOCSIN_TEST_CLICKHOUSE_URL         such as http://default:secret@127.0.0.1:8123; without it nothing runs here
 *     TOCSIN_TEST_CLICKHOUSE_CLUSTER     name of a cluster, for `history.cluster`
 *     TOCSIN_TEST_CLICKHOUSE_REPLICATED  1 for `history.replicated`
 *
 * Works in databases of its own, `tocsin_test_...`, and drops them.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@clickhouse/client';
import { afterAll, describe, test } from 'vitest';
import { historyConfig, openHistory, type HistoryDatabase, type Placement } from '../../src/history/index.ts';
import { describeCopies } from './history-copies.contract.ts';
import { describeHistory } from './history.contract.ts';

const given = process.env['TOCSIN_TEST_CLICKHOUSE_URL'];
const cluster = process.env['TOCSIN_TEST_CLICKHOUSE_CLUSTER'];
const isReplicated = process.env['TOCSIN_TEST_CLICKHOUSE_REPLICATED'] === '1';

describe.skipIf(given !== undefined)('a ClickHouse server', () => {
  test.skip('nothing was run: TOCSIN_TEST_CLICKHOUSE_URL is not set', () => undefined);
});

describe.runIf(given !== undefined)('a ClickHouse server', () => {
  const address = new URL(given ?? 'http://nobody');
  const [user, password] = [address.username || 'default', address.password].map(decodeURIComponent) as [
    string,
    string,
  ];
  const url = address.origin;
  let folder = '';
  const { replica_path: path, replica_name: replica } = historyConfig.parse({});
  const placement: Placement = { cluster, replicated: isReplicated ? { path, replica } : undefined };
  const run = randomBytes(4).toString('hex');
  const databases = [`tocsin_test_${run}`, `tocsin_test_${run}_copies`] as const;

  async function open(database: string): Promise<HistoryDatabase> {
    if (folder === '') folder = mkdtempSync(join(tmpdir(), 'tocsin-compose-'));
    const passwordFile = join(folder, 'password');
    writeFileSync(passwordFile, password);
    const opened = await openHistory({ url, user, passwordFile, database, placement });
    if (opened.problem) throw opened.problem;
    if (!opened.database) throw new Error(opened.missing);
    return opened.database;
  }

  describeHistory('a real server', () => open(databases[0]));
  describeCopies('a real server', () => open(databases[1]));

  afterAll(async () => {
    const client = createClient({ url, username: user, password });
    for (const database of databases) {
      const where = cluster === undefined ? '' : `ON CLUSTER \`${cluster}\``;
      await client.command({ query: `DROP DATABASE IF EXISTS ${database} ${where} SYNC` });
    }
    await client.close();
    rmSync(folder, { recursive: true });
  });
});
