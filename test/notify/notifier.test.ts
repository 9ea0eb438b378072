import { systemClock } from '../../src/app/clock.ts';
import { TocsinError } from '../../src/engine/index.ts';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  laneOf,
  Notifier,
  receiversConfig,
  webhookBody,
  type DeliveryMemory,
  type NotifierOptions,
} from '../../src/notify/index.ts';
import { effectOf, firing, incidentOf, resolved } from './scene.ts';
import { ManualClock } from '../engine/scene.ts';
import { hang, startReceiver, status, type ReceiverServer } from './receiver-server.ts';

let receiver: ReceiverServer;
let memory: Set<string>;
let printed: string[];

beforeEach(async () => {
  receiver = await startReceiver();
  memory = new Set();
  printed = [];
});

afterEach(() => receiver.close());

const unstopped = new AbortController().signal;

function deliveries(): DeliveryMemory {
  return {
    isDelivered: async (id) => memory.has(id),
    remember: async (id) => void memory.add(id),
  };
}

function notifier(
  receivers: readonly Record<string, unknown>[],
  options: Partial<NotifierOptions> = {},
): Notifier {
  return new Notifier(receiversConfig.parse(receivers), {
    deliveries: deliveries(),
    publisher: null,
    print: (text) => void printed.push(text),
    externalUrl: 'http://tocsin.example.net',
    attempts: 4,
    firstWaitMs: 2,
    longestWaitMs: 8,
    deadlineMs: 5000,
    clock: systemClock,
    ...options,
  });
}

const web = (config: Record<string, unknown> = {}) => [
  { name: 'web', webhook_configs: [{ url: receiver.url, ...config }] },
];

const waitedMs = () => (receiver.requests[1]?.atMs ?? NaN) - (receiver.requests[0]?.atMs ?? NaN);

const sent = () => receiver.requests.at(-1)?.headers.authorization;

const both = () => [
  {
    name: 'web',
    webhook_configs: [{ url: `${receiver.url}/bad` }, { url: `${receiver.url}/good` }],
    console_configs: [{}],
  },
];

const silent = () => web({ send_resolved: false });

const alertnames = () =>
  (
    JSON.parse(receiver.requests[0]?.body ?? '{}') as { alerts: { labels: Record<string, string> }[] }
  ).alerts.map(({ labels }) => labels['alertname']);

describe('a webhook', () => {
  test("is posted Alertmanager's body, with the page's id as the idempotency key", async () => {
    const effect = effectOf({ incident: incidentOf() });
    expect(await notifier(web()).carryOut(effect, unstopped)).toEqual({ delivered: ['webhook[0]'] });
    expect(receiver.requests).toHaveLength(1);
    const [{ method, headers, body } = { method: '', headers: {}, body: '' }] = receiver.requests;
    expect(method).toBe('POST');
    expect(headers).toMatchObject({ 'content-type': 'application/json', 'idempotency-key': 'INC-1/1/web' });
    expect(JSON.parse(body)).toEqual(
      JSON.parse(JSON.stringify(webhookBody(effect.id, effect.payload, 0, 'http://tocsin.example.net'))),
    );
  });

  test('an id that fits no header becomes its hash, the same each time', async () => {
    const effect = effectOf({}, '{alertname="größe→"}/1/web');
    receiver.answers = [status(503)];
    await notifier(web()).carryOut(effect, unstopped);
    const keys = receiver.requests.map(({ headers }) => headers['idempotency-key']);
    expect(keys[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(keys[1]).toBe(keys[0]);
  });

  test.each([500, 503, 429])('%i is tried again until it works', async (code) => {
    receiver.answers = [status(code), status(code)];
    await notifier(web()).carryOut(effectOf(), unstopped);
    expect(receiver.requests).toHaveLength(3);
    expect(new Set(receiver.requests.map(({ body }) => body)).size).toBe(1);
  });

  test.each([400, 401, 404, 410, 422])('%i is a refusal: nothing is tried again', async (code) => {
    receiver.answers = [status(code, {}, '{"error":"unknown field\ntocsin"}')];
    await expect(notifier(web()).carryOut(effectOf(), unstopped)).rejects.toMatchObject({
      code: 'TOC_NOTIFY_REFUSED',
      message: `receiver web: webhook[0]: the receiver answered ${code}: {"error":"unknown field tocsin"}`,
    });
    expect(receiver.requests).toHaveLength(1);
  });

  test('before each attempt it is asked whether this process may still send; who may not says nothing of the page', async () => {
    receiver.answers = [status(503), status(503)];
    let asked = 0;
    const assertStillLeading = async (): Promise<void> => {
      if (++asked === 3) throw new TocsinError('TOC_LOG_FENCED', 'another owns the partition');
    };
    const one = notifier(web(), { assertStillLeading });
    await expect(one.carryOut(effectOf(), unstopped)).rejects.toMatchObject({ code: 'TOC_LOG_FENCED' });
    expect(receiver.requests).toHaveLength(2);
    expect(one.integrations()).toMatchObject([{ deliveredCount: 0, failedCount: 0 }]);
  });

  test('after the last attempt the failure says what was tried', async () => {
    receiver.answers = Array.from({ length: 9 }, () => status(502));
    await expect(notifier(web()).carryOut(effectOf(), unstopped)).rejects.toMatchObject({
      code: 'TOC_NOTIFY_FAILED',
      message: 'receiver web: webhook[0]: the receiver answered 502 (tried 4 times)',
    });
    expect(receiver.requests).toHaveLength(4);
  });

  test('nobody listens: tried again, and the URL is not repeated', async () => {
    await receiver.close();
    const failure = notifier(web({ url: `${receiver.url}?token=s3cret` })).carryOut(effectOf(), unstopped);
    await expect(failure).rejects.toMatchObject({
      code: 'TOC_NOTIFY_FAILED',
      message: 'receiver web: webhook[0]: the receiver could not be reached (tried 4 times)',
    });
    await expect(failure).rejects.not.toThrow('s3cret');
  });

  test('one that does not answer is given up after its timeout and tried again', async () => {
    receiver.answers = [hang];
    await notifier(web({ timeout: '40ms' })).carryOut(effectOf(), unstopped);
    expect(receiver.requests).toHaveLength(2);
  });

  test('the deadline holds over all attempts', async () => {
    receiver.answers = Array.from({ length: 9 }, () => hang);
    await expect(
      notifier(web({ timeout: '5s' }), { deadlineMs: 60 }).carryOut(effectOf(), unstopped),
    ).rejects.toMatchObject({
      code: 'TOC_NOTIFY_FAILED',
      message: 'receiver web: webhook[0]: the receiver did not answer in time (tried once within 60ms)',
    });
  });

  describe('Retry-After', () => {
    test('is waited for, also where it is longer than our own longest wait', async () => {
      receiver.answers = [status(429, { 'Retry-After': '1' })];
      await notifier(web()).carryOut(effectOf(), unstopped);
      expect(waitedMs()).toBeGreaterThanOrEqual(990);
    });

    test('beyond the deadline ends the attempts at once', async () => {
      receiver.answers = [status(503, { 'Retry-After': '3600' })];
      await expect(notifier(web()).carryOut(effectOf(), unstopped)).rejects.toMatchObject({
        code: 'TOC_NOTIFY_FAILED',
        message: 'receiver web: webhook[0]: the receiver answered 503 (tried once)',
      });
      expect(receiver.requests).toHaveLength(1);
    });

    test('that cannot be read leaves the usual wait', async () => {
      receiver.answers = [status(503, { 'Retry-After': 'soon' })];
      await notifier(web()).carryOut(effectOf(), unstopped);
      expect(waitedMs()).toBeLessThan(900);
    });
  });

  test('redirects are followed with their method unless that is switched off', async () => {
    receiver.answers = [status(307, { Location: '/moved' })];
    await notifier(web()).carryOut(effectOf(), unstopped);
    expect(receiver.requests.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'POST /hook',
      'POST /moved',
    ]);
    receiver.answers = [hang, hang, status(307, { Location: '/moved' })];
    await expect(
      notifier(web({ http_config: { follow_redirects: false } })).carryOut(effectOf({}, 'other'), unstopped),
    ).rejects.toMatchObject({ code: 'TOC_NOTIFY_REFUSED' });
  });
});

describe('credentials', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tocsin-notify-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  test('a bearer token, given or from a file that is read for each attempt', async () => {
    await notifier(web({ http_config: { authorization: { credentials: 'given' } } })).carryOut(
      effectOf(),
      unstopped,
    );
    expect(sent()).toBe('Bearer given');
    const credentials_file = join(folder, 'token');
    const subject = notifier(web({ http_config: { authorization: { type: 'Token', credentials_file } } }));
    for (const token of ['first', 'second']) {
      await writeFile(credentials_file, `${token}\n`);
      await subject.carryOut(effectOf({}, token), unstopped);
      expect(sent()).toBe(`Token ${token}`);
    }
  });

  test('user and password', async () => {
    await writeFile(join(folder, 'password'), 'geheim ü\n');
    const basic_auth = { username: 'ada', password_file: join(folder, 'password') };
    await notifier(web({ http_config: { basic_auth } })).carryOut(effectOf(), unstopped);
    expect(sent()).toBe(`Basic ${Buffer.from('ada:geheim ü').toString('base64')}`);
  });

  test('the URL itself may be in a file', async () => {
    await writeFile(join(folder, 'url'), `${receiver.url}/from-file\n`);
    const config = [{ name: 'web', webhook_configs: [{ url_file: join(folder, 'url') }] }];
    await notifier(config).carryOut(effectOf(), unstopped);
    expect(receiver.requests[0]?.url).toBe('/hook/from-file');
  });

  test('a file that cannot be read fails the page and names the file', async () => {
    const subject = notifier(
      web({ http_config: { authorization: { credentials_file: join(folder, 'none') } } }),
    );
    await expect(subject.carryOut(effectOf(), unstopped)).rejects.toThrow(
      `the secret file ${join(folder, 'none')} cannot be read`,
    );
    expect(receiver.requests).toEqual([]);
  });
});

describe('a receiver with several integrations', () => {
  const failBad = Array.from(
    { length: 20 },
    () =>
      (response: Parameters<ReceiverServer['answers'][number]>[0], { url }: { url: string }) =>
        status(url.endsWith('/bad') ? 500 : 200)(response),
  );

  test('tells the others when one fails, and tells those only once when the page is tried again', async () => {
    receiver.answers = failBad;
    const subject = notifier(both());
    await expect(subject.carryOut(effectOf(), unstopped)).rejects.toMatchObject({
      code: 'TOC_NOTIFY_FAILED',
      message:
        'receiver web: 2 of 3 integrations told; webhook[0]: the receiver answered 500 (tried 4 times)',
    });
    expect(memory).toEqual(new Set(['INC-1/1/web#webhook[1]', 'INC-1/1/web#console[0]']));

    receiver.answers = [];
    const after = notifier(both());
    expect(await after.carryOut(effectOf(), unstopped)).toEqual({
      delivered: ['webhook[0]', 'webhook[1]', 'console[0]'],
    });
    const urls = receiver.requests.map(({ url }) => url);
    expect(urls.filter((url) => url.endsWith('/good'))).toHaveLength(1);
    expect(urls.filter((url) => url.endsWith('/bad'))).toHaveLength(5);
    expect(printed).toHaveLength(1);
  });

  test('another page is told to all again', async () => {
    const subject = notifier(both());
    await subject.carryOut(effectOf({}, 'INC-1/1/web'), unstopped);
    await subject.carryOut(effectOf({}, 'INC-1/2/web'), unstopped);
    expect(receiver.requests).toHaveLength(4);
    expect(printed).toHaveLength(2);
  });

  test('is refused only when all that failed were refusals', async () => {
    receiver.answers = Array.from(
      { length: 20 },
      () =>
        (response: Parameters<ReceiverServer['answers'][number]>[0], { url }: { url: string }) =>
          status(url.endsWith('/bad') ? 400 : 500)(response),
    );
    await expect(notifier(both()).carryOut(effectOf(), unstopped)).rejects.toMatchObject({
      code: 'TOC_NOTIFY_FAILED',
    });
  });
});

describe('send_resolved: false', () => {
  test('hears nothing of a group that has resolved', async () => {
    const ended = effectOf({ status: 'resolved', alerts: [resolved({ alertname: 'A' })] });
    expect(await notifier(silent()).carryOut(ended, unstopped)).toEqual({ delivered: [] });
    expect(receiver.requests).toEqual([]);
  });

  test('hears only of the alerts that fire', async () => {
    const alerts = [firing({ alertname: 'A' }), resolved({ alertname: 'B' })];
    await notifier(silent()).carryOut(effectOf({ alerts }), unstopped);
    expect(alertnames()).toEqual(['A']);
  });
});

test('a receiver that is gone from the configuration is a refusal; a reload brings others', async () => {
  const subject = notifier(web());
  const elsewhere = effectOf({ receiver: 'gone' });
  await expect(subject.carryOut(elsewhere, unstopped)).rejects.toMatchObject({ code: 'TOC_NOTIFY_REFUSED' });
  subject.configure(receiversConfig.parse([{ name: 'gone', webhook_configs: [{ url: receiver.url }] }]));
  await subject.carryOut(elsewhere, unstopped);
  expect(receiver.requests).toHaveLength(1);
});

test('a configuration that needs NATS without having it changes nothing', async () => {
  const subject = notifier(web());
  expect(() => subject.configure(receiversConfig.parse([{ name: 'bus', nats_configs: [{}] }]))).toThrow(
    'no nats.servers',
  );
  await subject.carryOut(effectOf(), unstopped);
  expect(receiver.requests).toHaveLength(1);
});

test('stopping cuts attempts and waits off, and nothing is remembered', async () => {
  receiver.answers = [status(503, { 'Retry-After': '4' })];
  const stop = new AbortController();
  const carried = notifier(web()).carryOut(effectOf(), stop.signal);
  while (receiver.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  stop.abort();
  await expect(carried).rejects.toThrow(/abort/i);
  expect(memory.size).toBe(0);
});

test('a dead receiver costs the others nothing', async () => {
  receiver.answers = [hang, status(200), hang];
  const subject = notifier(
    ['dead', 'alive'].map((name) => ({ name, webhook_configs: [{ url: receiver.url, timeout: '10s' }] })),
    { deadlineMs: 300 },
  );
  const ended: string[] = [];
  const dead = subject
    .carryOut(effectOf({ receiver: 'dead' }), unstopped)
    .catch(() => ended.push('dead failed'));
  while (receiver.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  await subject.carryOut(effectOf({ receiver: 'alive' }), unstopped);
  ended.push('alive told');
  await dead;
  expect(ended).toEqual(['alive told', 'dead failed']);
});

test('lanes: a dead receiver holds up no other, a page that is not taken no other group', () => {
  const laneOfGroup = (change: Parameters<typeof effectOf>[0]): string => laneOf(effectOf(change));
  expect(laneOfGroup({ groupKey: 'a' })).toBe(laneOfGroup({ groupKey: 'a' }));
  expect(laneOfGroup({ groupKey: 'a' })).not.toBe(laneOfGroup({ groupKey: 'a', receiver: 'other' }));
  expect(laneOfGroup({ groupKey: 'a' })).not.toBe(laneOfGroup({ groupKey: 'a', integration: 'webhook[1]' }));
  const lanes = Array.from({ length: 1000 }, (_, index) => laneOfGroup({ groupKey: `group ${index}` }));
  expect(new Set(lanes).size).toBe(64);
  expect(laneOf({ id: 'runbook/run-1/0', kind: 'http-step', payload: {} })).toBe('http-step/runbook/run-1/0');
});

test('the console prints the page', async () => {
  await notifier([{ name: 'web', console_configs: [{}] }]).carryOut(
    effectOf({ incident: incidentOf() }),
    unstopped,
  );
  expect(printed[0]).toContain('INC-1');
  expect(printed[0]).toContain('POST http://tocsin.example.net/api/v1/incidents/INC-1/acknowledge');
});

describe('a receiver that takes no pages', () => {
  const page = (n: number) => effectOf({ integration: 'webhook[0]' }, `INC-${n}/1/web`);

  test('is spared after five failures, and what waits is sent when a probe is taken', async () => {
    const clock = new ManualClock();
    const changes: string[] = [];
    const one = notifier(web(), {
      attempts: 1,
      clock,
      onCircuit: ({ receiver: name, integration, state }) => changes.push(`${name} ${integration} ${state}`),
    });
    receiver.answers = Array.from({ length: 5 }, () => status(503));
    for (let n = 1; n <= 5; n++)
      await expect(one.carryOut(page(n), unstopped)).rejects.toMatchObject({ code: 'TOC_NOTIFY_FAILED' });
    const waiting = [6, 7, 8].map(async (n) => {
      const effect = page(n);
      await one.admit(effect, unstopped);
      return one.carryOut(effect, unstopped);
    });
    await clock.goTo(5999);
    expect(receiver.requests).toHaveLength(5);
    expect(one.integrations()).toMatchObject([
      { receiver: 'web', integration: 'webhook[0]', state: 'open', waitingCount: 3 },
    ]);
    expect(one.integrations()[0]?.lastError).toBe('the receiver answered 503');
    await clock.goTo(6000);
    await Promise.all(waiting);
    expect(receiver.requests).toHaveLength(8);
    expect(changes).toEqual(['web webhook[0] open', 'web webhook[0] half-open', 'web webhook[0] closed']);
  });

  test('and refuses them one by one is there all the same', async () => {
    const one = notifier(web());
    receiver.answers = Array.from({ length: 20 }, () => status(400));
    for (let n = 1; n <= 20; n++)
      await expect(one.carryOut(page(n), unstopped)).rejects.toMatchObject({ code: 'TOC_NOTIFY_REFUSED' });
    expect(one.integrations()).toMatchObject([{ state: 'closed' }]);
  });

  test('does not hold up the others of the same receiver', async () => {
    const one = notifier(both(), { attempts: 1, clock: new ManualClock() });
    receiver.answers = Array.from(
      { length: 30 },
      () => (response, request) => status(request.url.endsWith('/bad') ? 500 : 200)(response),
    );
    for (let n = 1; n <= 5; n++)
      await one.carryOut(effectOf({ integration: 'webhook[0]' }, `a/${n}`), unstopped).catch(() => undefined);
    const states = one.integrations().map(({ integration, state }) => `${integration} ${state}`);
    expect(states).toEqual(['webhook[0] open', 'webhook[1] closed', 'console[0] closed']);
    await one.carryOut(effectOf({ integration: 'webhook[1]' }, 'b/1'), unstopped);
    expect(receiver.requests.at(-1)?.url).toMatch(/good$/);
  });
});

test('a page is tried until the next flush of its group is due, as Alertmanager tries it', async () => {
  const one = new Notifier(receiversConfig.parse(web()), {
    deliveries: deliveries(),
    publisher: null,
    print: () => undefined,
    externalUrl: '',
    attempts: Infinity,
    firstWaitMs: 1,
    longestWaitMs: 1,
    clock: systemClock,
    deadlineMs: 20_000,
  });
  receiver.answers = Array.from({ length: 4 }, () => status(503));
  expect(await one.carryOut(effectOf(), unstopped)).toEqual({ delivered: ['webhook[0]'] });
  expect(receiver.requests).toHaveLength(5);
  expect(one.integrations()).toMatchObject([{ deliveredCount: 1, failedCount: 0 }]);
});
