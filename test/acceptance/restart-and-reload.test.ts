import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  settledPages,
  startReceiver,
  startTocsin,
  type ReceivedPage,
  type RecordingReceiver,
  type TocsinProcess,
} from '../support/tocsin.ts';

let folder: string;
let receiver: RecordingReceiver;
let server: TocsinProcess;

async function start(): Promise<TocsinProcess> {
  const [config, data] = [join(folder, 'alertmanager.yml'), join(folder, 'data')];
  return startTocsin('serve', '--alertmanager-config', config, '--data', data, '--listen', '127.0.0.1:0');
}

async function configure(groupInterval = '300ms'): Promise<void> {
  await writeFile(
    join(folder, 'alertmanager.yml'),
    `route: { receiver: web, group_by: [alertname], group_wait: 200ms, group_interval: ${groupInterval} }
receivers: [{ name: web, webhook_configs: [{ url: "${receiver.url}" }] }]
inhibit_rules:
  - { source_matchers: ['alertname="ZoneDown"'], target_matchers: ['alertname="InstanceDown"'] }
`,
  );
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tocsin-restart-'));
  receiver = await startReceiver();
  await configure();
  server = await start();
});

afterEach(async () => {
  server.child.kill('SIGTERM');
  await server.exited;
  await receiver.close();
  await rm(folder, { recursive: true, force: true });
});

const longAgo = new Date(Date.now() - 3_600_000).toISOString();

async function post(...alerts: readonly Readonly<Record<string, string>>[]): Promise<void> {
  const response = await fetch(`${server.url}/api/v2/alerts`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(
      alerts.map(({ endsAt, ...labels }) => ({ labels, startsAt: longAgo, ...(endsAt ? { endsAt } : {}) })),
    ),
  });
  expect(response.status).toBe(200);
}

const over = () => ({ endsAt: new Date().toISOString() });
const down = (instance: string) => ({ alertname: 'InstanceDown', instance });
const other = (instance: string) => ({ alertname: 'Other', instance });

async function reload(): Promise<void> {
  expect((await fetch(`${server.url}/-/reload`, { method: 'POST' })).status).toBe(200);
}

async function restart(): Promise<void> {
  server.child.kill('SIGKILL');
  await server.exited;
  server = await start();
}

/** `alertname status reason: instances`. */
function shown({ body }: ReceivedPage): string {
  const { groupLabels, status, notification_reason, alerts } = body as {
    groupLabels: Record<string, string>;
    status: string;
    notification_reason: string;
    alerts: { labels: Record<string, string> }[];
  };
  const instances = alerts.map(({ labels }) => labels['instance']).join(' ');
  return `${groupLabels['alertname']} ${status}, ${notification_reason}: ${instances}`;
}

const page = (text: string) => receiver.page((received) => shown(received) === text);

describe('an inhibited alert, older than group_wait', () => {
  test.each([
    ['restart', restart],
    ['reload', reload],
  ])('pages nobody after a %s, whichever is sent again first (alertmanager #4064, #2229)', async (_, act) => {
    await post({ alertname: 'ZoneDown', instance: 'zone' });
    await page('ZoneDown firing, first notification: zone');
    await post(down('a'), other('1'));
    await page('Other firing, first notification: 1');
    await settledPages(server, receiver);
    await act();
    await post(down('a'), down('b'));
    await post({ ...other('1'), ...over() });
    await page('Other resolved, all alerts resolved: 1');
    await post(down('c'), other('2'));
    await page('Other firing, new alerts added: 2');
    await post({ ...other('2'), ...over() });
    // A whole group_interval after the last of them came in.
    await page('Other resolved, all alerts resolved: 2');
    expect(receiver.received.map(shown).filter((text) => text.startsWith('InstanceDown'))).toEqual([]);
    expect(receiver.received.map(shown).filter((text) => text.startsWith('ZoneDown'))).toHaveLength(1);
  });
});

describe('a reload', () => {
  test('splits no notification: what comes after it tells the whole group (alertmanager #3407)', async () => {
    await post(other('1'), other('2'), other('3'));
    await page('Other firing, first notification: 1 2 3');
    for (let turn = 0; turn < 5; turn++) await reload();
    await post(other('1'));
    await reload();
    await post(other('4'));
    await page('Other firing, new alerts added: 1 2 3 4');
    await settledPages(server, receiver);
    expect(receiver.received.map(shown)).toEqual([
      'Other firing, first notification: 1 2 3',
      'Other firing, new alerts added: 1 2 3 4',
    ]);
  });

  test('loses no end of an alert that has not been told yet, and tells it once (alertmanager #2146)', async () => {
    await post(other('1'), other('2'));
    await page('Other firing, first notification: 1 2');
    await configure('600ms');
    await post({ ...other('1'), ...over() }, { ...other('2'), ...over() });
    await reload();
    await reload();
    await page('Other resolved, all alerts resolved: 1 2');
    await post({ alertname: 'Last', instance: 'x' });
    await page('Last firing, first notification: x');
    await settledPages(server, receiver);
    expect(receiver.received.map(shown)).toEqual([
      'Other firing, first notification: 1 2',
      'Other resolved, all alerts resolved: 1 2',
      'Last firing, first notification: x',
    ]);
  });

  test('cuts off no notification that is on its way, and sends it once (alertmanager #3407)', async () => {
    const held: ServerResponse[] = [];
    receiver.answer = (response) => void held.push(response);
    await post(other('1'));
    await expect.poll(() => held.length).toBe(1);
    await reload();
    receiver.answer = (response) => void response.end();
    held[0]!.end();
    await settledPages(server, receiver);
    await post({ ...other('1'), ...over() });
    await page('Other resolved, all alerts resolved: 1');
    expect(receiver.received.map(shown)).toEqual([
      'Other firing, first notification: 1',
      'Other resolved, all alerts resolved: 1',
    ]);
  });
});
