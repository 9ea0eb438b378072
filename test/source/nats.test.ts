import { headers as createHeaders, type NatsConnection } from '@nats-io/transport-node';
import { connect as dial } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { natsConfig, type TakeMessage } from '../../src/source/index.ts';
import { answerOf } from '../../src/source/nats-message.ts';
import { NatsLink } from '../../src/source/nats.ts';
import { startNats, type NatsServer } from '../support/nats.ts';
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

const compare = (a: string, b: string): number => a.localeCompare(b);

async function open(ingest: object, take: TakeMessage): Promise<NatsLink> {
  link = await NatsLink.open(natsConfig.parse({ servers: [server.url], ingest }), take, onTrouble);
  await link.listen();
  return link;
}

describe('CloudEvents', () => {
  const request = async (attributes: Record<string, string>, payload: unknown): Promise<unknown> => {
    const headers = createHeaders();
    for (const [name, value] of Object.entries(attributes)) headers.set(name, value);
    const body = JSON.stringify(payload);
    return (await client.request('core.in.shop', body, { headers, timeout: 2000 })).json();
  };
  const attributes = { specversion: '1.0', id: '1', source: '/rules', type: 'alert.firing' };
  const binary = Object.fromEntries(Object.entries(attributes).map(([name, value]) => [`ce-${name}`, value]));
  const data = { labels: { alertname: 'a' } };

  test('in binary and structured mode are taken like alerts, one or a batch', async () => {
    const taken: Taken[] = [];
    await open({ subject: 'core.in.*' }, taking(taken));
    expect(await request({ ...binary, 'content-type': 'application/json' }, data)).toEqual({
      accepted: 1,
      errors: [],
    });
    const structured = { 'Content-Type': 'application/cloudevents+json; charset=utf-8' };
    expect(await request(structured, { ...attributes, data })).toEqual({ accepted: 1, errors: [] });
    const batch = { 'Content-Type': 'application/cloudevents-batch+json' };
    const events = [
      { ...attributes, data },
      { ...attributes, id: '2', data },
    ];
    expect(await request(batch, events)).toEqual({ accepted: 2, errors: [] });
    expect(taken.map(({ domain, names }) => [domain, ...names])).toEqual([
      ['shop', 'a'],
      ['shop', 'a'],
      ['shop', 'a', 'a'],
    ]);
  });

  test('that cannot be read are told by field', async () => {
    await open({ subject: 'core.in.*' }, taking([]));
    expect(await request({ ...binary, 'ce-specversion': '0.3' }, data)).toEqual({
      accepted: 0,
      errors: ['event.specversion: expected "1.0", got 0.3'],
    });
    expect(await request(binary, { labels: { alertname: 5 } })).toEqual({
      accepted: 0,
      errors: ['event.data.labels.alertname: expected a string, got number'],
    });
    expect(
      await request({ 'content-type': 'application/cloudevents+json' }, { ...attributes, data: 5 }),
    ).toEqual({
      accepted: 0,
      errors: ['event.data: expected an alert as a JSON object, got number'],
    });
  });

  test('with headers that no client writes are told so, and nothing stops', async () => {
    const dead = client.subscribe('tocsin.dead', { max: 1 });
    const taken: Taken[] = [];
    await open({ subject: 'core.in.*' }, taking(taken));
    const wireHeaders = 'NATS/1.0\r\nce id: 1\r\n\r\n';
    const socket = dial(server.port, '127.0.0.1');
    socket.write(`CONNECT {"headers":true,"verbose":false}\r\nHPUB core.in.shop ${wireHeaders.length} `);
    socket.write(`${wireHeaders.length + 2}\r\n${wireHeaders}{}\r\n`);
    for await (const letter of dead) {
      expect([letter.string(), letter.headers?.get('Tocsin-Error')]).toEqual([
        '{}',
        'headers: expected names of printable ASCII, got others',
      ]);
      expect(letter.headers?.get('Tocsin-Headers-Omitted')).toBe('they cannot be read');
    }
    socket.destroy();
    expect((await client.request('core.in.shop', message('a'), { timeout: 2000 })).json()).toEqual({
      accepted: 1,
      errors: [],
    });
  });
});

describe('core NATS', () => {
  test('those who share a queue take each message once; who shares none takes all', async () => {
    const shared: Taken[] = [];
    const own: Taken[] = [];
    const links = await Promise.all(
      [
        { ingest: { subject: 'core.in.*', queue: 'q' }, taken: shared },
        { ingest: { subject: 'core.in.*', queue: 'q' }, taken: shared },
        { ingest: { subject: 'core.in.*' }, taken: own },
      ].map(async ({ ingest, taken }) => {
        const one = await NatsLink.open(
          natsConfig.parse({ servers: [server.url], ingest }),
          taking(taken),
          onTrouble,
        );
        await one.listen();
        return one;
      }),
    );
    const names = Array.from({ length: 20 }, (_, index) => `n${index}`);
    for (const name of names) client.publish('core.in.shop', message(name));
    await expect.poll(() => [shared.length, own.length]).toEqual([20, 20]);
    const byName = (taken: readonly Taken[]): string[] =>
      taken.flatMap((each) => each.names).toSorted(compare);
    expect([byName(shared), byName(own)]).toEqual([names.toSorted(compare), names.toSorted(compare)]);
    await Promise.all(links.map((one) => one.close()));
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

  test('of very many errors the first are answered, and how many more there are', async () => {
    await open({ subject: 'core.in.*' }, taking([]));
    const bad = `[${message('a')}${',{}'.repeat(20_000)}]`;
    const answer = (await client.request('core.in.shop', bad, { timeout: 5000 })).json<{
      readonly accepted: number;
      readonly errors: readonly string[];
    }>();
    expect(answer.accepted).toBe(1);
    expect(answer.errors[0]).toBe('alerts[1].labels: expected an object of texts, got nothing');
    expect(answer.errors.at(-1)).toBe('alerts: expected alerts, got 19000 more that are none');
    const small = (await client.request('core.in.shop', message('b'), { timeout: 5000 })).json();
    expect(small).toEqual({ accepted: 1, errors: [] });
  });

  test('an answer that is larger than the server takes tells fewer errors, and how many more there are', () => {
    const errors = Array.from({ length: 1001 }, (_, index) => `alerts[${index}]: ${'x'.repeat(90)}`);
    const answer = answerOf({ status: 'accepted', acceptedCount: 1, errors }, 65_536);
    expect(Buffer.byteLength(answer)).toBeLessThanOrEqual(65_536);
    const told = (JSON.parse(answer) as { readonly errors: readonly string[] }).errors;
    expect(told.length).toBeGreaterThan(100);
    expect(told.at(-1)).toBe(`and ${1001 - told.length + 1} more`);
  });

  test('no request has an answer published but at an inbox', async () => {
    const taken: Taken[] = [];
    const troubles: string[] = [];
    const ingest = { subject: 'core.in.*', inbox_prefixes: ['_INBOX', 'alice.inbox.'] };
    link = await NatsLink.open(natsConfig.parse({ servers: [server.url], ingest }), taking(taken), (error) =>
      troubles.push(error.message),
    );
    await link.listen();
    const answered: string[] = [];
    const all = client.subscribe('>', {
      callback(_, { subject }) {
        if (!subject.startsWith('core.in.')) answered.push(subject);
      },
    });
    const elsewhere = ['$JS.API.STREAM.PURGE.x', 'tocsin.log.0.open', 'core.in.shop', 'orders', '_R_secret'];
    for (const reply of [...elsewhere, '_INBOX.a', '_INBOX_bob.b', 'alice.inbox.c'])
      client.publish('core.in.shop', message('a'), { reply });
    client.publish('core.in.shop', '{', { reply: 'orders' });
    await until(() => answered.length === 4 && taken.length === 9);
    await link.close();
    await client.flush();
    expect(answered).toEqual(['_INBOX.a', '_INBOX_bob.b', 'alice.inbox.c', 'tocsin.dead']);
    expect(troubles).toEqual([expect.stringContaining('$JS.API.STREAM.PURGE.x')]);
    all.unsubscribe();
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
  const opened = await NatsLink.open(config, take, onTrouble);
  await opened.listen();
  await lost.stop();
  await expect(opened.close()).resolves.toBeUndefined();
});

describe('connecting', () => {
  test('a server that does not answer is an error with a code', async () => {
    const config = natsConfig.parse({ servers: ['127.0.0.1:1'] });
    await expect(NatsLink.open(config, taking([]), onTrouble)).rejects.toMatchObject({
      code: 'TOC_NATS_UNAVAILABLE',
    });
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
