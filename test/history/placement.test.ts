import { describe, expect, test } from 'vitest';
import { historyConfig } from '../../src/history/index.ts';
import { loadMigrations, migrate } from '../../src/history/migrations.ts';
import { checkPlacement, placeStatement } from '../../src/history/placement.ts';
import { applyTtl } from '../../src/history/ttl.ts';
import { createRecordingDatabase } from './recording-database.ts';

const replicated = { path: '/clickhouse/tables/{shard}/{database}/{table}', replica: '{replica}' };
const placement = { cluster: 'main', replicated };

describe('placement', () => {
  test('tables are made on all hosts, replicated, and are otherwise what they are anywhere', () => {
    const plain = `CREATE TABLE IF NOT EXISTS links
(
  row_id String
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(at)
ORDER BY row_id
SETTINGS fsync_after_insert = 1`;
    expect(placeStatement(plain, placement)).toBe(`CREATE TABLE IF NOT EXISTS links ON CLUSTER \`main\`
(
  row_id String
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
PARTITION BY toYYYYMM(at)
ORDER BY row_id
SETTINGS fsync_after_insert = 1`);
    expect(placeStatement(plain, { replicated })).toContain(
      "links\n(\n  row_id String\n)\nENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')\n",
    );
    expect(placeStatement(plain, {})).toBe(plain);
  });

  test.each([
    ['CREATE DATABASE IF NOT EXISTS tocsin', 'CREATE DATABASE IF NOT EXISTS tocsin ON CLUSTER `main`'],
    [
      'CREATE MATERIALIZED VIEW IF NOT EXISTS v TO t AS SELECT 1',
      'CREATE MATERIALIZED VIEW IF NOT EXISTS v ON CLUSTER `main` TO t AS SELECT 1',
    ],
    ['DROP VIEW IF EXISTS v SYNC', 'DROP VIEW IF EXISTS v ON CLUSTER `main` SYNC'],
    ['DROP TABLE IF EXISTS t SYNC', 'DROP TABLE IF EXISTS t ON CLUSTER `main` SYNC'],
    ['ALTER TABLE t REMOVE TTL', 'ALTER TABLE t ON CLUSTER `main` REMOVE TTL'],
    ['INSERT INTO a SELECT * FROM b', 'INSERT INTO a SELECT * FROM b'],
  ])('%s', (statement, placed) => {
    expect(placeStatement(statement, placement)).toBe(placed);
  });

  test('a statement of an unknown kind is refused: it would change one host of several', () => {
    expect(() => placeStatement('RENAME TABLE a TO b', placement)).toThrow(RangeError);
    expect(() => placeStatement('CREATE TABLE a (x UInt8)', placement)).toThrow(RangeError);
  });

  test('every statement of every migration can be placed', async () => {
    const { database, commands } = createRecordingDatabase();
    await migrate(database, { place: (statement) => placeStatement(statement, placement) });
    const plain = loadMigrations().flatMap(({ statements }) => statements);
    // The first one makes the table of the migrations themselves.
    expect(commands).toHaveLength(plain.length + 1);
    for (const statement of commands) {
      if (statement.startsWith('INSERT INTO')) continue;
      expect(statement).toMatch(
        /^((CREATE|DROP) (TABLE|VIEW|MATERIALIZED VIEW) IF (NOT )?EXISTS|ALTER TABLE) \w+ ON CLUSTER `main`/,
      );
      expect(statement.startsWith('CREATE TABLE')).toBe(statement.includes('ReplicatedReplacingMergeTree('));
      expect(statement).not.toMatch(/= ReplacingMergeTree/);
    }
    expect(commands.map(unplaced).slice(1)).toEqual(plain);
  });

  test('tables that are not replicated as asked are refused, not passed over', async () => {
    const tables = (engine: string) => createRecordingDatabase([{ name: 'alerts', engine }]).database;
    const differs = { code: 'TOC_HISTORY_TABLES_DIFFER', retryable: false };
    await expect(checkPlacement(tables('ReplacingMergeTree'), placement)).rejects.toMatchObject(differs);
    await expect(checkPlacement(tables('ReplicatedReplacingMergeTree'), {})).rejects.toMatchObject(differs);
    await checkPlacement(tables('ReplicatedReplacingMergeTree'), placement);
    await checkPlacement(tables('ReplacingMergeTree'), { cluster: 'main' });
    await checkPlacement(tables('SharedReplacingMergeTree'), {});
  });

  test('a TTL is set on all hosts', async () => {
    const { database, commands } = createRecordingDatabase([
      { name: 'alerts', engine: 'ReplicatedReplacingMergeTree(...) ORDER BY a SETTINGS b = 1' },
    ]);
    await applyTtl(database, { default: 86_400_000 }, (statement) => placeStatement(statement, placement));
    expect(commands).toEqual([
      'ALTER TABLE alerts ON CLUSTER `main` MODIFY TTL toDateTime(at) + toIntervalSecond(86400)',
    ]);
  });
});

function unplaced(statement: string): string {
  return statement
    .replace(' ON CLUSTER `main`', '')
    .replace(/ReplicatedReplacingMergeTree\('[^']*', '[^']*'\)/, 'ReplacingMergeTree');
}

describe('configuration', () => {
  const mistakesOf = (section: unknown): string[] =>
    (historyConfig.safeParse(section).error?.issues ?? []).map(
      ({ path, message }) => `${path.join('.')}: ${message}`,
    );

  test('what only a server can do needs one', () => {
    expect(
      mistakesOf({ cluster: 'main', replicated: true, tls: { ca_file: 'ca.pem' }, password_file: 'p' }),
    ).toEqual(
      ['cluster', 'replicated', 'tls', 'password_file'].map(
        (key) => `${key}: needs history.url: the embedded engine has no such thing`,
      ),
    );
    expect(mistakesOf({ url: 'http://h:8123', tls: { ca_file: 'ca.pem' } })).toEqual([
      'tls: needs an https URL',
    ]);
    expect(mistakesOf({ url: 'https://h:8443', tls: { cert_file: 'c.pem' } })).toEqual([
      'tls: cert_file and key_file are only of use together',
    ]);
  });

  test('names and paths that would end a statement early are refused', () => {
    const url = 'http://h:8123';
    expect(mistakesOf({ url, cluster: 'a`b' })).toEqual(['cluster: must be letters, digits and underscores']);
    expect(mistakesOf({ url, replica_name: "'" })).toEqual([
      'replica_name: must hold no quote, backslash or line end',
    ]);
    expect(mistakesOf({ url, replica_path: '/all' })).toEqual([
      'replica_path: must begin with / and hold {table}',
    ]);
  });

  test('a retention is set for tables that there are, and no shorter than an hour', () => {
    expect(mistakesOf({ ttl: { alarms: '30d' } })).toEqual([expect.stringMatching(/alarms/)]);
    expect(mistakesOf({ ttl: { alerts: '5m' } })).toEqual(['ttl.alerts: must be 1h or more']);
    expect(historyConfig.parse({ ttl: { default: '90d', audit: '2y' } }).ttl).toEqual({
      default: 90 * 86_400_000,
      audit: 2 * 365 * 86_400_000,
    });
  });
});
