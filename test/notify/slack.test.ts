import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { labelsOf } from '../../src/alert/index.ts';
import { hang, startReceiver, status, type ReceiverServer } from './receiver-server.ts';
import { firing, incidentOf, resolved } from './scene.ts';
import { notifierWith, told } from './vendor-scene.ts';

let server: ReceiverServer;

beforeEach(async () => {
  server = await startReceiver();
});
afterEach(() => server.close());

const slack = (config: Record<string, unknown> = {}, globals: Record<string, unknown> = {}) =>
  notifierWith('slack_configs', { api_url: server.url, ...config }, globals);

test('a page is one attachment with the default templates', async () => {
  await told(slack({ channel: '#on-call' }));
  expect(server.requests).toHaveLength(1);
  expect(server.requests[0]?.headers).toMatchObject({
    'content-type': 'application/json',
    'user-agent': 'Tocsin',
  });
  expect(JSON.parse(server.requests[0]?.body ?? '')).toEqual({
    channel: '#on-call',
    username: 'Alertmanager',
    attachments: [
      {
        title: '[FIRING:1] DiskFull (a)',
        title_link: 'http://tocsin.example.net/#/alerts?receiver=web',
        text: '',
        fallback: '[FIRING:1] DiskFull (a) | http://tocsin.example.net/#/alerts?receiver=web',
        callback_id: '',
        footer: '',
        color: 'danger',
        mrkdwn_in: ['fallback', 'pretext', 'text'],
      },
    ],
  });
});

test('every text may be a template; fields, actions and the incident are in', async () => {
  const notifier = slack({
    send_resolved: true,
    channel: '#{{ .CommonLabels.team }}',
    title: '{{ with .Tocsin.Incident }}{{ .Priority }} {{ .Title }}{{ end }}',
    fields: [
      { title: 'Alerts', value: '{{ len .Alerts }}' },
      { title: 'Team', value: '{{ .CommonLabels.team }}', short: false },
    ],
    short_fields: true,
    mrkdwn_in: ['text'],
    link_names: true,
    actions: [
      { type: 'button', text: 'Runbook', url: '{{ .ExternalURL }}/runbook', name: 'dropped' },
      {
        type: 'button',
        text: 'Ack',
        name: 'ack',
        value: '{{ .Tocsin.Incident.ID }}',
        style: 'primary',
        confirm: { text: 'Sure?' },
      },
    ],
  });
  await told(notifier, {
    incident: incidentOf(),
    alerts: [firing({ alertname: 'A', team: 'db' }), resolved({ alertname: 'B', team: 'db' })],
  });
  expect(JSON.parse(server.requests[0]?.body ?? '')).toMatchObject({
    channel: '#db',
    link_names: true,
    attachments: [
      {
        title: 'P1 payments-db runs out of disk; checkout-api and 2 more fail',
        fields: [
          { title: 'Alerts', value: '2', short: true },
          { title: 'Team', value: 'db', short: false },
        ],
        actions: [
          { type: 'button', text: 'Runbook', url: 'http://tocsin.example.net/runbook' },
          {
            type: 'button',
            text: 'Ack',
            name: 'ack',
            value: 'INC-1',
            style: 'primary',
            confirm: { text: 'Sure?' },
          },
        ],
        mrkdwn_in: ['text'],
      },
    ],
  });
});

test('resolved alerts are not told unless it is asked for', async () => {
  await told(slack(), { status: 'resolved', alerts: [resolved({ alertname: 'A' })] });
  expect(server.requests).toEqual([]);
});

test('a title longer than Slack takes is cut', async () => {
  await told(slack({ title: '{{ .CommonAnnotations.summary }}' }), {
    alerts: [firing({ alertname: 'A' }, { annotations: labelsOf({ summary: '😀'.repeat(1100) }) })],
  });
  expect(JSON.parse(server.requests[0]?.body ?? '')).toMatchObject({
    attachments: [{ title: `${'😀'.repeat(1023)}…` }],
  });
});

describe('where it goes', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tocsin-slack-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  test('to the global URL, read anew from its file', async () => {
    const file = join(folder, 'url');
    await writeFile(file, `${server.url}/first\n`);
    const notifier = notifierWith('slack_configs', {}, { slack_api_url_file: file });
    await told(notifier, {}, 'one');
    await writeFile(file, `${server.url}/second\n`);
    await told(notifier, {}, 'two');
    expect(server.requests.map(({ url }) => url)).toEqual(['/hook/first', '/hook/second']);
  });

  test("an app's messages go to the API with its token", async () => {
    server.answers = [status(200, {}, '{"ok":true}')];
    await told(notifierWith('slack_configs', { app_token: 'xoxb-1', app_url: server.url, channel: 'c' }));
    expect(server.requests[0]?.headers.authorization).toBe('Bearer xoxb-1');
  });

  test('a configuration that says it nowhere is refused', () => {
    expect(() => notifierWith('slack_configs', {})).toThrow(
      expect.objectContaining({
        code: 'TOC_CONFIG_INVALID',
        message: 'receiver web, slack[0]: no Slack API URL is set, neither here nor as global.slack_api_url',
      }),
    );
  });
});

describe('answers', () => {
  test.each([429, 500, 503])('%i is tried again', async (code) => {
    server.answers = [status(code)];
    await told(slack());
    expect(server.requests).toHaveLength(2);
  });

  test.each([400, 403, 404])('%i is a refusal', async (code) => {
    server.answers = [status(code, {}, 'invalid_payload')];
    await expect(told(slack())).rejects.toMatchObject({
      code: 'TOC_NOTIFY_REFUSED',
      message: `receiver web: slack[0]: the receiver answered ${code}: invalid_payload`,
    });
    expect(server.requests).toHaveLength(1);
  });

  test('200 with an error in it is a refusal', async () => {
    server.answers = [status(200, {}, '{"ok":false,"error":"channel_not_found"}')];
    await expect(told(slack())).rejects.toMatchObject({
      code: 'TOC_NOTIFY_REFUSED',
      message: 'receiver web: slack[0]: the receiver did not take it: channel_not_found',
    });
  });

  test('a server that says nothing is given up after the timeout', async () => {
    server.answers = [hang, status(200)];
    await told(slack({ timeout: '50ms' }));
    expect(server.requests).toHaveLength(2);
  });
});

test('a template that cannot be rendered is not tried again, and says why', async () => {
  await expect(told(slack({ text: '{{ .Nope }}' }))).rejects.toMatchObject({
    code: 'TOC_NOTIFY_REFUSED',
    message: `receiver web: slack[0]: template: :1:3: executing "" at <.Nope>: can't evaluate field Nope in type *template.Data`,
  });
  expect(server.requests).toEqual([]);
});
