import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openHistory } from '../../src/history/index.ts';
import { startClickHouse, type ClickHouseProcess } from '../support/clickhouse.ts';

const folder = mkdtempSync(join(tmpdir(), 'tocsin-history-imposter-'));
let clickhouse: ClickHouseProcess;
let proxy: Server;
/** What the proxy answers to everything, with status 200; null where it passes on. */
let answer: string | null = null;

beforeAll(async () => {
  clickhouse = await startClickHouse({ path: join(folder, 'data') });
  proxy = createServer((incoming, outgoing) => {
    if (answer !== null) {
      incoming.resume().on('end', () => outgoing.end(answer));
      return;
    }
    const { method, headers, url } = incoming;
    const onward = request(new URL(url ?? '/', clickhouse.url), { method, headers }, (response) => {
      outgoing.writeHead(response.statusCode ?? 500, response.headers);
      response.pipe(outgoing);
    });
    incoming.pipe(onward);
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
});

afterAll(async () => {
  proxy.closeAllConnections();
  proxy.close();
  await clickhouse.kill();
  rmSync(folder, { recursive: true });
});

test.each(['', '<html>Back soon</html>', '{}'])(
  'rows count as kept by an answer of ClickHouse only, not by a 200 of whatever is in its place: "%s"',
  async (text) => {
    const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const unavailable = { code: 'TOC_HISTORY_UNAVAILABLE', retryable: true };
    answer = text;
    expect((await openHistory({ url, user: 'default', database: 'tocsin' })).problem).toMatchObject(
      unavailable,
    );
    answer = null;
    const { database, problem } = await openHistory({ url, user: 'default', database: 'tocsin' });
    expect(problem ?? null).toBeNull();
    await database!.insert('alerts', ['{}']);
    answer = text;
    await expect(database!.insert('alerts', ['{}'])).rejects.toMatchObject(unavailable);
    await expect(database!.query('SELECT 1')).rejects.toMatchObject(unavailable);
    await database!.close();
  },
);
