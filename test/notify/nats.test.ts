import { systemClock } from '../../src/app/clock.ts';
import { jetstreamManager } from '@nats-io/jetstream';
import { headers as createHeaders, type Msg, type NatsConnection } from '@nats-io/transport-node';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { Notifier, receiversConfig, type Publisher } from '../../src/notify/index.ts';
import { effectOf, firing, incidentOf } from './scene.ts';
import { startNats, type NatsServer } from '../support/nats.ts';

let server: NatsServer;
let connection: NatsConnection;

beforeAll(async () => {
  server = await startNats();
});
afterAll(() => server.stop());

beforeEach(async () => {
  connection = await server.connect();
});
afterEach(() => connection.close());

function publisher(): Publisher {
  return {
    async publish(subject, body, headers) {
      const wire = createHeaders();
      for (const [name, value] of Object.entries(headers)) wire.set(name, value);
      connection.publish(subject, body, { headers: wire });
      await connection.flush();
    },
  };
}

function notifier(
  config: Record<string, unknown> = {},
  through: Publisher = publisher(),
  deadlineMs = 5000,
): Notifier {
  return new Notifier(receiversConfig.parse([{ name: 'web', nats_configs: [config] }]), {
    deliveries: { isDelivered: async () => false, remember: async () => undefined },
    publisher: through,
    print: () => undefined,
    externalUrl: '',
    attempts: 3,
    firstWaitMs: 1,
    longestWaitMs: 4,
    clock: systemClock,
    deadlineMs,
  });
}

const unstopped = new AbortController().signal;

/** What arrives on `subject` while `act` runs. */
async function heard(subject: string, act: () => Promise<unknown>): Promise<Msg[]> {
  const messages: Msg[] = [];
  const subscription = connection.subscribe(subject, {
    callback: (_, message) => void messages.push(message),
  });
  await connection.flush();
  await act();
  await connection.flush();
  subscription.unsubscribe();
  return messages;
}

test.each(['P1', 'P2', 'P3', 'P4', 'P5'] as const)(
  'an incident of %s is published on the subject of its priority',
  async (priority) => {
    const effect = effectOf({ incident: incidentOf({ priority }) });
    const [message, ...others] = await heard('tocsin.>', () => notifier().carryOut(effect, unstopped));
    expect(others).toEqual([]);
    expect(message?.subject).toBe(`tocsin.incidents.${priority.toLowerCase()}`);
    expect(message?.headers?.get('Nats-Msg-Id')).toBe('INC-1/1/web');
    expect(message?.headers?.get('Content-Type')).toBe('application/cloudevents+json; charset=utf-8');
    expect(message?.json()).toMatchObject({
      specversion: '1.0',
      id: 'INC-1/1/web',
      type: 'tocsin.incident.paged.v1',
      data: { incident: { id: 'INC-1', priority }, alerts: [{ labels: { alertname: 'DiskFull' } }] },
    });
  },
);

test('a group that is no incident is published on the subject of pages', async () => {
  const [message] = await heard('tocsin.>', () => notifier().carryOut(effectOf(), unstopped));
  expect(message?.subject).toBe('tocsin.pages');
  expect(message?.json()).toMatchObject({ type: 'tocsin.group.paged.v1', data: { incident: null } });
});

test('subjects are the ones that the configuration names', async () => {
  const subject = notifier({ subject: 'shop.incidents', page_subject: 'shop.groups' });
  const messages = await heard('shop.>', async () => {
    await subject.carryOut(effectOf({ incident: incidentOf() }, 'one'), unstopped);
    await subject.carryOut(effectOf({}, 'two'), unstopped);
  });
  expect(messages.map((message) => message.subject)).toEqual(['shop.incidents.p1', 'shop.groups']);
});

test('a large group stays below what a server takes', async () => {
  const alerts = Array.from({ length: 5000 }, (_, index) =>
    firing({ alertname: 'A', pod: `web-${index}`, text: 'x'.repeat(300) }),
  );
  const [message] = await heard('tocsin.>', () => notifier().carryOut(effectOf({ alerts }), unstopped));
  expect(message?.json()).toMatchObject({ data: { group: { firing: 5000, truncated: 4800 } } });
});

test('a stream keeps one copy of a page that was published twice', async () => {
  const manager = await jetstreamManager(connection);
  await manager.streams.add({ name: 'PAGES', subjects: ['tocsin.incidents.*'] });
  const effect = effectOf({ incident: incidentOf() }, '{alertname="größe→"}/1/web');
  await notifier().carryOut(effect, unstopped);
  await notifier().carryOut(effect, unstopped);
  const { state } = await manager.streams.info('PAGES');
  expect(state.messages).toBe(1);
  await manager.streams.delete('PAGES');
});

test('a lost connection fails the page in time; the next page goes out on a new one', async () => {
  await connection.close();
  await expect(notifier().carryOut(effectOf(), unstopped)).rejects.toMatchObject({
    code: 'TOC_NOTIFY_FAILED',
    message: 'receiver web: nats[0]: the notification could not be sent (tried 3 times)',
  });
  const silent: Publisher = { publish: () => new Promise(() => undefined) };
  await expect(notifier({}, silent, 50).carryOut(effectOf(), unstopped)).rejects.toMatchObject({
    code: 'TOC_NOTIFY_FAILED',
    message: 'receiver web: nats[0]: the notification could not be sent (tried once within 50ms)',
  });
  connection = await server.connect();
  const messages = await heard('tocsin.pages', () => notifier().carryOut(effectOf(), unstopped));
  expect(messages).toHaveLength(1);
});
