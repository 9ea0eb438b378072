import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  main,
  startNode,
  startReceiver,
  type RecordingReceiver,
  type TocsinProcess,
} from '../support/tocsin.ts';

let folder: string;
let receiver: RecordingReceiver;
let server: TocsinProcess;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tocsin-clock-'));
  receiver = await startReceiver();
  await writeFile(
    join(folder, 'tocsin.yml'),
    `route: { receiver: web, group_by: [alertname], group_wait: 100ms, group_interval: 300ms }
receivers: [{ name: web, webhook_configs: [{ url: "${receiver.url}" }] }]
`,
  );
});
afterEach(async () => {
  server.child.kill('SIGTERM');
  await server.exited;
  await receiver.close();
  await rm(folder, { recursive: true, force: true });
});

async function start(...nodeOptions: string[]): Promise<TocsinProcess> {
  const files = ['--config', join(folder, 'tocsin.yml'), '--data', join(folder, 'data')];
  return startNode(...nodeOptions, main, 'serve', ...files, '--listen', '127.0.0.1:0');
}

/** Posts an alert and waits until it is paged. */
async function page(name: string, times: Record<string, string> = {}): Promise<void> {
  const response = await fetch(`${server.url}/api/v2/alerts`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify([{ labels: { alertname: name, severity: 'critical' }, ...times }]),
  });
  expect(response.status).toBe(200);
  await receiver.page(({ body }) => JSON.stringify(body).includes(`"${name}"`));
}

const inMinutes = (minutes: number): string => new Date(Date.now() + minutes * 60_000).toISOString();

test('when the clock is set back by an hour, alerts are paged and silences silence as ever, after a restart too', async () => {
  server = await start('--import', join(import.meta.dirname, '../support/shifted-clock.mjs'));
  await page('Before');
  server.child.kill('SIGUSR2');
  await page('WithoutEnd');
  await page('AsPrometheusSendsIt', { startsAt: inMinutes(-1), endsAt: inMinutes(4) });
  await server.says(/clock was set back/);
  server.child.kill('SIGKILL');
  await server.exited;

  server = await start();
  await page('AfterTheRestart', { startsAt: inMinutes(-1), endsAt: inMinutes(4) });
  const silenced = await fetch(`${server.url}/api/v2/silences`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({
      matchers: [{ name: 'alertname', value: 'AfterTheRestart', isRegex: false }],
      startsAt: inMinutes(0),
      endsAt: inMinutes(10),
      createdBy: 'alex',
      comment: 'known',
    }),
  });
  expect(silenced.status).toBe(200);
  const alerts = await fetch(`${server.url}/api/v2/alerts?silenced=true&active=false`);
  expect(await alerts.json()).toMatchObject([{ labels: { alertname: 'AfterTheRestart' } }]);
});
