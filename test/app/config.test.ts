import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../src/app/config.ts';

function mistakesOf(text: string): string[] {
  const outcome = parseConfig(text);
  return outcome.ok
    ? []
    : outcome.mistakes.map(({ line, column, path, message }) => `${line}:${column} ${path}: ${message}`);
}

describe('configuration', () => {
  test('an empty file is the defaults: pages to the console, on loopback', () => {
    const outcome = parseConfig('');
    expect(outcome).toMatchObject({
      ok: true,
      config: {
        server: { listen: '127.0.0.1:9093' },
        route: { receiver: 'console' },
        global: { resolve_timeout: 300_000 },
      },
    });
  });

  test('an Alertmanager configuration keeps its meaning', () => {
    const outcome = parseConfig(`
global: { resolve_timeout: 10m }
route:
  receiver: web
  group_by: [alertname, cluster]
  group_wait: 10s
  routes:
    - matchers: [severity="critical"]
      receiver: pager
      continue: true
    - match_re: { team: db|web }
      receiver: web
inhibit_rules:
  - source_match: { severity: critical }
    target_match: { severity: warning }
    equal: [cluster]
receivers:
  - name: web
    webhook_configs: [{ url: "http://127.0.0.1:9/hook", send_resolved: false, max_alerts: 10 }]
  - name: pager
`);
    expect(outcome).toMatchObject({
      ok: true,
      config: {
        global: { resolve_timeout: 600_000 },
        route: {
          group_wait: 10_000,
          routes: [{ continue: true, matchers: [{ name: 'severity', value: 'critical' }] }, {}],
        },
        inhibit_rules: [{ equal: ['cluster'] }],
      },
    });
  });

  test('all mistakes are reported at once, each with its line and column', () => {
    const mistakes = mistakesOf(`route:
  receiver: nobody
  group_wait: soon
  colour: red
receivers:
  - name: web
    webhook_configs:
      - {}
dedup:
  similarity: 7
`);
    expect(mistakes).toEqual([
      expect.stringMatching(/^3:15 route.group_wait: expected a duration/),
      expect.stringMatching(/^4:3 route.colour: unknown key/),
      expect.stringMatching(/^8:9 receivers\[0\].webhook_configs\[0\]: exactly one of url and url_file/),
      expect.stringMatching(/^10:15 dedup.similarity: /),
    ]);
  });

  test('a receiver that does not exist is found where it is named', () => {
    expect(
      mistakesOf('route: { receiver: web, routes: [{ receiver: pager }] }\nreceivers: [{ name: web }]\n'),
    ).toEqual([expect.stringMatching(/^1:46 route.routes\[0\].receiver: there is no receiver "pager"/)]);
  });

  test('text that is not YAML is reported where it breaks', () => {
    expect(mistakesOf('route:\n  receiver: "web\n')[0]).toMatch(/^\d+:\d+ : /);
  });

  test('a bad matcher says what is wrong with it', () => {
    expect(
      mistakesOf('route: { receiver: console, routes: [{ matchers: ["severity=~\\"(\\""] }] }')[0],
    ).toMatch(/bad matcher/);
  });

  test('a URL holds no credentials, as it is shown and logged', () => {
    for (const text of [
      "server: { external_url: 'http://u:p@h/' }",
      "history: { url: 'http://u:p@h:8123' }",
      "nats: { servers: ['nats://u:p@h:4222'] }",
    ]) {
      expect(mistakesOf(text)).toEqual([expect.stringMatching(/must hold no user and password/)]);
    }
    expect(mistakesOf("history: { url: 'http://h:8123?password=x' }")).toEqual([
      expect.stringMatching(/history.url: must hold no query/),
    ]);
  });

  test('another address than loopback needs a token', () => {
    expect(mistakesOf('server: { listen: "0.0.0.0:9093" }')[0]).toMatch(
      /server.listen: 0.0.0.0 can be reached from outside/,
    );
    expect(mistakesOf('server: { listen: "0.0.0.0:9093", bearer_token_file: /etc/token }')).toEqual([]);
  });

  test('a runbook reaches only hosts that are allowed', () => {
    const step = (url: string, hosts: string): string =>
      `runbooks: { ${hosts} catalog: [{ name: fix, steps: [{ name: a, kind: http, url: "${url}" }] }] }`;
    expect(mistakesOf(step('http://db.example.net/x', ''))[0]).toMatch(/allowed_hosts/);
    expect(mistakesOf(step('http://db.example.net/x', 'allowed_hosts: [db.example.net],'))).toEqual([]);
    expect(mistakesOf(step('http://127.0.0.1:80/x', ''))).toEqual([]);
  });

  test('a NATS receiver needs servers', () => {
    expect(mistakesOf('route: { receiver: n }\nreceivers: [{ name: n, nats_configs: [{}] }]')[0]).toMatch(
      /needs nats.servers/,
    );
  });

  test('pages over NATS are not where alerts come in', () => {
    const mistakesWith = (receiver: string): string[] =>
      mistakesOf(
        `route: { receiver: n }\nreceivers: [{ name: n, nats_configs: [${receiver}] }]\nnats: { servers: [h] }`,
      );
    expect(mistakesWith('{ subject: tocsin.in }')[0]).toMatch(/subject: pages would come in again as alerts/);
    expect(mistakesWith('{ page_subject: tocsin.in.x }')[0]).toMatch(
      /page_subject: pages would come in again/,
    );
    expect(mistakesWith('{ subject: tocsin.in.x }')).toEqual([]);
  });

  test('the configuration of docs/nats.md is one', () => {
    const page = readFileSync(new URL('../../docs/nats.md', import.meta.url), 'utf8');
    const example = /```yaml\n(.*?)```/s.exec(page)?.[1] ?? '';
    expect(example).toContain('creds_file');
    expect(mistakesOf(example)).toEqual([]);
  });

  test('what is wrong with the nats section is told by its key', () => {
    const mistakesWith = (nats: string): string[] => mistakesOf(`nats: { servers: [h], ${nats} }`);
    expect(mistakesWith('token_file: t, creds_file: c')[0]).toMatch(/nats: at most one of user, token_file/);
    expect(mistakesWith('ingest: { dead_letter_subject: tocsin.in.dead }')[0]).toMatch(
      /nats.ingest.dead_letter_subject: must not be a subject that alerts are taken from/,
    );
    expect(mistakesWith('ingest: { dead_letter_subject: null }')).toEqual([]);
    expect(mistakesWith("ingest: { dead_letter_subject: '' }")).toEqual([]);
  });
});
