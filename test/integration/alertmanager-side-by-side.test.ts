import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { startAlertmanager, type RunningAlertmanager } from '../support/alertmanager.ts';
import { findBinary, testServers } from '../support/servers.ts';

const config = `
global: { resolve_timeout: 7m, smtp_smarthost: 'localhost:25', smtp_from: a@b.c, smtp_auth_password: geheim }
route:
  receiver: web
  group_by: [alertname]
  group_wait: 30s
  routes:
    - matchers: [team="db"]
      receiver: db
      group_by: ['...']
      continue: yes
      mute_time_intervals: [never]
    - match_re: { team: db|web }
      match: { code: 500 }
      receiver: coded
    - match_re: { team: db|web }
      receiver: both
      active_time_intervals: [always]
inhibit_rules:
  - source_match: { severity: critical }
    target_match_re: { severity: warning|info }
    equal: [alertname]
  - source_matchers: [severity = page]
    target_matchers: ['severity =~ "info|low"', team != ""]
receivers:
  - name: web
    webhook_configs: [{ url: 'http://127.0.0.1:9/' }]
  - name: db
    webhook_configs: [{ url: 'http://127.0.0.1:9/', send_resolved: false, max_alerts: 3 }]
  - name: coded
  - name: both
time_intervals:
  - name: never
    time_intervals:
      - times: [{ start_time: 09:00, end_time: '10:00' }]
        weekdays: ['monday:friday']
        years: ['1999']
        location: Europe/Berlin
mute_time_intervals:
  - name: always
    time_intervals: [{ days_of_month: ['1:-1'] }]
`;

const isHere = findBinary(testServers.alertmanager.binary) !== null && findBinary('amtool') !== null;

/** Both servers, told the same. What differs by nature (ids, times, ports) is shown by its place. */
class Pair {
  readonly #ids = new Map<RunningAlertmanager, string[]>();
  readonly theirs: RunningAlertmanager;
  readonly ours: RunningAlertmanager;

  constructor(theirs: RunningAlertmanager, ours: RunningAlertmanager) {
    this.theirs = theirs;
    this.ours = ours;
  }

  static async start(text: string, ...flags: string[]): Promise<Pair> {
    const [theirs, ours] = await Promise.all([
      startAlertmanager('alertmanager', text, ...flags),
      startAlertmanager('tocsin', text, ...flags),
    ]);
    return new Pair(theirs, ours);
  }

  async stop(): Promise<void> {
    await Promise.all([this.theirs.stop(), this.ours.stop()]);
  }

  /** `<id0>` in the path or the body is the first id that the server has shown. */
  async ask(method: string, path: string, body?: unknown): Promise<void> {
    const [theirs, ours] = [
      await this.#request(this.theirs, method, path, body),
      await this.#request(this.ours, method, path, body),
    ];
    expect(ours, `${method} ${path} ${JSON.stringify(body) ?? ''}`).toEqual(theirs);
  }

  amtool(...args: string[]): string {
    const run = (server: RunningAlertmanager): string => {
      const given = args.map((arg) => this.#fill(server, arg));
      const { stdout, stderr, status } = spawnSync('amtool', [`--alertmanager.url=${server.url}`, ...given], {
        encoding: 'utf8',
      });
      return this.#shown(server, `exit ${status}\n${stdout}${stderr}`);
    };
    const [theirs, ours] = [run(this.theirs), run(this.ours)];
    expect(ours, `amtool ${args.join(' ')}`).toBe(theirs);
    return ours;
  }

  async #request(server: RunningAlertmanager, method: string, path: string, body: unknown): Promise<unknown> {
    const response = await fetch(server.url + this.#fill(server, path), {
      method,
      redirect: 'manual',
      headers: { 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: this.#fill(server, JSON.stringify(body)) }),
    });
    const text = await response.text();
    const { status } = response;
    // Of what is refused the status counts: what is wrong is said in other words, and for each field.
    if (status >= 400) return { status };
    const location = response.headers.get('location');
    if (location !== null) return { status, location };
    const type = method === 'HEAD' ? null : response.headers.get('content-type');
    return { status, type, body: json(this.#shown(server, text)) };
  }

  #fill(server: RunningAlertmanager, text: string): string {
    return text.replaceAll(/<id(\d+)>/g, (_, index: string) => this.#idsOf(server)[Number(index)] ?? 'none');
  }

  #shown(server: RunningAlertmanager, text: string): string {
    return text
      .replaceAll(/[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}/g, (id) => {
        const ids = this.#idsOf(server);
        if (!ids.includes(id)) ids.push(id);
        return `<id${ids.indexOf(id)}>`;
      })
      .replaceAll(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z| UTC)/g, '<time>')
      .replaceAll(new URL(server.url).host, '<host>');
  }

  #idsOf(server: RunningAlertmanager): string[] {
    let ids = this.#ids.get(server);
    if (!ids) this.#ids.set(server, (ids = []));
    return ids;
  }
}

function json(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

const beginMs = Date.now();
const at = (seconds: number): string => new Date(beginMs + seconds * 1000).toISOString();
const silence = (change: object = {}): object => ({
  matchers: [{ name: 'alertname', value: 'Down', isRegex: false, isEqual: true }],
  startsAt: at(-10),
  endsAt: at(3600),
  createdBy: 'me',
  comment: 'c',
  ...change,
});

describe.skipIf(!isHere)('beside the real Alertmanager', () => {
  let pair: Pair;
  beforeAll(async () => {
    pair = await Pair.start(config);
  });
  afterAll(() => pair.stop());

  test('health, readiness, receivers and empty lists', async () => {
    for (const path of ['/-/healthy', '/-/ready']) {
      await pair.ask('GET', path);
      await pair.ask('HEAD', path);
    }
    for (const path of ['receivers', 'alerts', 'alerts/groups', 'silences'])
      await pair.ask('GET', `/api/v2/${path}`);
  });

  test('the configuration is shown with defaults and without secrets', async () => {
    const shown = async ({ url }: RunningAlertmanager) => {
      const status = (await (await fetch(`${url}/api/v2/status`)).json()) as {
        cluster: unknown;
        config: { original: string };
        versionInfo: { version: string };
      };
      const { original } = status.config;
      expect(original).not.toContain('geheim');
      return {
        keys: Object.keys(status).toSorted(),
        cluster: status.cluster,
        version: status.versionInfo.version,
        config: parseYaml(original) as unknown,
      };
    };
    expect(await shown(pair.ours)).toEqual(await shown(pair.theirs));
  });

  test('alerts are taken, merged, filtered, sorted and grouped', async () => {
    await pair.ask('POST', '/api/v2/alerts', [
      {
        labels: { alertname: 'Down', team: 'db', severity: 'critical' },
        startsAt: at(-100),
        annotations: { a: 'b' },
        generatorURL: 'http://x/y',
      },
      { labels: { alertname: 'Down', team: 'web', severity: 'warning' } },
      { labels: { alertname: 'Coded', team: 'web', code: '500' } },
      { labels: { alertname: 'Up', instance: '2', job: 'b' } },
      { labels: { alertname: 'Up', instance: '1', empty: '' }, endsAt: at(300) },
      { labels: { alertname: 'Up', instance: '3', job: 'a' } },
    ]);
    await pair.ask('POST', '/api/v2/alerts', [
      { labels: { a: 'zero' }, startsAt: '0001-01-01T00:00:00Z', endsAt: '0001-01-01T00:00:00Z' },
      { labels: { a: 'old' }, startsAt: at(-1000), endsAt: at(-500) },
    ]);
    for (const path of ['/api/v2/alerts', '/api/v2/alerts/groups']) {
      for (const query of [
        '',
        'active=false',
        'inhibited=false',
        'silenced=false',
        'unprocessed=false',
        'active=maybe',
        'active=',
        'filter=team%3Ddb',
        'filter=team%3Ddb&filter=alertname%3DDown',
        'filter=team%3D',
        'filter=team!%3D',
        'filter=instance%3D~%221%7C2%22',
        'filter=bad',
        'filter=%7Ba%3Db%7D',
        'receiver=db',
        'receiver=d.',
        'receiver=b.*',
        'receiver=(',
      ]) {
        await pair.ask('GET', `${path}?${query}`);
      }
    }
  });

  test('what is wrong with alerts is refused, and the rest kept', async () => {
    for (const body of [
      {},
      [],
      null,
      [{ labels: {} }],
      [{ labels: { a: 1 } }],
      [{ labels: { a: 'b' }, startsAt: 'yesterday' }],
      [{ labels: { a: 'b' }, startsAt: at(10), endsAt: at(5) }],
      [{ labels: { a: 'valid' } }, { labels: { x: '' } }],
    ]) {
      await pair.ask('POST', '/api/v2/alerts', body);
    }
    await pair.ask('GET', '/api/v2/alerts');
  });

  test('silences are made, changed, replaced, filtered, sorted and ended', async () => {
    await pair.ask('POST', '/api/v2/silences', silence());
    await pair.ask('GET', '/api/v2/silence/<id0>');
    for (const query of ['', 'silenced=false', 'active=false', 'inhibited=false'])
      await pair.ask('GET', `/api/v2/alerts?${query}`);
    await pair.ask('POST', '/api/v2/silences', silence({ id: '<id0>', comment: 'changed' }));
    await pair.ask(
      'POST',
      '/api/v2/silences',
      silence({
        id: '<id0>',
        endsAt: at(3700),
        matchers: [{ name: 'alertname', value: 'Up', isRegex: false }],
      }),
    );
    await pair.ask('POST', '/api/v2/silences', silence({ startsAt: at(1000), endsAt: at(2000) }));
    await pair.ask(
      'POST',
      '/api/v2/silences',
      silence({
        startsAt: at(900),
        endsAt: at(3000),
        matchers: [
          { name: 'a', value: 'b.*', isRegex: true },
          { name: 'b', value: 'c', isRegex: false, isEqual: false },
        ],
      }),
    );
    await pair.ask(
      'POST',
      '/api/v2/silences',
      silence({ id: '<id3>', startsAt: at(1100), endsAt: at(2000), comment: 'moved' }),
    );
    for (const query of [
      '',
      'filter=a%3D~%22b.*%22',
      'filter=a%3Db',
      'filter=alertname%3DDown',
      'filter=b!%3Dc',
      'filter=bad',
    ])
      await pair.ask('GET', `/api/v2/silences?${query}`);
    for (const body of [
      {},
      silence({ id: '11111111-1111-1111-1111-111111111111' }),
      silence({ id: 'nope' }),
      silence({ endsAt: at(-5) }),
      silence({ endsAt: at(-20) }),
      silence({ startsAt: 'x' }),
      silence({ createdBy: undefined }),
      silence({ matchers: [] }),
      silence({ matchers: [{ name: 'a', value: 'x' }] }),
      silence({ matchers: [{ name: 'a', value: '', isRegex: false }] }),
      silence({ matchers: [{ name: 'a', value: '(', isRegex: true }] }),
      silence({ matchers: [{ name: '', value: 'x', isRegex: false }] }),
    ]) {
      await pair.ask('POST', '/api/v2/silences', body);
    }
    await pair.ask('DELETE', '/api/v2/silence/<id1>');
    await pair.ask('DELETE', '/api/v2/silence/<id1>');
    await pair.ask('DELETE', '/api/v2/silence/nope');
    await pair.ask('GET', '/api/v2/silence/nope');
    await pair.ask('GET', '/api/v2/silence/11111111-1111-1111-1111-111111111111');
    await pair.ask('GET', '/api/v2/silences');
    await pair.ask('POST', '/api/v2/silences', silence({ id: '<id1>', comment: 'again' }));
    await pair.ask('GET', '/api/v2/alerts');
  });

  test('what is not there, and other methods', async () => {
    await pair.ask('GET', '/api/v2/nothing');
    await pair.ask('GET', '/nothing');
    await pair.ask('DELETE', '/api/v2/alerts');
    await pair.ask('PUT', '/api/v2/silences');
    await pair.ask('GET', '/-/reload');
  });

  test('amtool says the same of both', async () => {
    pair.amtool('alert', 'add', 'alertname=Added', 'severity=info', '--annotation=summary=by hand');
    for (const output of ['simple', 'extended', 'json']) pair.amtool('alert', 'query', `--output=${output}`);
    pair.amtool('alert', 'query', 'alertname=Added');
    pair.amtool('alert', 'query', '--inhibited');
    pair.amtool('alert', 'query', '--receiver=d.*');
    pair.amtool(
      'silence',
      'add',
      'alertname=Added',
      'team=~"a|b"',
      '--comment=by hand',
      '--author=me',
      '--duration=5h',
    );
    for (const output of ['simple', 'extended', 'json', 'quiet'].slice(0, 3))
      pair.amtool('silence', 'query', `--output=${output}`);
    pair.amtool('silence', 'query', 'alertname=Added');
    pair.amtool('silence', 'update', '--duration=7h', '--comment=longer', '<id6>');
    const file = join(pair.ours.folder, 'silences.json');
    await writeFile(
      file,
      JSON.stringify([silence({ endsAt: at(5000) }), silence({ endsAt: at(5100), comment: 'two' })]),
    );
    pair.amtool('silence', 'import', '--worker=1', file);
    pair.amtool('silence', 'query');
    pair.amtool('silence', 'expire', '<id6>');
    pair.amtool('silence', 'query', '--expired', '--within=1h');
    pair.amtool('config', 'routes', 'test', 'team=db');
    pair.amtool('config', 'routes', 'test', 'team=web', 'code=500');
    expect(pair.amtool('config', 'routes', 'test', '--verify.receivers=web', 'team=none')).toContain(
      'exit 0',
    );
    pair.amtool('config', 'routes', 'show');
    pair.amtool('cluster', 'show');
  });

  test('a reload takes a good file, by POST, and refuses a bad one', async () => {
    const [good, bad] = [
      config.replace('group_wait: 30s', 'group_wait: 20s'),
      'route: { receiver: nobody }\n',
    ];
    for (const text of [good, bad]) {
      await Promise.all([pair.theirs.configure(text), pair.ours.configure(text)]);
      await pair.ask('POST', '/-/reload');
      await pair.ask('GET', '/api/v2/receivers');
    }
  });
});

describe.skipIf(!isHere)('under a route prefix', () => {
  test('all paths begin with it, and the root leads there', async () => {
    const pair = await Pair.start(
      config,
      '--web.route-prefix=/am',
      '--web.external-url=http://pager.example.net/am/',
    );
    try {
      for (const path of [
        '/',
        '/am/-/ready',
        '/am/api/v2/receivers',
        '/api/v2/receivers',
        '/-/ready',
        '/am/api/v2/nothing',
      ])
        await pair.ask('GET', path);
    } finally {
      await pair.stop();
    }
  });
});
