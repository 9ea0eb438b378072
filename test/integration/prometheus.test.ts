import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { startAlertmanager, type RunningAlertmanager } from '../support/alertmanager.ts';
import { findBinary, serverCommand, testServers } from '../support/servers.ts';
import { startReceiver, type RecordingReceiver } from '../support/tocsin.ts';
import { freePort } from '../support/port.ts';

const isHere = [testServers.alertmanager, testServers.prometheus].every(({ binary }) => findBinary(binary));

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

/** A Prometheus that evaluates `rules` each second and tells both servers. */
async function startPrometheus(
  servers: readonly RunningAlertmanager[],
  rules: string,
): Promise<{ reload(rules: string): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'prometheus-'));
  const targets = servers.map(({ url }) => new URL(url).host);
  await writeFile(
    join(folder, 'prometheus.yml'),
    JSON.stringify({
      global: { evaluation_interval: '1s', scrape_interval: '1s', external_labels: { site: 'test' } },
      rule_files: ['rules.yml'],
      alerting: { alertmanagers: [{ static_configs: [{ targets }] }] },
    }),
  );
  await writeFile(join(folder, 'rules.yml'), rules);
  const port = await freePort();
  const [command, ...args] = serverCommand(testServers.prometheus);
  const child: ChildProcess = spawn(
    command,
    [
      ...args,
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      // Alerts end by themselves after four times that: longer than a machine under load stands still.
      '--rules.alert.resend-delay=5s',
      '--log.level=error',
    ],
    { stdio: 'ignore' },
  );
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  closers.push(async () => {
    child.kill('SIGTERM');
    await exited;
    await rm(folder, { recursive: true, force: true });
  });
  return {
    async reload(next) {
      await writeFile(join(folder, 'rules.yml'), next);
      child.kill('SIGHUP');
    },
  };
}

/** Two series of one rule, which Prometheus sends together, and what they inhibit. */
const rules = (threshold: number): string => `
groups:
  - name: shop
    rules:
      - alert: ShopDown
        expr: (label_replace(vector(1), "instance", "a", "", "") or label_replace(vector(2), "instance", "b", "", "")) > ${threshold}
        labels: { severity: critical }
        annotations: { summary: the shop is down }
      - alert: ShopSlow
        expr: vector(1) > ${threshold}
        for: 2s
        labels: { severity: warning }
`;

const configFor = ({ url }: RecordingReceiver): string => `
route: { receiver: web, group_by: [alertname], group_wait: 500ms, group_interval: 1s }
inhibit_rules:
  - source_matchers: [alertname="ShopDown"]
    target_matchers: [alertname="ShopSlow"]
receivers: [{ name: web, webhook_configs: [{ url: "${url}", send_resolved: true }] }]
`;

/** What a page says, without what two servers say differently: times, their own address, and what only Tocsin adds. */
function told({ body }: { readonly body: Record<string, unknown> }): unknown {
  const {
    status,
    groupKey,
    groupLabels,
    commonLabels,
    commonAnnotations,
    receiver,
    version,
    truncatedAlerts,
  } = body;
  const alerts = (body['alerts'] as readonly Record<string, unknown>[]).map(
    ({ startsAt: _startsAt, endsAt, generatorURL: _generatorURL, ...alert }) => ({
      ...alert,
      hasEnded: !String(endsAt).startsWith('0001-'),
    }),
  );
  return {
    status,
    groupKey,
    groupLabels,
    commonLabels,
    commonAnnotations,
    receiver,
    version,
    truncatedAlerts,
    alerts,
  };
}

describe.skipIf(!isHere)('Prometheus with alerting rules', () => {
  test('what fires and resolves is told as Alertmanager tells it', async () => {
    const receivers = await Promise.all([startReceiver(), startReceiver()]);
    closers.push(...receivers.map((receiver) => () => receiver.close()));
    const [theirReceiver, ourReceiver] = receivers;
    const servers = await Promise.all([
      startAlertmanager('alertmanager', configFor(theirReceiver)),
      startAlertmanager('tocsin', configFor(ourReceiver)),
    ]);
    closers.push(...servers.map((server) => () => server.stop()));
    const prometheus = await startPrometheus(servers, rules(0));

    const isBoth = ({ body }: { readonly body: Record<string, unknown> }, status: string): boolean =>
      body['status'] === status && (body['alerts'] as readonly unknown[]).length === 2;
    const firing = await Promise.all(
      receivers.map((receiver) => receiver.page((page) => isBoth(page, 'firing'))),
    );
    expect(told(firing[1]!)).toEqual(told(firing[0]!));

    // It fires later than what inhibits it, so that no server hears of it first.
    for (const { url } of servers) {
      const inhibited = `${url}/api/v2/alerts?active=false&silenced=false&inhibited=true`;
      await expect
        .poll(async () => (await fetch(inhibited)).json(), { timeout: 30_000 })
        .toMatchObject([{ labels: { alertname: 'ShopSlow' } }]);
    }
    for (const receiver of receivers) {
      const slow = receiver.received.filter(
        ({ body }) => body['status'] === 'firing' && String(body['groupKey']).includes('ShopSlow'),
      );
      expect(slow).toEqual([]);
    }

    await prometheus.reload(rules(5));
    const resolved = await Promise.all(
      receivers.map((receiver) => receiver.page((page) => isBoth(page, 'resolved'))),
    );
    expect(told(resolved[1]!)).toEqual(told(resolved[0]!));
  });
});
