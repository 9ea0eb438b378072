import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { ClickHouseLogLevel, createClient, type ClickHouseClient } from '@clickhouse/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startClickHouse, type ClickHouseProcess } from '../support/clickhouse.ts';

const folder = mkdtempSync(join(tmpdir(), 'tocsin-bridge-'));
let server: ClickHouseProcess;
let client: ClickHouseClient;

beforeAll(async () => {
  server = await startClickHouse({ path: join(folder, 'data'), user: 'ann', password: 'p w:1' });
  client = createClient({
    url: server.url,
    username: 'ann',
    password: 'p w:1',
    compression: { request: true, response: true },
    log: { level: ClickHouseLogLevel.OFF },
  });
});

afterAll(async () => {
  await client.close();
  await server.kill();
  rmSync(folder, { recursive: true });
});

const basic = `Basic ${Buffer.from('ann:p w:1').toString('base64')}`;

async function post(
  search: Record<string, string>,
  body = '',
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(`${server.url}/?${new URLSearchParams(search).toString()}`, {
    method: 'POST',
    body,
    headers: { authorization: basic, ...headers },
  });
}

describe('the bridge to the embedded engine answers as the HTTP interface of a server', () => {
  test('a ping needs no user', async () => {
    const response = await fetch(`${server.url}/ping`);
    expect([response.status, await response.text()]).toEqual([200, 'Ok.\n']);
    expect(await client.ping()).toEqual({ success: true });
    expect(await client.ping({ select: true })).toEqual({ success: true });
  });

  test.each([
    ['SELECT 1 FROM nowhere', 404, '60', 'UNKNOWN_TABLE'],
    ['SELECT FROM WHERE', 400, '62', 'SYNTAX_ERROR'],
    ['SELECT throwIf(1)', 500, '395', 'FUNCTION_THROW_IF_VALUE_IS_NON_ZERO'],
    ["SELECT toUInt8('x')", 400, '6', 'CANNOT_PARSE_TEXT'],
    ['CREATE TABLE t ON CLUSTER c (a UInt8) ENGINE = Log', 500, '701', 'CLUSTER_DOESNT_EXIST'],
  ])('%s is refused with status, code and text', async (statement, status, code, name) => {
    const response = await post({}, statement);
    const text = await response.text();
    expect(response.status).toBe(status);
    expect(response.headers.get('x-clickhouse-exception-code')).toBe(code);
    expect(text).toMatch(
      new RegExp(
        `^Code: \\d+\\. DB::Exception: .*\\(${name}\\) \\(version [\\d.]+ \\(official build\\)\\)\\n$`,
        's',
      ),
    );
  });

  test('a stranger is refused, and so is who names himself twice', async () => {
    for (const headers of [
      { authorization: 'Basic YW5uOng=' },
      { authorization: basic, 'x-clickhouse-user': 'ann', 'x-clickhouse-key': 'p w:1' },
    ]) {
      const response = await post({ query: 'SELECT 1' }, '', headers);
      expect(response.status).toBe(403);
      expect(response.headers.get('x-clickhouse-exception-code')).toBe('516');
      expect(await response.text()).toContain('(AUTHENTICATION_FAILED)');
    }
    const byHeaders = await fetch(`${server.url}/?query=SELECT+1`, {
      headers: { 'x-clickhouse-user': 'ann', 'x-clickhouse-key': 'p w:1' },
    });
    expect(await byHeaders.text()).toBe('1\n');
    expect(await (await fetch(`${server.url}/?query=SELECT+2&user=ann&password=p+w:1`)).text()).toBe('2\n');
  });

  test('the query id comes back, the format is the one that was asked for', async () => {
    const response = await post({ query_id: 'mine', default_format: 'JSONEachRow' }, 'SELECT 1 AS a');
    expect(response.headers.get('x-clickhouse-query-id')).toBe('mine');
    expect(response.headers.get('x-clickhouse-format')).toBe('JSONEachRow');
    expect(await response.text()).toBe('{"a":1}\n');
  });

  test('settings hold for their statement alone, and unknown ones are refused', async () => {
    const ask = async (search: Record<string, string>): Promise<string> =>
      (await post(search, "SELECT getSetting('max_block_size')")).text();
    const before = await ask({});
    expect(await ask({ max_block_size: '1234' })).toBe('1234\n');
    expect(await ask({})).toBe(before);
    const unknown = await post({ not_a_setting: '1' }, 'SELECT 1');
    expect([unknown.status, unknown.headers.get('x-clickhouse-exception-code')]).toEqual([404, '115']);
  });

  test('parameters arrive unchanged, in the URL and in a form', async () => {
    const text = 'a\tb\\n\n\'"{x} ключ 😀';
    for (const use_multipart_params of [false, true]) {
      const result = await client.query({
        query: 'SELECT {text:String} AS text, {list:Array(String)} AS list, {n:Nullable(UInt8)} AS n',
        query_params: { text, list: [text, ''], n: null },
        format: 'JSONEachRow',
        use_multipart_params,
      });
      expect(await result.json()).toEqual([{ text, list: [text, ''], n: null }]);
    }
    const lacking = await post({}, 'SELECT {text:String}');
    expect([lacking.status, lacking.headers.get('x-clickhouse-exception-code')]).toEqual([400, '456']);
    await lacking.text();
  });

  test('rows go in and come out compressed', async () => {
    await client.command({ query: 'CREATE TABLE packed (a UInt32, t String) ENGINE = MergeTree ORDER BY a' });
    const values = Array.from({ length: 5_000 }, (_, a) => ({ a, t: `text ${a}` }));
    await client.insert({ table: 'packed', values, format: 'JSONEachRow' });
    const result = await client.query({ query: 'SELECT * FROM packed ORDER BY a', format: 'JSONEachRow' });
    expect(result.response_headers['content-encoding']).toBe('gzip');
    expect(await result.json()).toEqual(values);
    const raw = await fetch(
      `${server.url}/?query=${encodeURIComponent('INSERT INTO packed FORMAT JSONEachRow')}`,
      {
        method: 'POST',
        body: gzipSync('{"a":9999,"t":"last"}\n'),
        headers: { authorization: basic, 'content-encoding': 'gzip' },
      },
    );
    expect(raw.status).toBe(200);
    expect(await (await post({}, 'SELECT count() FROM packed')).text()).toBe('5001\n');
  });

  test('an insert with the token of an earlier one is dropped where the table remembers tokens', async () => {
    await client.command({
      query:
        'CREATE TABLE once (a UInt32) ENGINE = MergeTree ORDER BY a SETTINGS non_replicated_deduplication_window = 100',
    });
    for (const [a, token] of [
      [1, 'first'],
      [2, 'first'],
      [3, 'second'],
    ] as const) {
      await client.insert({
        table: 'once',
        values: [{ a }],
        format: 'JSONEachRow',
        clickhouse_settings: { insert_deduplication_token: token },
      });
    }
    expect(await (await post({}, 'SELECT a FROM once ORDER BY a')).text()).toBe('1\n3\n');
  });

  test('a result is streamed, and what goes wrong on the way is told at its end', async () => {
    const result = await client.query({
      query: 'SELECT number, throwIf(number = 900000) AS thrown FROM numbers(1000000)',
      format: 'JSONEachRow',
    });
    let count = 0;
    const readAll = async (): Promise<void> => {
      for await (const rows of result.stream()) count += rows.length;
    };
    await expect(readAll()).rejects.toMatchObject({
      code: '395',
      type: 'FUNCTION_THROW_IF_VALUE_IS_NON_ZERO',
    });
    expect(count).toBeGreaterThan(0);
    expect(await (await post({}, 'SELECT 1')).text()).toBe('1\n');
  });

  test('a result whose reader went away before it began holds nobody up', async () => {
    const reader = new AbortController();
    const asked = fetch(`${server.url}/?query=${encodeURIComponent('SELECT sleep(0.3) FORMAT TSV')}`, {
      headers: { authorization: basic },
      signal: reader.signal,
    });
    // By then it has been read, and the engine is at it.
    for (let turn = 0; turn < 20; turn++) await (await fetch(`${server.url}/ping`)).text();
    reader.abort();
    await expect(asked).rejects.toThrow('aborted');
    expect((await post({}, 'SELECT 1')).status).toBe(200);
  });

  test('what is not served is refused', async () => {
    for (const search of [{ session_id: 's' }, { role: 'r' }, { compress: '1' }]) {
      const response = await post({ ...search, query: 'SELECT 1' });
      expect([response.status, response.headers.get('x-clickhouse-exception-code')]).toEqual([501, '48']);
      await response.text();
    }
    const write = await fetch(`${server.url}/?query=DROP+TABLE+once`, { headers: { authorization: basic } });
    expect([write.status, write.headers.get('x-clickhouse-exception-code')]).toEqual([500, '164']);
    await write.text();
    const elsewhere = await fetch(`${server.url}/replicas_status`, { headers: { authorization: basic } });
    expect(elsewhere.status).toBe(404);
    await elsewhere.text();
  });
});
