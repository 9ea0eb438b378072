import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startAlertmanager, type RunningAlertmanager } from '../support/alertmanager.ts';
import { startReceiver, startNode, type RecordingReceiver } from '../support/tocsin.ts';

const entry = new URL('../../bin/tocsin-alertmanager.js', import.meta.url).pathname;
const closers: (() => Promise<unknown>)[] = [];
let theirs: RunningAlertmanager;
let ours: RunningAlertmanager;
let receiver: RecordingReceiver;

/** Samples by name and labels; labels sorted, as the two write them in different orders. */
async function metricsOf(url: string): Promise<Map<string, number>> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return new Map(
    [...text.matchAll(/^(alertmanager_\w+)(?:\{(.*)\})? (\S+)$/gm)].map(([, name, labels = '', value]) => [
      `${name}{${labels.split(',').filter(Boolean).toSorted().join(',')}}`,
      Number(value),
    ]),
  );
}

beforeAll(async () => {
  receiver = await startReceiver();
  closers.push(() => receiver.close());
  const config = `
route: { receiver: web, group_by: [alertname], group_wait: 100ms }
receivers: [{ name: web, webhook_configs: [{ url: '${receiver.url}' }] }]
`;
  [theirs, ours] = await Promise.all([
    startAlertmanager('alertmanager', config),
    startAlertmanager('tocsin', config),
  ]);
  closers.push(
    () => theirs.stop(),
    () => ours.stop(),
  );
});
afterAll(async () => {
  for (const close of closers.toReversed()) await close();
});

test("the samples that rules and dashboards watch are Alertmanager's, beside the real one", async () => {
  for (const { url } of [theirs, ours]) {
    const post = (alerts: readonly unknown[]) =>
      fetch(`${url}/api/v2/alerts`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(alerts),
      });
    // First, so that a slow machine pages nobody in between.
    await fetch(`${url}/api/v2/silences`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        matchers: [{ name: 'alertname', value: 'b', isRegex: false }],
        startsAt: new Date().toISOString(),
        endsAt: new Date(Date.now() + 3_600_000).toISOString(),
        createdBy: 'ann',
        comment: 'known',
      }),
    });
    await post([{ labels: { alertname: 'a' } }, { labels: { alertname: 'b' } }]);
    await post([
      {
        labels: { alertname: 'c' },
        endsAt: new Date(Date.now() - 1000).toISOString(),
        startsAt: '2026-01-01T00:00:00Z',
      },
    ]);
    await post([{ labels: {} }]);
  }
  const names = [
    'alertmanager_alerts_received_total{status="firing",version="v2"}',
    'alertmanager_alerts_received_total{status="resolved",version="v2"}',
    'alertmanager_alerts_invalid_total{version="v2"}',
    'alertmanager_silences{state="active"}',
    'alertmanager_silences{state="expired"}',
    'alertmanager_notifications_total{integration="webhook"}',
    'alertmanager_notifications_failed_total{integration="webhook"}',
    'alertmanager_config_last_reload_successful{}',
    'alertmanager_alerts{state="active"}',
    'alertmanager_alerts{state="suppressed"}',
  ];
  const sampled = async (url: string): Promise<Record<string, number | undefined>> => {
    const metrics = await metricsOf(url);
    return Object.fromEntries(names.map((name) => [name, metrics.get(name)]));
  };
  await expect
    .poll(async () => (await sampled(theirs.url))['alertmanager_alerts{state="suppressed"}'], {
      timeout: 20_000,
    })
    .toBe(1);
  await expect.poll(() => sampled(ours.url), { timeout: 20_000 }).toEqual(await sampled(theirs.url));
});

test('a reload that failed can be seen in the metrics and in the log', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tocsin-reload-'));
  const file = join(folder, 'alertmanager.yml');
  await writeFile(file, 'route: { receiver: a }\nreceivers: [{ name: a }]\n');
  const server = await startNode(
    entry,
    `--config.file=${file}`,
    `--storage.path=${folder}/data`,
    '--web.listen-address=127.0.0.1:0',
  );
  await writeFile(file, 'route: { receiver: nobody }\nreceivers: [{ name: a }]\n');
  expect((await fetch(`${server.url}/-/reload`, { method: 'POST' })).status).toBe(500);
  expect((await metricsOf(server.url)).get('alertmanager_config_last_reload_successful{}')).toBe(0);
  await server.says(/The configuration was not loaded/);
  server.child.kill('SIGTERM');
  await server.exited;
  await rm(folder, { recursive: true });
});
