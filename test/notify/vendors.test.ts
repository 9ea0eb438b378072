import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { labelsOf } from '../../src/alert/index.ts';
import { notifyGlobals, receiversConfig, type ReceiverGlobals } from '../../src/notify/index.ts';
import { createPagerduty } from '../../src/notify/pagerduty.ts';
import { createPushover } from '../../src/notify/pushover.ts';
import { defaultTemplates } from '../../src/template/index.ts';
import { startReceiver, status, type ReceiverServer } from './receiver-server.ts';
import { firing, notificationOf, resolved } from './scene.ts';
import { notifierWith, told } from './vendor-scene.ts';

let server: ReceiverServer;

beforeEach(async () => {
  server = await startReceiver();
});
afterEach(() => server.close());

const bodyOf = (index = 0): unknown => JSON.parse(server.requests[index]?.body ?? 'null');
const long = firing({ alertname: 'A' }, { annotations: labelsOf({ summary: '😀'.repeat(30_000) }) });
const summary = '{{ .CommonAnnotations.summary }}';
const cut = (length: number) => `${'😀'.repeat(length - 1)}…`;
const over = { status: 'resolved', alerts: [resolved({ alertname: 'A' })] } as const;
const dedupKey = createHash('sha256').update('{}:{alertname="DiskFull"}').digest('hex');

const context = (globals: ReceiverGlobals = notifyGlobals.parse({})) => ({
  globals,
  templates: defaultTemplates(),
  externalUrl: 'http://tocsin.example.net',
});
const unstopped = new AbortController().signal;

/** An integration of each kind that tells the server, and nothing that it does not need. */
const minimal: Readonly<Record<string, (url: string) => Record<string, unknown>>> = {
  slack_configs: (url) => ({ api_url: url, send_resolved: true }),
  pagerduty_configs: (url) => ({ url, routing_key: 'k' }),
  opsgenie_configs: (url) => ({ api_url: url, api_key: 'k' }),
  msteams_configs: (url) => ({ webhook_url: url }),
  msteamsv2_configs: (url) => ({ webhook_url: url }),
  telegram_configs: (url) => ({ api_url: url, bot_token: 't', chat_id: 1 }),
  discord_configs: (url) => ({ webhook_url: url }),
  victorops_configs: (url) => ({ api_url: url, api_key: 'k', routing_key: 'r' }),
};

describe.each(Object.keys(minimal))('%s', (key) => {
  const notifier = (config: Record<string, unknown> = {}) =>
    notifierWith(key, { ...minimal[key]?.(server.url), ...config });

  test.each([429, 500, 502])('%i is tried again', async (code) => {
    server.answers = [status(code)];
    await told(notifier());
    expect(server.requests).toHaveLength(2);
    expect(server.requests[0]?.body).toBe(server.requests[1]?.body);
  });

  test('another refusal is for good', async () => {
    server.answers = [status(404, {}, 'gone')];
    await expect(told(notifier())).rejects.toMatchObject({
      code: 'TOC_NOTIFY_REFUSED',
      message: expect.stringContaining('the receiver answered 404'),
    });
    expect(server.requests).toHaveLength(1);
  });

  test('an answer never repeats a secret of the URL', async () => {
    server.answers = [status(400)];
    await expect(told(notifier())).rejects.not.toHaveProperty('message', expect.stringContaining(server.url));
  });

  test('a resolved group is told', async () => {
    await told(notifier(), over);
    expect(server.requests).toHaveLength(1);
  });

  test('with send_resolved: false it is not', async () => {
    await told(notifier({ send_resolved: false }), over);
    expect(server.requests).toEqual([]);
  });

  test('http_config holds', async () => {
    await told(notifier({ http_config: { http_headers: { 'X-Tenant': { values: ['a'] } } } }));
    expect(server.requests[0]?.headers['x-tenant']).toBe('a');
  });
});

describe('PagerDuty', () => {
  test('an event of a group has one key, whether it triggers or resolves', async () => {
    const notifier = notifierWith('pagerduty_configs', { url: server.url, routing_key: 'k' });
    await told(notifier, {}, 'one');
    await told(notifier, over, 'two');
    expect(bodyOf(0)).toMatchObject({ event_action: 'trigger', dedup_key: dedupKey });
    expect(bodyOf(1)).toMatchObject({ event_action: 'resolve', dedup_key: dedupKey });
  });

  test('a long summary is cut, and details that are too large are left out', async () => {
    const notifier = notifierWith('pagerduty_configs', {
      url: server.url,
      routing_key: 'k',
      description: summary,
      details: Object.fromEntries(['a', 'b', 'c', 'd', 'e'].map((name) => [name, summary])),
    });
    await told(notifier, { alerts: [long] });
    expect(bodyOf()).toMatchObject({
      payload: {
        summary: cut(1024),
        custom_details: { error: expect.stringContaining('Custom details have been removed') },
      },
    });
  });

  test('with a service key events are of version 1, where 403 means later', async () => {
    const [receiver] = receiversConfig.parse([{ name: 'web', pagerduty_configs: [{ service_key: 's' }] }]);
    const [config] = receiver?.pagerduty_configs ?? [];
    if (!config) throw new Error('no configuration');
    const integration = createPagerduty('pagerduty[0]', config, context(), server.url);
    server.answers = [status(403)];
    await expect(integration.send('id', notificationOf(), unstopped)).rejects.toMatchObject({
      retryable: true,
    });
    expect(bodyOf()).toMatchObject({
      service_key: 's',
      event_type: 'trigger',
      incident_key: dedupKey,
      client: 'Alertmanager',
      details: { num_firing: '1', num_resolved: '0' },
    });
  });

  test('a bad request says what was wrong with it', async () => {
    server.answers = [status(400, {}, '{"message":"Event object is invalid","errors":["a","b"]}')];
    const notifier = notifierWith('pagerduty_configs', { url: server.url, routing_key: 'k' });
    await expect(told(notifier)).rejects.toMatchObject({
      message: 'receiver web: pagerduty[0]: the receiver answered 400: Event object is invalid: a,b',
    });
  });

  test('a routing key that a template leaves empty is refused', async () => {
    const notifier = notifierWith('pagerduty_configs', {
      url: server.url,
      routing_key: '{{ .CommonLabels.none }}',
    });
    await expect(told(notifier)).rejects.toMatchObject({
      message: expect.stringContaining('the routing key is empty'),
    });
  });
});

test('Opsgenie: a long message is cut, and the key may be global', async () => {
  await told(
    notifierWith(
      'opsgenie_configs',
      { message: summary },
      { opsgenie_api_url: server.url, opsgenie_api_key: 'g' },
    ),
    {
      alerts: [long],
    },
  );
  expect(bodyOf()).toMatchObject({ message: cut(130), alias: dedupKey });
  expect(server.requests[0]).toMatchObject({
    url: '/hook/v2/alerts',
    headers: { authorization: 'GenieKey g' },
  });
});

test('Microsoft Teams: a card of the default templates', async () => {
  await told(notifierWith('msteams_configs', { webhook_url: server.url }), over);
  expect(bodyOf()).toEqual({
    '@context': 'http://schema.org/extensions',
    '@type': 'MessageCard',
    type: 'MessageCard',
    title: '[RESOLVED] DiskFull ',
    summary: '[RESOLVED] DiskFull ',
    text: expect.stringContaining('# Alerts Resolved:\n\nLabels:\n  - alertname = A\n'),
    themeColor: '2DC72D',
  });
});

test('Microsoft Teams: an adaptive card of the default templates', async () => {
  await told(notifierWith('msteamsv2_configs', { webhook_url: server.url }));
  expect(bodyOf()).toMatchObject({
    type: 'message',
    attachments: [
      {
        contentType: 'application/vnd.microsoft.card.adaptive',
        content: {
          body: [
            { type: 'TextBlock', text: '[FIRING:1] DiskFull (a)', color: 'Attention' },
            { type: 'TextBlock', text: expect.stringContaining('# Alerts Firing:') },
          ],
        },
      },
    ],
  });
});

test('Telegram: values in HTML are escaped, the message is cut, a topic may be named', async () => {
  const config = { api_url: `${server.url}/`, bot_token: 't', chat_id: -5, disable_notifications: true };
  await told(
    notifierWith('telegram_configs', { ...config, message: '<b>{{ "<" }}</b>', message_thread_id: 7 }),
    {},
    'one',
  );
  await told(
    notifierWith('telegram_configs', { ...config, message: summary, parse_mode: '' }),
    { alerts: [long] },
    'two',
  );
  expect(server.requests[0]?.url).toBe('/hook/bott/sendMessage');
  expect(bodyOf(0)).toEqual({
    chat_id: '-5',
    message_thread_id: '7',
    text: '<b>&lt;</b>',
    parse_mode: 'HTML',
    disable_notification: 'true',
    disable_web_page_preview: 'true',
  });
  expect(bodyOf(1)).toMatchObject({ text: cut(4096) });
});

test('Discord: title, message and content are cut to what it takes', async () => {
  await told(
    notifierWith('discord_configs', {
      webhook_url: server.url,
      title: summary,
      message: summary,
      content: summary,
    }),
    {
      alerts: [long],
    },
  );
  expect(bodyOf()).toEqual({
    content: cut(2000),
    embeds: [{ title: cut(256), description: cut(4096), color: 0x992d22 }],
  });
});

describe('VictorOps', () => {
  test.each([
    ['WARNING', 'WARNING'],
    ['NONSENSE', 'CRITICAL'],
  ])('message_type %s is sent as %s', async (message_type, sent) => {
    const globals = { victorops_api_url: server.url, victorops_api_key: 'g' };
    const notifier = notifierWith(
      'victorops_configs',
      { routing_key: 'a b', message_type, state_message: summary },
      globals,
    );
    await told(notifier, { alerts: [long] });
    expect(server.requests[0]?.url).toBe('/hook/g/a%20b');
    expect(bodyOf()).toMatchObject({ message_type: sent, entity_id: dedupKey, state_message: cut(20_480) });
  });
});

describe('Pushover', () => {
  const sent = async (given: Record<string, unknown>, change = {}): Promise<Record<string, string>> => {
    const [receiver] = receiversConfig.parse([
      { name: 'web', pushover_configs: [{ user_key: 'u', token: 't', ...given }] },
    ]);
    const [config] = receiver?.pushover_configs ?? [];
    if (!config) throw new Error('no configuration');
    await createPushover('pushover[0]', config, context(), server.url).send(
      'id',
      notificationOf(change),
      unstopped,
    );
    return Object.fromEntries(new URLSearchParams(server.requests.at(-1)?.body));
  };

  test('a message of the default templates is an emergency while it fires', async () => {
    expect(await sent({})).toEqual({
      token: 't',
      user: 'u',
      title: '[FIRING:1] DiskFull (a)',
      message: expect.stringMatching(/^Alerts Firing:\nLabels:\n - alertname = DiskFull\n/),
      url: 'http://tocsin.example.net/#/alerts?receiver=web',
      url_title: '',
      priority: '2',
      retry: '60',
      expire: '3600',
      sound: '',
    });
    expect(await sent({}, over)).toMatchObject({ priority: '0' });
  });

  test('texts are cut, HTML is escaped, and a message is never empty', async () => {
    expect(await sent({ title: summary, message: summary, url: summary }, { alerts: [long] })).toMatchObject({
      title: cut(250),
      message: cut(1024),
      url: cut(512),
    });
    expect(await sent({ html: true, message: '<b>{{ "<" }}</b>', device: 'd', ttl: '1m' })).toMatchObject({
      html: '1',
      message: '<b>&lt;</b>',
      device: 'd',
      ttl: '60',
    });
    expect(await sent({ message: ' ' })).toMatchObject({ message: '(no details)' });
  });
});
