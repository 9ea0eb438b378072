import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openHistory, type HistoryOptions, type OpenedHistory } from '../../src/history/index.ts';
import { startClickHouse, type ClickHouseProcess } from '../support/clickhouse.ts';

const folder = mkdtempSync(join(tmpdir(), 'tocsin-history-tls-'));
const file = (name: string): string => join(folder, name);

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { stdio: 'pipe' });
}

/** Makes `<name>.pem` and `<name>.key`, signed by `ca.pem`. */
function createCertificate(name: string, commonName: string): void {
  const extensions = file(`${name}.ext`);
  writeFileSync(extensions, 'subjectAltName=IP:127.0.0.1\n');
  openssl(
    'req',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-subj',
    `/CN=${commonName}`,
    '-keyout',
    file(`${name}.key`),
    '-out',
    file(`${name}.csr`),
  );
  openssl(
    'x509',
    '-req',
    '-in',
    file(`${name}.csr`),
    '-CA',
    file('ca.pem'),
    '-CAkey',
    file('ca.key'),
    '-days',
    '2',
    '-extfile',
    extensions,
    '-out',
    file(`${name}.pem`),
  );
}

/** What opening came to: the code of the problem, or of the error, or null; and the innermost reason. */
async function outcomeOf(options: HistoryOptions): Promise<readonly [code: string | null, reason: string]> {
  let opened: OpenedHistory;
  try {
    opened = await openHistory(options);
  } catch (error) {
    return [(error as { code: string }).code, reasonOf(error)];
  }
  const count = opened.problem ? null : await opened.database?.query('SELECT count() AS count FROM alerts');
  await opened.database?.close();
  if (opened.problem) return [opened.problem.code, reasonOf(opened.problem)];
  expect(count).toEqual([{ count: 0 }]);
  return [null, ''];
}

function reasonOf(error: unknown): string {
  let inner = error;
  while (inner instanceof Error && inner.cause !== undefined) inner = inner.cause;
  return inner instanceof Error ? inner.message : String(inner);
}

const unavailable = 'TOC_HISTORY_UNAVAILABLE';

describe('a server behind TLS', () => {
  let server: ClickHouseProcess;
  let options: Extract<HistoryOptions, { url: string }>;

  beforeAll(async () => {
    openssl(
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-days',
      '2',
      '-subj',
      '/CN=test authority',
      '-keyout',
      file('ca.key'),
      '-out',
      file('ca.pem'),
    );
    createCertificate('server', 'server');
    createCertificate('client', 'tocsin');
    createCertificate('stranger', 'stranger');
    writeFileSync(file('password'), 'secret\n');
    server = await startClickHouse({
      path: file('data'),
      user: 'tocsin',
      password: 'secret',
      'tls-cert': file('server.pem'),
      'tls-key': file('server.key'),
      'tls-ca': file('ca.pem'),
    });
    options = { url: server.url, user: 'tocsin', database: 'tocsin' };
  });

  afterAll(async () => {
    await server.kill();
    rmSync(folder, { recursive: true });
  });

  test('takes who has a certificate, by its name or by a password', async () => {
    const tls = { caFile: file('ca.pem'), certFile: file('client.pem'), keyFile: file('client.key') };
    expect(await outcomeOf({ ...options, tls })).toEqual([null, '']);
    expect(await outcomeOf({ ...options, tls, passwordFile: file('password') })).toEqual([null, '']);
  });

  test('refuses who has none, and who has that of another', async () => {
    expect(
      await outcomeOf({ ...options, passwordFile: file('password'), tls: { caFile: file('ca.pem') } }),
    ).toEqual([unavailable, expect.stringMatching(/certificate required|ECONNRESET|socket hang up/i)]);
    const tls = { caFile: file('ca.pem'), certFile: file('stranger.pem'), keyFile: file('stranger.key') };
    expect(await outcomeOf({ ...options, tls })).toEqual([
      unavailable,
      expect.stringMatching(/Authentication failed/),
    ]);
  });

  test('is refused where its authority is not trusted', async () => {
    const tls = { certFile: file('client.pem'), keyFile: file('client.key') };
    expect(await outcomeOf({ ...options, tls })).toEqual([
      unavailable,
      expect.stringMatching(/self-signed certificate|unable to (get|verify)/),
    ]);
  });

  test('a file that cannot be read is named', async () => {
    await expect(openHistory({ ...options, tls: { caFile: file('none.pem') } })).rejects.toMatchObject({
      code: unavailable,
      message: expect.stringContaining('history.tls.ca_file') as unknown,
    });
  });
});

describe('a server that keeps silent', () => {
  let silent: Server;
  const sockets = new Set<Socket>();

  beforeAll(async () => {
    silent = createServer((socket) => sockets.add(socket.on('error', () => undefined)));
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
  });

  afterAll(() => {
    for (const socket of sockets) socket.destroy();
    silent.close();
  });

  function optionsOf(scheme: 'http' | 'https'): Extract<HistoryOptions, { url: string }> {
    const { port } = silent.address() as AddressInfo;
    return { url: `${scheme}://127.0.0.1:${port}`, user: 'default', database: 'tocsin' };
  }

  test('is given up when no connection is made in time', async () => {
    expect(await outcomeOf({ ...optionsOf('https'), connectTimeoutMs: 100 })).toEqual([
      unavailable,
      'no connection to the ClickHouse server within 100 ms',
    ]);
  });

  test('is given up when it does not answer in time', async () => {
    expect(await outcomeOf({ ...optionsOf('http'), requestTimeoutMs: 100 })).toEqual([
      unavailable,
      expect.stringMatching(/timeout/i),
    ]);
  });
});

describe('compression', () => {
  test.each(['none', 'gzip', 'zstd'] as const)('%s', async (compression) => {
    const path = mkdtempSync(join(tmpdir(), 'tocsin-compression-'));
    const server = await startClickHouse({ path });
    const { database } = await openHistory({
      url: server.url,
      user: 'default',
      database: 'tocsin',
      compression,
      asyncInsert: compression === 'gzip',
    });
    const lines = Array.from({ length: 500 }, (_, i) =>
      JSON.stringify({ row_id: `${i}/0`, fingerprint: `ключ ${i}` }),
    );
    await database?.insert('verdicts', lines);
    const rows = await database?.query<{ fingerprint: string }>('SELECT fingerprint FROM verdicts');
    expect(rows?.map(({ fingerprint }) => fingerprint).toSorted()).toEqual(
      lines.map((_, i) => `ключ ${i}`).toSorted(),
    );
    await database?.close();
    await server.kill();
    rmSync(path, { recursive: true });
  });
});
