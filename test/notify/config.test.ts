import { describe, expect, test } from 'vitest';
import { notifyGlobals, receiverMistakes, receiversConfig, withoutSecrets } from '../../src/notify/index.ts';

const webhook = (config: Record<string, unknown>) =>
  receiversConfig.safeParse([
    { name: 'web', webhook_configs: [{ url: 'https://hooks.example.net/', ...config }] },
  ]);

test("a receiver of Alertmanager's file means the same here", () => {
  const [receiver] = receiversConfig.parse([
    {
      name: 'web',
      webhook_configs: [
        {
          url_file: '/run/secrets/url',
          max_alerts: 5,
          http_config: { authorization: { credentials_file: '/run/secrets/token' } },
        },
      ],
    },
  ]);
  expect(receiver).toMatchObject({
    name: 'web',
    nats_configs: [],
    console_configs: [],
    webhook_configs: [
      {
        url_file: '/run/secrets/url',
        send_resolved: true,
        max_alerts: 5,
        timeout: 10_000,
        http_config: {
          follow_redirects: true,
          authorization: { type: 'Bearer', credentials_file: '/run/secrets/token' },
        },
      },
    ],
  });
});

test('a receiver may have no integration: it then tells nobody, as in Alertmanager', () => {
  expect(receiversConfig.safeParse([{ name: 'blackhole' }]).success).toBe(true);
});

describe('refused', () => {
  test.each([
    [{ url_file: '/run/secrets/url' }, 'exactly one of url and url_file'],
    [{ url: undefined }, 'exactly one of url and url_file'],
    [{ url: 'ftp://hooks.example.net/' }, 'expected an http or https URL'],
    [{ url: 'hooks' }, 'expected an http or https URL'],
    [{ url: 'https://ada:s3cret@hooks.example.net/' }, 'use http_config.basic_auth'],
    [{ timeout: '0s' }, 'must be more than zero'],
    [{ max_alerts: -1 }, 'max_alerts'],
    [{ http_config: { authorization: {} } }, 'exactly one of credentials'],
    [
      { http_config: { authorization: { credentials: 's3cret', credentials_file: '/x' } } },
      'exactly one of credentials',
    ],
    [{ http_config: { authorization: { type: 'Basic', credentials: 's3cret' } } }, 'use basic_auth'],
    [
      { http_config: { basic_auth: { username: 'ada', password: 's3cret', password_file: '/x' } } },
      'at most one of password',
    ],
    [
      { http_config: { basic_auth: { username: 'ada' }, authorization: { credentials: 's3cret' } } },
      'at most one of authorization and basic_auth',
    ],
    [{ retries: 3 }, 'retries'],
  ])('%j', (config, message) => {
    const { error } = webhook(config);
    const told = JSON.stringify(error?.issues);
    expect(told).toContain(message);
    expect(told).not.toContain('s3cret');
  });

  test('two receivers of one name', () => {
    const { error } = receiversConfig.safeParse([{ name: 'web' }, { name: 'web' }]);
    expect(error?.issues).toMatchObject([{ path: [1, 'name'], message: 'receiver web is defined twice' }]);
  });

  test('a subject with wildcards', () => {
    for (const subject of ['tocsin.*', 'tocsin.>', 'a b', 'a..b', '']) {
      expect(receiversConfig.safeParse([{ name: 'bus', nats_configs: [{ subject }] }]).success).toBe(false);
    }
  });
});

test('without its secrets a configuration still is one, and holds none of them', () => {
  const receivers = receiversConfig.parse([
    {
      name: 'web',
      webhook_configs: [
        {
          url: 'https://hooks.example.net/s3cret',
          http_config: { authorization: { credentials: 's3cret' } },
        },
        {
          url_file: '/run/secrets/url',
          http_config: { basic_auth: { username: 'ada', password: 's3cret' } },
        },
      ],
    },
  ]);
  const shown = withoutSecrets(receivers);
  expect(JSON.stringify(shown)).not.toContain('s3cret');
  expect(shown[0]?.webhook_configs).toMatchObject([
    {
      url: '<secret>',
      send_resolved: true,
      http_config: { authorization: { type: 'Bearer', credentials: '<secret>' } },
    },
    { url_file: '/run/secrets/url', http_config: { basic_auth: { username: 'ada', password: '<secret>' } } },
  ]);
  expect(JSON.stringify(receivers)).toContain('s3cret');
});

describe('an integration that Alertmanager would refuse is refused', () => {
  const tls = (tls_config: Record<string, unknown>) => ({
    webhook_configs: [{ url: 'https://x.example.net', http_config: { tls_config } }],
  });
  test.each([
    [
      'slack_configs',
      { api_url: 'https://x.example.net', api_url_file: '/x' },
      'at most one of api_url and api_url_file',
    ],
    [
      'slack_configs',
      { actions: [{ type: 'button', text: 'x' }] },
      'missing name or url in Slack action configuration',
    ],
    ['slack_configs', { fields: [{ title: 'x', value: '' }] }, 'missing value in Slack field configuration'],
    ['slack_configs', { text: '{{ if }}' }, 'template: :1: missing value for if'],
    ['slack_configs', { text: '{{ nope }}' }, 'function \\"nope\\" not defined'],
    ['email_configs', {}, 'to'],
    [
      'email_configs',
      { to: 'a@b.c', headers: { subject: 'a', SUBJECT: 'b' } },
      'duplicate header \\"Subject\\" in email config',
    ],
    ['email_configs', { to: 'a@b.c', smarthost: 'mail' }, 'expected host:port'],
    [
      'email_configs',
      { to: 'a@b.c', auth_password: 's3cret', auth_password_file: '/x' },
      'at most one of auth_password',
    ],
    ['pagerduty_configs', {}, 'missing service or routing key in PagerDuty config'],
    ['pagerduty_configs', { routing_key: 's3cret', routing_key_file: '/x' }, 'at most one of routing_key'],
    [
      'opsgenie_configs',
      { responders: [{ type: 'team' }] },
      'a responder needs one of id, username and name',
    ],
    ['opsgenie_configs', { responders: [{ name: 'x', type: 'planet' }] }, "a responder's type is one of"],
    ['telegram_configs', { bot_token: 's3cret', chat_id: 0 }, 'missing chat_id on telegram_config'],
    ['telegram_configs', { bot_token: 's3cret', chat_id: 1, parse_mode: 'XML' }, 'parse_mode'],
    ['discord_configs', {}, 'exactly one of webhook_url and webhook_url_file'],
    ['msteams_configs', {}, 'exactly one of webhook_url and webhook_url_file'],
    ['pushover_configs', { user_key: 's3cret' }, 'exactly one of token and token_file'],
    ['victorops_configs', { routing_key: 'r', custom_fields: { entity_id: 'x' } }, 'must not be one of'],
  ])('%s %j', (key, config, message) => {
    const { error } = receiversConfig.safeParse([{ name: 'web', [key]: [config] }]);
    const said = JSON.stringify(error?.issues);
    expect(said).toContain(message);
    expect(said).not.toContain('s3cret');
  });

  test.each([
    [{ cert_file: '/x' }, 'a certificate needs its key'],
    [{ key_file: '/x' }, 'a key needs its certificate'],
    [{ ca: 'x', ca_file: '/x' }, 'at most one of ca and ca_file'],
    [{ min_version: 'SSL3' }, 'min_version'],
  ])('tls_config %j', (config, message) => {
    const { error } = receiversConfig.safeParse([{ name: 'web', ...tls(config) }]);
    expect(JSON.stringify(error?.issues)).toContain(message);
  });

  test('two kinds of authorization', () => {
    const oauth2 = { client_id: 'a', client_secret: 'b', token_url: 'https://x.example.net' };
    const { error } = webhook({ http_config: { oauth2, basic_auth: { username: 'a' } } });
    expect(JSON.stringify(error?.issues)).toContain('at most one of oauth2, authorization and basic_auth');
  });
});

test('what neither an integration nor the global configuration says is told with its place', () => {
  const receivers = receiversConfig.parse([
    { name: 'a', webhook_configs: [{ url: 'https://x.example.net' }] },
    {
      name: 'b',
      slack_configs: [{ api_url: 'https://x.example.net' }, {}],
      opsgenie_configs: [{}],
      nats_configs: [{}],
    },
  ]);
  expect(receiverMistakes(receivers, notifyGlobals.parse({}))).toEqual([
    { path: [1, 'slack_configs', 1], message: expect.stringContaining('global.slack_api_url') },
    { path: [1, 'opsgenie_configs', 0], message: expect.stringContaining('global.opsgenie_api_key') },
  ]);
  const globals = { slack_api_url: 'https://x.example.net', opsgenie_api_key_file: '/x' };
  expect(receiverMistakes(receivers, notifyGlobals.parse(globals))).toEqual([]);
});

test("send_resolved is Alertmanager's: mail and Slack do not tell, the others do", () => {
  const [receiver] = receiversConfig.parse([
    {
      name: 'all',
      slack_configs: [{}],
      email_configs: [{ to: 'a@b.c' }],
      webhook_configs: [{ url: 'https://x.example.net' }],
      pagerduty_configs: [{ routing_key: 'k' }],
      opsgenie_configs: [{}],
      telegram_configs: [{ chat_id: 1 }],
      discord_configs: [{ webhook_url: 'https://x.example.net' }],
      msteams_configs: [{ webhook_url: 'https://x.example.net' }],
      msteamsv2_configs: [{ webhook_url: 'https://x.example.net' }],
      pushover_configs: [{ user_key: 'u', token: 't' }],
      victorops_configs: [{ routing_key: 'r' }],
    },
  ]);
  const silent = Object.entries(receiver ?? {}).filter(
    ([, configs]) => Array.isArray(configs) && configs.some(({ send_resolved }) => !send_resolved),
  );
  expect(silent.map(([key]) => key).toSorted()).toEqual(['email_configs', 'slack_configs']);
});

test('no secret of any integration is shown', () => {
  const secret = 's3cret';
  const url = `https://x.example.net/${secret}`;
  const receivers = receiversConfig.parse([
    {
      name: 'all',
      slack_configs: [{ api_url: url }, { app_token: secret }],
      email_configs: [{ to: 'a@b.c', auth_password: secret, auth_secret: secret }],
      pagerduty_configs: [{ routing_key: secret }, { service_key: secret }],
      opsgenie_configs: [{ api_key: secret }],
      telegram_configs: [{ bot_token: secret, chat_id: 1 }],
      discord_configs: [{ webhook_url: url }],
      msteams_configs: [{ webhook_url: url }],
      msteamsv2_configs: [{ webhook_url: url }],
      pushover_configs: [{ user_key: secret, token: secret }],
      victorops_configs: [{ api_key: secret, routing_key: 'shown' }],
      webhook_configs: [
        {
          url,
          http_config: {
            tls_config: { cert: 'shown', key: secret },
            http_headers: { 'X-Key': { values: ['shown'], secrets: [secret] } },
            oauth2: { client_id: 'shown', client_secret: secret, token_url: 'https://x.example.net/token' },
            proxy_url: `http://ada:${secret}@proxy.example.net`,
          },
        },
      ],
    },
  ]);
  const shown = withoutSecrets(receivers);
  expect(JSON.stringify(shown)).not.toContain(secret);
  expect(JSON.stringify(shown).match(/"shown"/g)).toHaveLength(4);
  expect(shown[0]?.slack_configs[1]).toMatchObject({ app_token: '<secret>', send_resolved: false });
});
