import { systemClock } from '../../src/app/clock.ts';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { labelsOf } from '../../src/alert/index.ts';
import type { Notification } from '../../src/incident/index.ts';
import { Notifier, receiversConfig } from '../../src/notify/index.ts';
import {
  certificateFile,
  headerOf,
  partOf,
  startMailServer,
  type MailServer,
} from '../notify/mail-server.ts';
import { startReceiver, status, type Delivered, type ReceiverServer } from '../notify/receiver-server.ts';
import { alertOf, effectOf } from '../notify/scene.ts';
import { findBinary } from '../support/servers.ts';
import { freePort } from '../support/port.ts';

const alertmanager = findBinary('prometheus-alertmanager');
const externalUrl = 'http://alerts.example.net';

const startsAtMs = Date.now() - 60_000;
const endsAtMs = Date.now() - 1000;
const shared = { alertname: 'DiskFull', cluster: "eu's", severity: 'critical', team: 'db' };
const annotations = {
  summary: 'Disk <97 %> & "full" ü',
  runbook_url: 'https://runbooks.example.net/disk?a=1&b=2',
};
const alerts = ['a:9100', 'b:9100'].map((instance) => ({
  labels: { ...shared, instance, job: 'node' },
  annotations: { ...annotations, description: `on ${instance}` },
  generatorURL: `http://prometheus:9090/graph?g0.expr=up+%3D%3D+0&host=${instance}`,
}));

/** The same for both sides; `url` is where each sends its own. */
function receiverOf(url: string, smarthost: string): Record<string, unknown> {
  return {
    name: 'on.call',
    webhook_configs: [
      {
        url: `${url}/webhook`,
        http_config: { basic_auth: { username: 'ada', password: 'x y' } },
      },
    ],
    slack_configs: [
      {
        send_resolved: true,
        api_url: `${url}/slack`,
        channel: '#{{ .CommonLabels.team }}',
        text: '{{ range .Alerts }}{{ .Annotations.summary | title }} {{ .StartsAt.Year }}\n{{ end }}',
        fields: [
          { title: 'Count', value: '{{ len .Alerts.Firing }}/{{ len .Alerts }}' },
          { title: 'Team', value: '{{ .CommonLabels.team | toUpper }}', short: true },
        ],
        actions: [
          { type: 'button', text: 'Runbook', url: '{{ .CommonAnnotations.runbook_url }}' },
          {
            type: 'button',
            text: 'Ack',
            name: 'ack',
            value: '1',
            confirm: { text: 'Sure?', ok_text: 'Yes' },
          },
        ],
        image_url: 'https://example.net/{{ .Status }}.png',
      },
      { send_resolved: true, api_url: `${url}/slack-defaults`, channel: '#all' },
    ],
    pagerduty_configs: [
      {
        routing_key: 'r0uting',
        url: `${url}/pagerduty`,
        severity: '{{ .CommonLabels.severity }}',
        class: 'disk',
        details: { cluster: '{{ .CommonLabels.cluster }}', num_firing: 'some' },
        links: [
          { href: '{{ .CommonAnnotations.runbook_url }}', text: 'Runbook' },
          { href: '{{ .CommonLabels.none }}' },
        ],
        images: [{ src: 'https://example.net/a.png', alt: 'a' }],
      },
    ],
    opsgenie_configs: [
      {
        api_key: 'g3nie',
        api_url: `${url}/opsgenie/`,
        priority: 'P1',
        tags: 'a,,{{ .CommonLabels.team }}',
        details: { severity: 'high' },
        update_alerts: true,
        responders: [
          { name: '{{ .CommonLabels.team }},web', type: 'teams' },
          { username: 'ada', type: 'user' },
        ],
      },
    ],
    victorops_configs: [
      {
        api_key: 'v1ctor',
        api_url: `${url}/victorops`,
        routing_key: '{{ .CommonLabels.team }}',
        custom_fields: { zone: 'z' },
      },
    ],
    telegram_configs: [{ api_url: `${url}/telegram`, bot_token: 't0ken', chat_id: -100_123 }],
    discord_configs: [{ webhook_url: `${url}/discord` }],
    email_configs: [
      {
        send_resolved: true,
        to: 'On call <{{ .CommonLabels.team }}@example.net>, ops@example.net',
        from: 'alerts@example.net',
        smarthost,
        headers: { 'x-team': '{{ .CommonLabels.team }} ü' },
        text: '{{ template "telegram.default.message" . }}',
        tls_config: { ca_file: certificateFile },
      },
    ],
  };
}

interface Sent {
  readonly path: string;
  readonly method: string;
  readonly contentType: string | undefined;
  readonly authorization: string | undefined;
  readonly body: unknown;
}

/** What a side sent since `from`, in the order of paths. */
function sentBy(side: string, requests: readonly Delivered[]): Sent[] {
  return requests
    .filter(({ url }) => url.startsWith(`/hook/${side}/`))
    .map(({ url, method, headers, body }) => ({
      path: url.slice(`/hook/${side}`.length),
      method,
      contentType: headers['content-type'],
      authorization: headers.authorization,
      body: JSON.parse(body) as unknown,
    }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** One notification makes so many requests: of those that fire (Opsgenie's makes three), and of those that have resolved. */
const firingCount = 10;
const resolvedCount = 8;

describe.skipIf(alertmanager === null)('receivers get of Tocsin what they get of Alertmanager', () => {
  let folder: string;
  let receiver: ReceiverServer;
  let mails: Readonly<Record<'alertmanager' | 'tocsin', MailServer>>;
  let process: ChildProcess;
  let api: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tocsin-side-by-side-'));
    receiver = await startReceiver();
    const telegram = JSON.stringify({
      ok: true,
      result: { message_id: 1, date: 1, chat: { id: 1, type: 'private' } },
    });
    receiver.answers = Array.from({ length: 100 }, () => status(200, {}, telegram));
    mails = { alertmanager: await startMailServer(), tocsin: await startMailServer() };
    const file = join(folder, 'alertmanager.yml');
    const config = {
      route: {
        receiver: 'on.call',
        group_by: ['alertname', 'cluster'],
        group_wait: '0s',
        group_interval: '1s',
        repeat_interval: '1h',
      },
      receivers: [receiverOf(`${receiver.url}/alertmanager`, mails.alertmanager.smarthost)],
    };
    await writeFile(file, JSON.stringify(config));
    const port = await freePort();
    api = `http://127.0.0.1:${port}`;
    process = spawn(
      alertmanager ?? '',
      [
        `--config.file=${file}`,
        `--storage.path=${join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
        `--web.external-url=${externalUrl}`,
        '--web.route-prefix=/',
        '--cluster.listen-address=',
        '--log.level=error',
      ],
      { stdio: 'ignore' },
    );
    await vi.waitUntil(isReady, { timeout: 30_000, interval: 50 });
  });

  afterAll(async () => {
    if (process.exitCode === null) {
      const exited = once(process, 'exit');
      process.kill('SIGKILL');
      await exited;
    }
    await Promise.all([receiver.close(), mails.alertmanager.close(), mails.tocsin.close()]);
    await rm(folder, { recursive: true, force: true });
  });

  async function isReady(): Promise<boolean> {
    try {
      return (await fetch(`${api}/-/ready`)).ok;
    } catch {
      return false;
    }
  }

  /** What both sides have sent of it, once both have sent all. */
  async function tell(
    status: 'firing' | 'resolved',
    requestCount: number,
  ): Promise<readonly [Sent[], Sent[]]> {
    const before = { requests: receiver.requests.length, mails: mails.alertmanager.mails.length };
    const times = {
      startsAt: new Date(startsAtMs).toISOString(),
      ...(status === 'resolved' ? { endsAt: new Date(endsAtMs).toISOString() } : {}),
    };
    const response = await fetch(`${api}/api/v2/alerts`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(alerts.map((alert) => ({ ...alert, ...times }))),
    });
    expect(response.status).toBe(200);
    await expect
      .poll(() => receiver.requests.length - before.requests, { timeout: 30_000 })
      .toBe(requestCount);
    await expect.poll(() => mails.alertmanager.mails.length - before.mails, { timeout: 30_000 }).toBe(1);
    await notifier().carryOut(
      effectOf(notificationOf(status), `page-${status}`),
      new AbortController().signal,
    );
    const requests = receiver.requests.slice(before.requests);
    return [sentBy('alertmanager', requests), sentBy('tocsin', requests)];
  }

  function notifier(): Notifier {
    const config = receiverOf(`${receiver.url}/tocsin`, mails.tocsin.smarthost);
    return new Notifier(receiversConfig.parse([config]), {
      deliveries: { isDelivered: async () => false, remember: async () => undefined },
      publisher: null,
      print: () => undefined,
      externalUrl,
      attempts: 1,
      firstWaitMs: 1,
      longestWaitMs: 1,
      clock: systemClock,
    });
  }

  test.for([
    ['firing', firingCount],
    ['resolved', resolvedCount],
  ] as const)('%s', async ([status, requestCount]) => {
    const [expected, actual] = await tell(status, requestCount);
    expect(expected).toHaveLength(requestCount);
    const others = ({ path }: Sent) => path !== '/webhook';
    expect(actual.filter(others)).toEqual(expected.filter(others));
    // The webhook's body has more than Alertmanager's.
    expect(actual).toMatchObject(expected);
    const [expectedMail, actualMail] = [mails.alertmanager.mails.at(-1), mails.tocsin.mails.at(-1)];
    expect(actualMail).toMatchObject({ ...expectedMail, raw: expect.any(String) });
    for (const name of ['Subject', 'From', 'To', 'X-Team'])
      expect(headerOf(actualMail?.raw ?? '', name)).toBe(headerOf(expectedMail?.raw ?? '', name));
    for (const type of ['text/plain', 'text/html'])
      expect(partOf(actualMail?.raw ?? '', type)?.trim()).toBe(partOf(expectedMail?.raw ?? '', type)?.trim());
  });
});

function notificationOf(status: 'firing' | 'resolved'): Partial<Notification> {
  const firstLabels = alerts[0]?.labels ?? shared;
  return {
    receiver: 'on.call',
    status,
    groupKey: `{}:{alertname="${firstLabels.alertname}", cluster="${firstLabels.cluster}"}`,
    groupLabels: labelsOf({ alertname: firstLabels.alertname, cluster: firstLabels.cluster }),
    alerts: alerts.map(({ labels, annotations, generatorURL }) => ({
      status,
      alert: alertOf(labels, {
        annotations: labelsOf(annotations),
        startsAtMs,
        endsAtMs,
        generatorUrl: generatorURL,
      }),
    })),
  };
}
