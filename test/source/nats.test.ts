import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { decoders, natsConfig, type MessageOutcome, type TakeMessage } from '../../src/source/index.ts';
import { NatsLink } from '../../src/source/nats.ts';
import { startNats, type NatsServer } from '../support/nats.ts';
import { context } from './scene.ts';

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

interface Taken {
  readonly domain: string;
  readonly names: readonly string[];
}

/** Takes messages as the application does; what is durable is in `taken`. */
function taking(
  taken: Taken[],
  before: (count: number) => Promise<MessageOutcome | null> = async () => null,
): TakeMessage {
  let count = 0;
  return async (domain, body) => {
    const instead = await before(++count);
    if (instead) return instead;
    const { alerts, errors } = decoders.json(body, { ...context, defaultDomain: domain });
    taken.push({ domain, names: alerts.map(({ labels }) => labels[1] ?? '') });
    return { status: 'accepted', acceptedCount: alerts.length, errors };
  };
}

async function open(ingest: object, take: TakeMessage): Promise<NatsLink> {
  link = await NatsLink.open(natsConfig.parse({ servers: [server.url], ingest }), take);
  await link.listen();
  return link;
}

const message = (name: string): string => JSON.stringify({ labels: { alertname: name } });

async function until(condition: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 400; attempt++) {
    if (condition()) return;
    await sleep(10);
  }
  expect(condition()).toBe(true);
}

describe('core NATS', () => {
  test('a request is answered once its alerts are durable, in the domain of its subject', async () => {
    const taken: Taken[] = [];
    await open({ subject: 'core.in.*' }, taking(taken));
    const answer = await client.request('core.in.shop', `[${message('a')},${message('b')}]`, {
      timeout: 2000,
    });
    expect(answer.json()).toEqual({ accepted: 2, errors: [] });
    expect(taken).toEqual([{ domain: 'shop', names: ['a', 'b'] }]);
  });

  test('a request that cannot be read, or not be kept, is told so', async () => {
    let outcome: MessageOutcome | null = null;
    await open(
      { subject: 'core.in.*' },
      taking([], async () => outcome),
    );
    const bad = await client.request('core.in.shop', '{', { timeout: 2000 });
    expect(bad.json()).toEqual({ accepted: 0, errors: [expect.stringContaining('body: expected JSON')] });
    outcome = { status: 'unavailable', message: 'the log is full' };
    const refused = await client.request('core.in.shop', message('a'), { timeout: 2000 });
    expect(refused.json()).toEqual({ accepted: 0, errors: ['the log is full'], retry: true });
  });

  test('messages are taken in their order, many at a time', async () => {
    const taken: Taken[] = [];
    let waiting = 0;
    let mostWaiting = 0;
    await open(
      { subject: 'core.in.*' },
      taking(taken, async () => {
        mostWaiting = Math.max(mostWaiting, ++waiting);
        await sleep(5);
        waiting--;
        return null;
      }),
    );
    const names = Array.from({ length: 1000 }, (_, i) => String(i));
    for (const name of names) client.publish('core.in.shop', message(name));
    await until(() => taken.length === names.length);
    expect(taken.flatMap((one) => one.names)).toEqual(names);
    expect(mostWaiting).toBeGreaterThan(10);
    expect(mostWaiting).toBeLessThanOrEqual(256);
  });

  test('what cannot be read goes to the dead letter subject with the reason', async () => {
    const dead = client.subscribe('tocsin.dead', { max: 1 });
    await open({ subject: 'core.in.*', dead_letter_subject: 'tocsin.dead' }, taking([]));
    client.publish('core.in.shop', message('fine'));
    client.publish('core.in.shop', `[${message('fine')},{"labels":{"größe":5}}]`);
    for await (const letter of dead) {
      expect(letter.string()).toContain('größe');
      expect(letter.headers?.get('Tocsin-Subject')).toBe('core.in.shop');
      expect(letter.headers?.get('Tocsin-Error')).toBe(
        'alerts[1].labels.gr??e: expected a string, got number',
      );
    }
  });

  test('a message as large as the server takes is buried too, cut', async () => {
    const dead = client.subscribe('tocsin.dead', { max: 1 });
    await open({ subject: 'core.in.*', dead_letter_subject: 'tocsin.dead' }, taking([]));
    client.publish('core.in.shop', 'x'.repeat(client.info!.max_payload));
    for await (const letter of dead) expect(letter.data.length).toBe(client.info!.max_payload - 4096);
  });

  test('closing finishes and answers what is at hand', async () => {
    const taken: Taken[] = [];
    const begun = Promise.withResolvers<void>();
    const opened = await open(
      { subject: 'core.in.*' },
      taking(taken, async () => {
        begun.resolve();
        await sleep(100);
        return null;
      }),
    );
    const answer = client.request('core.in.shop', message('a'), { timeout: 2000 });
    await begun.promise;
    await opened.close();
    expect((await answer).json()).toEqual({ accepted: 1, errors: [] });
  });
});

test('closing ends also while the server is away', async () => {
  const lost = await startNats();
  const take = taking([]);
  const config = natsConfig.parse({ servers: [lost.url], ingest: { subject: 'core.in.*' } });
  const opened = await NatsLink.open(config, take);
  await opened.listen();
  await lost.stop();
  await expect(opened.close()).resolves.toBeUndefined();
});

describe('JetStream', () => {
  test('a message is acknowledged once it is durable, and not delivered again to the next process', async () => {
    await createStream('first');
    const taken: Taken[] = [];
    const ingest = { subject: 'first.in.*', stream: 'first' };
    const opened = await open(ingest, taking(taken));
    client.publish('first.in.shop', message('a'));
    client.publish('first.in.bank', message('b'));
    await until(() => taken.length === 2);
    await opened.close();
    client.publish('first.in.shop', message('c'));
    await open(ingest, taking(taken));
    await until(() => taken.length >= 3);
    expect(taken).toEqual([
      { domain: 'shop', names: ['a'] },
      { domain: 'bank', names: ['b'] },
      { domain: 'shop', names: ['c'] },
    ]);
    await link?.close();
    expect(await pending('first')).toBe(0);
  });

  test('a message that could not be kept is delivered again; one that cannot be read is not', async () => {
    await createStream('second');
    const taken: Taken[] = [];
    const refused: MessageOutcome = { status: 'unavailable', message: 'not now' };
    let calls = 0;
    await open(
      { subject: 'second.in.*', stream: 'second' },
      taking(taken, async (count) => {
        calls = count;
        return count === 1 ? refused : null;
      }),
    );
    client.publish('second.in.shop', message('a'));
    client.publish('second.in.shop', '{');
    await until(() => taken.some(({ names }) => names[0] === 'a'));
    expect(calls).toBe(3);
    await link?.close();
    expect(await pending('second')).toBe(0);
  });

  test('a stream that is not there is an error with a code', async () => {
    await expect(open({ stream: 'absent' }, taking([]))).rejects.toMatchObject({
      code: 'TOC_NATS_UNAVAILABLE',
    });
  });
});

describe('connecting', () => {
  test('a server that does not answer is an error with a code', async () => {
    const config = natsConfig.parse({ servers: ['127.0.0.1:1'] });
    await expect(NatsLink.open(config, taking([]))).rejects.toMatchObject({ code: 'TOC_NATS_UNAVAILABLE' });
  });

  test('the token comes from a file', async () => {
    const guarded = await startNats('--auth', 'open-sesame');
    const folder = await mkdtemp(join(tmpdir(), 'tocsin-token-'));
    const file = join(folder, 'token');
    try {
      await writeFile(file, 'open-sesame\n');
      const servers = [guarded.url];
      await expect(NatsLink.open(natsConfig.parse({ servers }), taking([]))).rejects.toMatchObject({
        code: 'TOC_NATS_UNAVAILABLE',
      });
      link = await NatsLink.open(natsConfig.parse({ servers, token_file: file }), taking([]));
      await link.publish('anything', Buffer.from('x'), { Name: 'value' });
    } finally {
      await link?.close();
      link = null;
      await guarded.stop();
      await rm(folder, { recursive: true });
    }
  });

  test('publishing waits until the server has the message, with its headers', async () => {
    const subscription = client.subscribe('pages', { max: 1 });
    await client.flush();
    await (await open({}, taking([]))).publish('pages', Buffer.from('body'), { 'X-Test': 'yes' });
    for await (const page of subscription) {
      expect([page.string(), page.headers?.get('X-Test')]).toEqual(['body', 'yes']);
    }
  });
});

async function createStream(name: string): Promise<void> {
  const manager = await jetstreamManager(client);
  await manager.streams.add({ name, subjects: [`${name}.in.*`] });
}

async function pending(stream: string): Promise<number> {
  const { num_ack_pending, num_pending } = await (
    await jetstreamManager(client)
  ).consumers.info(stream, 'tocsin');
  return num_ack_pending + num_pending;
}
