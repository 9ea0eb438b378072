import { describe, expect, test } from 'vitest';
import { receiversConfig, withoutSecrets } from '../../src/notify/index.ts';

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
