import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  settledPages,
  startReceiver,
  startTocsin,
  type RecordingReceiver,
  type TocsinProcess,
} from '../support/tocsin.ts';

let folder: string;
let receiver: RecordingReceiver;
let server: TocsinProcess;

const json = { 'Content-Type': 'application/json' };

async function start(): Promise<TocsinProcess> {
  return startTocsin(
    'serve',
    '--config',
    join(folder, 'tocsin.yml'),
    '--data',
    join(folder, 'data'),
    '--listen',
    '127.0.0.1:0',
  );
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tocsin-serve-'));
  receiver = await startReceiver();
  await writeFile(
    join(folder, 'tocsin.yml'),
    `route: { receiver: web, group_by: [alertname], group_wait: 100ms, group_interval: 300ms }
receivers: [{ name: web, webhook_configs: [{ url: "${receiver.url}" }] }]
services: [{ name: db, tier: 1 }, { name: shop, tier: 1, depends_on: [db] }]
runbooks: { catalog: [{ name: look, steps: [{ name: look, kind: manual, instruction: look at it }] }] }
`,
  );
  server = await start();
});
afterAll(async () => {
  server.child.kill('SIGTERM');
  await server.exited;
  await receiver.close();
  await rm(folder, { recursive: true, force: true });
});

const post = (body: string, path = '/api/v2/alerts') =>
  fetch(server.url + path, { method: 'POST', headers: json, body });
const get = async (path: string): Promise<unknown> => (await fetch(server.url + path)).json();

describe('a report', () => {
  test('is shown, grouped and paged', async () => {
    const response = await post(
      JSON.stringify([
        {
          labels: { alertname: 'DiskFull', service: 'db', severity: 'critical' },
          annotations: { summary: 'full' },
        },
      ]),
    );
    expect(response.status).toBe(200);
    const page = await receiver.page(({ body }) => JSON.stringify(body).includes('DiskFull'));
    expect(page.body).toMatchObject({
      version: '4',
      status: 'firing',
      receiver: 'web',
      groupLabels: { alertname: 'DiskFull' },
      truncatedAlerts: 0,
    });
    expect(await get('/api/v2/alerts?filter=alertname%3D%22DiskFull%22')).toMatchObject([
      {
        labels: { alertname: 'DiskFull' },
        status: { state: 'active', silencedBy: [], inhibitedBy: [] },
        receivers: [{ name: 'web' }],
      },
    ]);
    expect(await get('/api/v2/alerts/groups')).toMatchObject([
      { labels: { alertname: 'DiskFull' }, receiver: { name: 'web' } },
    ]);
    expect(await get('/api/v1/incidents')).toMatchObject([{ id: 'INC-1', services: ['db'], state: 'open' }]);
  });

  test('explains itself', async () => {
    const [alert] = (await get('/api/v2/alerts')) as { fingerprint: string }[];
    const explained = await get(`/api/v1/explain/${alert?.fingerprint}`);
    expect(explained).toMatchObject({
      kind: 'alert',
      dispatch: { groups: [{ receiver: 'web', isTold: true }] },
      signal: { incident: { id: 'INC-1' } },
    });
    expect((await fetch(`${server.url}/api/v1/explain/nothing`)).status).toBe(404);
  });
});

describe('commands', () => {
  const act = async (path: string, body: object, key?: string) => {
    const response = await fetch(server.url + path, {
      method: 'POST',
      headers: { ...json, ...(key ? { 'Idempotency-Key': key } : {}) },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };

  test('acknowledge is seen by the next request, and acts once a key', async () => {
    expect(await act('/api/v1/incidents/INC-1/acknowledge', { by: 'alex' }, 'ack-1')).toMatchObject({
      status: 200,
      body: { commandId: 'ack-1' },
    });
    expect(await act('/api/v1/incidents/INC-1/acknowledge', { by: 'alex' }, 'ack-1')).toMatchObject({
      status: 200,
    });
    expect(await get('/api/v1/incidents/INC-1')).toMatchObject({
      state: 'acknowledged',
      acknowledgedBy: 'alex',
    });
  });

  test('a key that was used for another command is refused', async () => {
    const post = (path: string): Promise<Response> =>
      fetch(`${server.url}/api/v1/incidents/${path}`, {
        method: 'POST',
        headers: { ...json, 'Idempotency-Key': 'key-of-another' },
        body: JSON.stringify({ by: 'alex' }),
      });
    expect((await post('INC-77/acknowledge')).status).toBe(404);
    expect((await post('INC-77/acknowledge')).status).toBe(404);
    expect((await post('INC-77/resolve')).status).toBe(409);
  });

  test('a field that is missing is named', async () => {
    expect(await act('/api/v1/incidents/INC-1/acknowledge', {})).toMatchObject({
      status: 400,
      body: { message: expect.stringMatching(/^by: /) as string },
    });
    expect(await act('/api/v1/incidents/INC-99/acknowledge', { by: 'alex' })).toMatchObject({ status: 404 });
  });

  test('a field that is unknown, and a route that is, are answered in the form of all errors', async () => {
    const answer = await post(
      JSON.stringify({ by: 'ann', reason: 'x' }),
      '/api/v1/incidents/INC-1/acknowledge',
    );
    expect([answer.status, await answer.json()]).toMatchObject([
      400,
      { code: 'invalid', message: expect.stringContaining('reason') as string },
    ]);
    expect(await get('/api/v1/nothing?here=1')).toEqual({
      code: 'not_found',
      message: 'there is no GET /api/v1/nothing',
    });
  });

  test('a manual runbook is started and finished', async () => {
    const { body } = await act('/api/v1/incidents/INC-1/runbooks/look/start', { by: 'alex' });
    const run = body['run'] as { id: string };
    expect(await act(`/api/v1/runs/${run.id}/steps/0/finish`, { by: 'alex', done: true })).toMatchObject({
      status: 200,
    });
    expect(await get(`/api/v1/runs/${run.id}`)).toMatchObject({ state: 'done' });
  });

  test('a silence is created, read, filtered and expired as in Alertmanager', async () => {
    const silence = {
      matchers: [{ name: 'alertname', value: 'DiskFull', isRegex: false }],
      startsAt: new Date().toISOString(),
      endsAt: new Date(Date.now() + 60_000).toISOString(),
      createdBy: 'alex',
      comment: 'known',
    };
    const { status, body } = await act('/api/v2/silences', silence);
    expect(status).toBe(200);
    const id = body['silenceID'] as string;
    expect(await get('/api/v2/alerts?silenced=true&active=false')).toMatchObject([
      { status: { state: 'suppressed', silencedBy: [id] } },
    ]);
    expect(await get('/api/v2/alerts?silenced=false')).toEqual([]);
    expect(await get(`/api/v2/silence/${id}`)).toMatchObject({ id, status: { state: 'active' } });
    expect((await fetch(`${server.url}/api/v2/silence/${id}`, { method: 'DELETE' })).status).toBe(200);
    expect(await get(`/api/v2/silence/${id}`)).toMatchObject({ status: { state: 'expired' } });
    expect((await fetch(`${server.url}/api/v2/silence/${randomUUID()}`)).status).toBe(404);
    expect((await fetch(`${server.url}/api/v2/silence/unknown`)).status).toBe(422);
  });
});

describe('bad input', () => {
  const refused: [string, string, RegExp][] = [
    ['truncated JSON', '[{"labels":', /body: expected JSON/],
    ['no array', '{"labels":{}}', /body: expected an array/],
    ['no labels', '[{}]', /alerts\[0\]\.labels/],
    ['only empty labels', '[{"labels":{"a":""}}]', /alerts\[0\]\.labels: at least one label/],
    ['a number as label', '[{"labels":{"a":1}}]', /alerts\[0\]\.labels\.a: expected a string, got number/],
    ['a bad date', '[{"labels":{"a":"b"},"startsAt":"yesterday"}]', /alerts\[0\]\.startsAt: /],
    [
      'an end before the start',
      '[{"labels":{"a":"b"},"startsAt":"2026-01-02T00:00:00Z","endsAt":"2026-01-01T00:00:00Z"}]',
      /alerts\[0\]\.startsAt/,
    ],
  ];
  test.each(refused)('%s is answered with the field', async (_, body, message) => {
    const response = await post(body);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatch(message);
  });

  test('valid alerts are kept where others are refused, and every error is named', async () => {
    const response = await post(
      JSON.stringify([{ labels: { alertname: 'Kept' } }, { labels: {} }, { labels: { a: 2 } }]),
    );
    expect(response.status).toBe(400);
    expect(await response.json()).toMatch(/alerts\[1\].*alerts\[2\]/s);
    expect(await get('/api/v2/alerts?filter=alertname%3DKept')).toHaveLength(1);
  });

  const accepted: [string, unknown[]][] = [
    [
      'a thousand labels',
      [{ labels: Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`label_${index}`, 'x'])) }],
    ],
    [
      'years 0 and 9999',
      [{ labels: { alertname: 'Years' }, startsAt: '0000-01-01T00:00:00Z', endsAt: '9999-12-31T23:59:59Z' }],
    ],
    ['NUL bytes', [{ labels: { alertname: 'Nul', text: 'a\u0000b' } }]],
    ['lone surrogates', [{ labels: { alertname: 'Lone', text: '\ud800x' } }]],
    ['duplicates in one batch', [{ labels: { alertname: 'Twice' } }, { labels: { alertname: 'Twice' } }]],
  ];
  test.each(accepted)('%s are taken', async (_, alerts) => {
    expect((await post(JSON.stringify(alerts))).status).toBe(200);
  });

  test('a label named __proto__ is a label like any other', async () => {
    expect((await post('[{"labels":{"alertname":"Proto","__proto__":"x"}}]')).status).toBe(200);
    const text = await (await fetch(`${server.url}/api/v2/alerts?filter=alertname%3DProto`)).text();
    expect(text).toContain('"__proto__":"x"');
    expect(Object.hasOwn(Object.prototype, 'x')).toBe(false);
  });

  test('a body of ten megabytes is taken, and one past the limit is refused with 413', async () => {
    const big = JSON.stringify([
      { labels: { alertname: 'Big' }, annotations: { text: 'x'.repeat(10_000_000) } },
    ]);
    expect((await post(big)).status).toBe(200);
    const tooBig = `"${'x'.repeat(40_000_000)}"`;
    for (let attempt = 0; attempt < 5; attempt++) expect((await post(tooBig)).status).toBe(413);
  });

  test('a filter that does not parse is answered with 400', async () => {
    const response = await fetch(`${server.url}/api/v2/alerts?filter=%7B%7B`);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatch(/filter/);
  });
});

describe('operation', () => {
  test('health, readiness, metrics and the OpenAPI document answer', async () => {
    expect((await fetch(`${server.url}/-/healthy`)).status).toBe(200);
    expect((await fetch(`${server.url}/-/ready`)).status).toBe(200);
    expect(await (await fetch(`${server.url}/metrics`)).text()).toMatch(
      /tocsin_alerts_received_total\{source="alertmanager"\} \d+/,
    );
    const document = (await get('/openapi.json')) as { paths: Record<string, unknown> };
    expect(Object.keys(document.paths)).toEqual(
      expect.arrayContaining(['/api/v2/alerts', '/api/v1/incidents/{id}/merge']),
    );
  });

  test('a reload with mistakes is refused and changes nothing', async () => {
    const file = join(folder, 'tocsin.yml');
    await writeFile(file, 'route: { receiver: nobody }\n');
    const response = await fetch(`${server.url}/-/reload`, { method: 'POST' });
    expect(response.status).toBe(500);
    expect(await response.text()).toMatch(/tocsin.yml:1:20: route.receiver: there is no receiver "nobody"/);
    expect(await get('/api/v2/receivers')).toEqual([{ name: 'web' }]);
    await writeFile(
      file,
      `route: { receiver: web }\nreceivers: [{ name: web, webhook_configs: [{ url: "${receiver.url}" }] }, { name: other }]\n`,
    );
    expect((await fetch(`${server.url}/-/reload`, { method: 'POST' })).status).toBe(200);
    expect(await get('/api/v2/receivers')).toEqual([{ name: 'web' }, { name: 'other' }]);
  });

  test('after kill -9 everything that was accepted is there, and no page that was done comes twice', async () => {
    const before = (await get('/api/v2/alerts')) as unknown[];
    const done = await settledPages(server, receiver);
    expect(done.length).toBeGreaterThan(0);
    server.child.kill('SIGKILL');
    await server.exited;
    server = await start();
    expect(await get('/api/v2/alerts')).toHaveLength(before.length);
    const ids = receiver.received.map(({ id }) => id);
    for (const id of done) expect(ids.filter((other) => other === id)).toHaveLength(1);
  });

  test('a second process on the same folder is refused with its reason', async () => {
    await expect(start()).rejects.toThrow(/another Tocsin process works in/);
  });
});
