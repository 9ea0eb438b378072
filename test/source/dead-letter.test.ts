import { headers as createHeaders, type Msg, type NatsConnection } from '@nats-io/transport-node';
import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { deadLetters, sizeOf, type BadMessage } from '../../src/source/dead-letter.ts';
import { natsConfig, type MessageOutcome } from '../../src/source/index.ts';
import { NatsLink } from '../../src/source/nats.ts';
import { startNats, type NatsServer } from '../support/nats.ts';
import { message, onTrouble, taking } from './nats-scene.ts';

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

/** Listens, with what decides instead of the decoder, and gives the dead letters that come after `publish`. */
async function buried(
  count: number,
  publish: () => void,
  ingest: object = {},
  outcome: MessageOutcome | null = null,
): Promise<readonly Msg[]> {
  const dead = client.subscribe('tocsin.dead', { max: count });
  const config = natsConfig.parse({ servers: [server.url], ingest });
  link = await NatsLink.open(
    config,
    taking([], async () => outcome),
    onTrouble,
  );
  await link.listen();
  publish();
  const letters: Msg[] = [];
  for await (const letter of dead) letters.push(letter);
  return letters;
}

describe('over a server', () => {
  test('the bytes are whole, with code, reason, subject and headers', async () => {
    const headers = createHeaders();
    headers.append('X-Team', 'größe');
    headers.append('X-Team', 'b');
    headers.set('Nats-Msg-Id', '7');
    const body = `[${message('fine')},{"labels":{"größe":5}}]`;
    const [letter] = await buried(1, () => {
      client.publish('tocsin.in.shop', message('fine'));
      client.publish('tocsin.in.shop', body, { headers });
    });
    expect(letter?.string()).toBe(body);
    expect(Object.fromEntries(letter!.headers!)).toEqual({
      'Tocsin-Error-Code': ['TOC_REPORT_INVALID'],
      'Tocsin-Error': ['alerts[1].labels.gr??e: expected a string, got number'],
      'Tocsin-Subject': ['tocsin.in.shop'],
      'Tocsin-Header-X-Team': ['größe', 'b'],
      'Tocsin-Header-Nats-Msg-Id': ['7'],
    });
  });

  test('a message as large as the server takes is buried in parts, which are the whole', async () => {
    const body = randomBytes(client.info!.max_payload);
    const letters = await buried(2, () => client.publish('tocsin.in.shop', body));
    expect(letters.map(({ headers }) => headers?.get('Tocsin-Part'))).toEqual(['1/2', '2/2']);
    expect(new Set(letters.map(({ headers }) => headers?.get('Tocsin-Letter'))).size).toBe(1);
    for (const { headers } of letters) {
      expect(headers?.get('Tocsin-Size')).toBe(String(body.length));
      expect(headers?.get('Tocsin-Error')).toMatch(/^body: expected JSON/);
    }
    expect(Buffer.concat(letters.map(({ data }) => data)).equals(body)).toBe(true);
  });

  test('a message that fills the server with headers is buried without them, and says so', async () => {
    const headers = createHeaders();
    headers.set('X-Large', 'x'.repeat(client.info!.max_payload - 1000));
    const [letter] = await buried(1, () => client.publish('tocsin.in.shop', 'x', { headers }));
    expect(letter?.string()).toBe('x');
    expect(letter?.headers?.get('Tocsin-Headers-Omitted')).toBe('1, which are too large');
    expect(letter?.headers?.get('Tocsin-Error')).toMatch(/^body: expected JSON/);
  });

  test('what cannot be kept is buried where its publisher does not hear of it', async () => {
    const refused: MessageOutcome = {
      status: 'unavailable',
      code: 'TOC_LOG_UNAVAILABLE',
      message: 'the log is full',
    };
    const replies: Promise<Msg>[] = [];
    const letters = await buried(
      1,
      () => {
        replies.push(client.request('tocsin.in.asking', message('a'), { timeout: 2000 }));
        client.publish('tocsin.in.silent', message('b'));
      },
      {},
      refused,
    );
    expect((await replies[0]!).json()).toMatchObject({ retry: true });
    expect(letters.map(({ headers }) => headers?.get('Tocsin-Subject'))).toEqual(['tocsin.in.silent']);
    expect(letters[0]?.headers?.get('Tocsin-Error-Code')).toBe('TOC_LOG_UNAVAILABLE');
  });

  test('none are published where they are turned off', async () => {
    const letters = await buried(
      1,
      () => {
        void client
          .request('tocsin.in.shop', '{', { timeout: 2000 })
          .then(() => client.publish('tocsin.dead', 'the test itself'));
      },
      { dead_letter_subject: null },
    );
    expect(letters.map((letter) => letter.string())).toEqual(['the test itself']);
  });
});

describe('sizes', () => {
  const bad: BadMessage = {
    subject: 'tocsin.in.shop',
    headers: [['X-Team', ['a', 'b']]],
    data: randomBytes(5000),
    code: 'TOC_REPORT_INVALID',
    reasons: ['body: expected JSON'],
    id: 'ALERTS/7',
  };

  test('whatever the server takes, no letter is larger, and together they are the message', () => {
    for (const maxBytes of [400, 500, 1000, 4096, 5000, 5001, 5200, 5229, 5230, 5231, 1_048_576]) {
      const letters = deadLetters(bad, maxBytes);
      expect(letters.length).toBeGreaterThan(0);
      for (const { headers, data } of letters)
        expect(sizeOf(headers) + data.length).toBeLessThanOrEqual(maxBytes);
      expect(Buffer.concat(letters.map(({ data }) => data)).equals(bad.data)).toBe(true);
      const ids = letters.map(({ headers }) => headers.find(([name]) => name === 'Nats-Msg-Id')?.[1]);
      expect(new Set(ids).size).toBe(letters.length);
    }
  });

  test('a server that has no room for the headers gets none', () => {
    expect(deadLetters(bad, 100)).toEqual([]);
  });

  test('many reasons are cut visibly', () => {
    const reasons = Array.from({ length: 200 }, (_, i) => `alerts[${i}].labels: expected an object`);
    const [letter] = deadLetters({ ...bad, reasons }, 100_000);
    const reason = letter?.headers.find(([name]) => name === 'Tocsin-Error')?.[1];
    expect(reason).toHaveLength(1000);
    expect(reason).toMatch(/\.\.\.$/);
  });
});
