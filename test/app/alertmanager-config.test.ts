import { describe, expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { applyAlertmanager } from '../../src/app/alertmanager/apply.ts';
import { parseAlertmanagerConfig } from '../../src/app/alertmanager/config.ts';
import { crossCheck } from '../../src/app/config-checks.ts';
import { tocsinConfig } from '../../src/app/config-schema.ts';
import { parseConfig } from '../../src/app/config.ts';

const least = `
route: { receiver: web }
receivers: [{ name: web }]
`;

function parsed(text: string) {
  const outcome = parseAlertmanagerConfig(text, '/etc/alertmanager');
  if (!outcome.ok) throw new Error(outcome.mistakes.map(({ message }) => message).join('; '));
  return outcome;
}

function mistakesOf(text: string): string[] {
  const outcome = parseAlertmanagerConfig(text, '.');
  return outcome.ok
    ? []
    : outcome.mistakes.map(({ line, column, path, message }) => `${line}:${column} ${path}: ${message}`);
}

describe('an Alertmanager configuration', () => {
  test('has its own defaults: no grouping by incident, no priority to wait for, domains that part nothing', () => {
    const config = applyAlertmanager(tocsinConfig.parse({}), parsed(least).sections);
    expect(config).toMatchObject({
      global: { resolve_timeout: 300_000 },
      route: { receiver: 'web', routes: [] },
      dispatch: { strict_alertmanager: true },
    });
    expect(config.route.group_by).toBeUndefined();
    expect(config.route.min_priority).toBeUndefined();
    expect(config.source.domain_label).not.toBe('domain');
  });

  test('says where an unknown key stands', () => {
    expect(mistakesOf('route: { receiver: web }\nreceivers: [{ name: web }]\ninhibit: []\n')).toEqual([
      '3:1 inhibit: unknown key',
    ]);
    expect(mistakesOf('route:\n  receiver: web\n  group_wait_: 5s\nreceivers: [{ name: web }]\n')).toEqual([
      '3:3 route.group_wait_: unknown key',
    ]);
  });

  test('names what of Alertmanager is not built yet', () => {
    const text = `
route: { receiver: web }
receivers:
  - name: web
    wechat_configs: [{ corp_id: x }]
    webhook_configs:
      - url: http://127.0.0.1/
        http_config: { bearer_token: x }
`;
    expect(mistakesOf(text)).toEqual([
      '5:5 receivers[0].wechat_configs: wechat_configs is not built in Tocsin yet',
      '8:24 receivers[0].webhook_configs[0].http_config.bearer_token: bearer_token is not built in Tocsin yet',
    ]);
  });

  test('refuses what only Tocsin knows, which would do nothing here', () => {
    expect(
      mistakesOf('route:\n  receiver: web\n  routes: [{ min_priority: P2 }]\nreceivers: [{ name: web }]\n'),
    ).toEqual(['3:14 route.routes[0].min_priority: unknown key']);
  });

  test('needs a route', () => {
    expect(mistakesOf('receivers: [{ name: web }]')).toEqual(['1:1 route: no route provided in config']);
  });

  test('takes YAML as Go does: yes and no, any scalar as a text, null for nothing said', () => {
    const { sections } = parsed(`
global:
templates:
route:
  receiver: 5
  group_by:
  routes:
    - match: { code: 500, on: yes }
      continue: yes
receivers: [{ name: 5, webhook_configs: }]
`);
    expect(sections.route).toMatchObject({
      receiver: '5',
      routes: [{ match: { code: '500', on: 'yes' }, continue: true }],
    });
    expect(sections.receivers).toMatchObject([{ name: '5', webhook_configs: [] }]);
  });

  test('lends its http_config to integrations without one, and finds its files beside itself', () => {
    const { sections } = parsed(`
global: { http_config: { basic_auth: { username: u, password_file: secret } } }
route: { receiver: web }
receivers:
  - name: web
    webhook_configs: [{ url: http://a/ }, { url: http://b/, http_config: { follow_redirects: false } }]
`);
    expect(sections.receivers[0]?.webhook_configs.map(({ http_config }) => http_config)).toEqual([
      { follow_redirects: true, basic_auth: { username: 'u', password_file: '/etc/alertmanager/secret' } },
      { follow_redirects: false },
    ]);
  });

  test('joins both names of time intervals, and refuses one name in both', () => {
    const intervals = (name: string): string => `
time_intervals: [{ name: night, time_intervals: [{ times: [{ start_time: 00:00, end_time: 06:00 }] }] }]
mute_time_intervals: [{ name: ${name}, time_intervals: [{ weekdays: [saturday, sunday] }] }]
`;
    expect(parsed(least + intervals('weekend')).sections.time_intervals.map(({ name }) => name)).toEqual([
      'weekend',
      'night',
    ]);
    expect(mistakesOf(least + intervals('night'))[0]).toMatch(/time_intervals has one of this name/);
  });

  test('brings its templates and what integrations fall back to', () => {
    const { sections } = parsed(`
global: { slack_api_url_file: /run/slack, smtp_smarthost: 'mail:25', smtp_from: a@example.net, wechat_api_corp_id: x }
templates: ['templates/*.tmpl']
route: { receiver: web }
receivers: [{ name: web, slack_configs: [{}], email_configs: [{ to: b@example.net }] }]
`);
    const config = applyAlertmanager(tocsinConfig.parse({}), sections);
    expect(config.templates).toEqual(['templates/*.tmpl']);
    expect(config.global).toMatchObject({
      resolve_timeout: 300_000,
      slack_api_url_file: '/run/slack',
      smtp_smarthost: 'mail:25',
      pagerduty_url: 'https://events.pagerduty.com/v2/enqueue',
    });
    expect(config.global).not.toHaveProperty('wechat_api_corp_id');
    expect(crossCheck(config)).toEqual([]);
  });

  test('says which integration lacks what nothing gives it, and what is said twice', () => {
    const { sections } = parsed(least.replace('name: web', 'name: web, slack_configs: [{}]'));
    expect(crossCheck(applyAlertmanager(tocsinConfig.parse({}), sections))).toEqual([
      {
        path: ['receivers', 0, 'slack_configs', 0],
        message: 'no Slack API URL is set, neither here nor as global.slack_api_url',
      },
    ]);
    expect(mistakesOf(`global: { slack_api_url: 'http://a/', slack_api_url_file: /b }${least}`)[0]).toMatch(
      /at most one of slack_api_url and slack_api_url_file$/,
    );
  });

  test('is shown without secrets, of webhooks without the path', () => {
    const { text } = parsed(`
global: { smtp_auth_password: geheim, opsgenie_api_key: geheim, slack_api_url: http://geheim/ }
route: { receiver: web }
receivers:
  - name: web
    webhook_configs:
      - { url: 'http://hook/geheim?t=geheim', http_config: { authorization: { credentials: geheim } } }
    slack_configs: [{ api_url: http://slack/geheim }]
    discord_configs: [{ webhook_url: http://discord/geheim }]
    telegram_configs: [{ bot_token: geheim, chat_id: 1 }]
    pagerduty_configs: [{ routing_key: geheim }]
`);
    expect(text).not.toContain('geheim');
    expect(parseYaml(text)).toMatchObject({
      global: { smtp_auth_password: '<secret>', slack_api_url: '<secret>' },
      receivers: [{ webhook_configs: [{ url: 'http://hook/<secret>' }] }],
    });
  });
});

test("what the file under `alertmanager` says must not stand in Tocsin's own too", () => {
  const outcome = parseConfig('alertmanager: alertmanager.yml\nroute: { receiver: console }\n');
  expect(outcome).toMatchObject({
    ok: false,
    mistakes: [{ line: 2, column: 1, message: 'stands in the file that `alertmanager` names' }],
  });
});
