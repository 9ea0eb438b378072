import { AckPolicy, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { headers as createHeaders, type NatsConnection } from '@nats-io/transport-node';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  onTestFinished,
  test,
  vi,
} from 'vitest';
import { natsConfig, openNats, type MessageOutcome, type TakeMessage } from '../../src/source/index.ts';
import { NatsLink } from '../../src/source/nats.ts';
import { startNats, startNatsConfigured, type NatsServer } from '../support/nats.ts';
import { message, onTrouble, taking, until, type Taken } from './nats-scene.ts';

let server: NatsServer;
let client: NatsConnection;
let link: NatsLink | null = null;

beforeAll(async () => {
  server = await startNats();
});
afterAll(() => server.stop());
beforeEach(async () => {
  client = await server.connect();
});
afterEach(async () => {
  await link?.close();
  link = null;
  await client.close();
});

async function open(ingest: object, take: TakeMessage, trouble = onTrouble): Promise<NatsLink> {
  link = await NatsLink.open(natsConfig.parse({ servers: [server.url], ingest }), take, trouble);
  await link.listen();
  return link;
}

describe('JetStream', () => {
  test('a consumer that is there already keeps what its owner has set', async () => {
    await createStream('owned');
    const { consumers } = await jetstreamManager(client);
    await consumers.add('owned', {
      durable_name: 'theirs',
      ack_policy: AckPolicy.Explicit,
      ack_wait: 120_000_000_000,
      filter_subject: 'owned.in.*',
    });
    const taken: Taken[] = [];
    await open({ subject: 'owned.in.*', stream: 'owned', consumer: 'theirs' }, taking(taken));
    client.publish('owned.in.shop', message('a'));
    await until(() => taken.length === 1);
    expect((await consumers.info('owned', 'theirs')).config.ack_wait).toBe(120_000_000_000);
  });

  const { Explicit, None } = AckPolicy;
  test.each([
    [
      'that does not wait for acknowledgements',
      { ack_policy: None, filter_subject: 'strict.in.*' },
      'ack policy must be explicit, and is none',
    ],
    [
      'of other subjects',
      { ack_policy: Explicit, filter_subject: 'kept.x' },
      'filter must be strict.in.*, and is kept.x',
    ],
    ['of all subjects', { ack_policy: Explicit }, 'filter must be strict.in.*, and is none'],
  ])('a consumer %s is refused', async (_, theirs, reason) => {
    const { consumers, streams } = await jetstreamManager(client);
    await streams.add({ name: 'strict', subjects: ['strict.in.*', 'kept.x'] });
    await consumers.add('strict', { durable_name: 'theirs', ...theirs });
    await expect(
      open({ subject: 'strict.in.*', stream: 'strict', consumer: 'theirs' }, taking([])),
    ).rejects.toMatchObject({
      code: 'TOC_NATS_UNAVAILABLE',
      message: `cannot consume the JetStream stream strict as theirs: its ${reason}; delete that consumer, or name another`,
    });
    await streams.delete('strict');
  });

  test('CloudEvents come from a stream too, and a bad message is one dead letter, however often delivered', async () => {
    await createStream('events');
    const { streams } = await jetstreamManager(client);
    await streams.add({ name: 'dead', subjects: ['events.dead'] });
    const headers = createHeaders();
    for (const name of ['id', 'source', 'type']) headers.set(`ce-${name}`, 'x');
    headers.set('ce-specversion', '1.0');
    const taken: Taken[] = [];
    const ingest = { subject: 'events.in.*', stream: 'events', dead_letter_subject: 'events.dead' };
    const opened = await open(ingest, taking(taken));
    const js = jetstream(client);
    await js.publish('events.in.shop', message('a'), { headers });
    await js.publish('events.in.shop', '{"labels":5}', { headers });
    await until(() => taken.length === 2);
    await opened.close();
    expect(taken[0]).toEqual({ domain: 'shop', names: ['a'] });
    // As if the termination had been lost: the consumer begins at the first message again.
    await (await jetstreamManager(client)).consumers.delete('events', 'tocsin');
    await open(ingest, taking(taken));
    await until(() => taken.length === 4);
    await link?.close();
    const letter = await streams.getMessage('dead', { last_by_subj: 'events.dead' });
    expect((await streams.info('dead')).state.messages).toBe(1);
    expect(letter?.string()).toBe('{"labels":5}');
    expect(Object.fromEntries([...letter!.header].map(([name, [value]]) => [name, value]))).toEqual({
      'Tocsin-Error-Code': 'TOC_REPORT_INVALID',
      'Tocsin-Error': 'event.data.labels: expected an object of texts, got number',
      'Tocsin-Subject': 'events.in.shop',
      'Tocsin-Header-ce-id': 'x',
      'Tocsin-Header-ce-source': 'x',
      'Tocsin-Header-ce-type': 'x',
      'Tocsin-Header-ce-specversion': '1.0',
      'Nats-Msg-Id': 'events/2',
    });
  });

  test('a stream that is not there is an error with a code', async () => {
    await expect(open({ stream: 'absent' }, taking([]))).rejects.toMatchObject({
      code: 'TOC_NATS_UNAVAILABLE',
    });
  });
});

test('a server that is killed and started again loses nothing that was acknowledged to its publisher', async () => {
  const own = await startNats();
  const publisher = await own.connect({ reconnectTimeWait: 100, maxReconnectAttempts: -1 });
  const { streams } = await jetstreamManager(publisher);
  await streams.add({ name: 'kept', subjects: ['kept.in.*'] });
  const taken: Taken[] = [];
  const config = natsConfig.parse({
    servers: [own.url],
    ingest: { subject: 'kept.in.*', stream: 'kept' },
  });
  const killed = Promise.withResolvers<null>();
  const take = taking(taken, async (count) => (count > 50 ? killed.promise : null));
  const port = openNats(config, take, { onTrouble: () => undefined, onConnected: () => undefined });
  port.listen();
  try {
    const js = jetstream(publisher);
    const acknowledged = new Set<string>();
    const publish = async (name: string): Promise<void> => {
      await js.publish('kept.in.shop', message(name), { retries: 0, timeout: 2000 });
      acknowledged.add(name);
    };
    await Promise.all(Array.from({ length: 500 }, (_, i) => publish(`before-${i}`)));
    await until(() => taken.length === 50);
    await own.kill();
    killed.resolve(null);
    await own.start();
    await vi.waitFor(() => publish('after'), { timeout: 20_000, interval: 100 });
    const missing = (): string[] => {
      const names = new Set(taken.flatMap((one) => one.names));
      return [...acknowledged].filter((name) => !names.has(name));
    };
    await vi.waitFor(() => expect(missing()).toEqual([]), 40_000);
    expect(acknowledged.size).toBe(501);
  } finally {
    await port.close();
    await publisher.close();
    await own.stop();
  }
}, 60_000);

test('the permissions of docs/nats.md are enough', async () => {
  const permissions = /^ {4}publish: ([^:]*?)\n {4}subscribe: (.*)$/m.exec(
    await readFile(new URL('../../docs/nats.md', import.meta.url), 'utf8'),
  );
  expect(permissions).not.toBeNull();
  const subjects = (index: number): string => JSON.stringify(permissions?.[index]?.split(/,\s+/));
  const own = await startNatsConfigured(
    await mkdtemp(join(tmpdir(), 'tocsin-nats-')),
    `jetstream {}
authorization { users: [
  { user: platform, password: "" },
  { user: tocsin, password: "", permissions: { publish: ${subjects(1)}, subscribe: ${subjects(2)} } }
] }`,
  );
  onTestFinished(() => own.stop());
  const platform = await own.connect({ user: 'platform', pass: '' });
  onTestFinished(() => platform.close());
  const { streams, consumers } = await jetstreamManager(platform);
  await streams.add({ name: 'ALERTS', subjects: ['tocsin.in.*'] });
  const dead = platform.subscribe('tocsin.dead', { max: 1 });
  const taken: Taken[] = [];
  const refused: MessageOutcome = { status: 'unavailable', code: 'TOC_LOG_UNAVAILABLE', message: 'not now' };
  const config = natsConfig.parse({ servers: [own.url], user: 'tocsin', ingest: { stream: 'ALERTS' } });
  const take = taking(taken, async (count) => (count === 1 ? refused : null));
  link = await NatsLink.open(config, take, onTrouble);
  await link.listen();
  for (const body of [message('a'), message('b'), '{']) platform.publish('tocsin.in.shop', body);
  for await (const letter of dead) expect(letter.string()).toBe('{');
  await until(() => taken.length === 3);
  await link.close();
  const { num_ack_pending, num_pending } = await consumers.info('ALERTS', 'tocsin');
  expect([num_ack_pending, num_pending]).toEqual([0, 0]);
});

async function createStream(name: string): Promise<void> {
  const manager = await jetstreamManager(client);
  await manager.streams.add({ name, subjects: [`${name}.in.*`] });
}
