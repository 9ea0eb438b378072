import { afterAll, beforeAll, expect, test } from 'vitest';
import { openQuestions, type NatsConnection, type Questions } from '../../src/nats/index.ts';
import { startNats, type NatsServer } from '../support/nats.ts';

let server: NatsServer;
const connections: NatsConnection[] = [];

async function open(): Promise<Questions> {
  const connection = await server.connect();
  connections.push(connection);
  return openQuestions(connection);
}

beforeAll(async () => {
  server = await startNats();
});
afterAll(async () => {
  for (const connection of connections) await connection.close();
  await server.stop();
});

const text = (bytes: Uint8Array | null): string | null => bytes && Buffer.from(bytes).toString();

test.each([0, 1, 524_288, 524_289, 5_000_000])('an answer of %i bytes arrives whole', async (size) => {
  const asked = await open();
  const asking = await open();
  const bytes = Uint8Array.from({ length: size }, (_, i) => i % 251);
  const stop = asked.answer(
    `size.${size}`,
    async () => bytes,
    () => '',
  );
  await connections.at(-2)!.flush();
  const answer = await asking.ask(`size.${size}`, new Uint8Array(), 5000);
  expect(Buffer.compare(answer!, bytes)).toBe(0);
  stop();
});

test('what the other side rejects with is told with its code', async () => {
  const asked = await open();
  const asking = await open();
  asked.answer(
    'fails',
    async () => {
      throw new Error('no such thing');
    },
    (error) => `CODE_${(error as Error).message.length}`,
  );
  await connections.at(-2)!.flush();
  await expect(asking.ask('fails', new Uint8Array(), 5000)).rejects.toMatchObject({
    code: 'CODE_13',
    message: 'no such thing',
  });
});

test('where nobody listens that is known at once, and where nobody answers after the given time', async () => {
  const asking = await open();
  expect(await asking.ask('nobody', new Uint8Array(), 600_000)).toBeNull();
  connections.at(-1)!.subscribe('silent', { callback: () => undefined });
  expect(await asking.ask('silent', new Uint8Array(), 20)).toBeNull();
});

test('of two who answer one counts, with all of its parts', async () => {
  const [one, other, asking] = await Promise.all([open(), open(), open()]);
  const long = (letter: string) => async () => Buffer.from(letter.repeat(1_500_000));
  one.answer('both', long('a'), () => '');
  other.answer('both', long('b'), () => '');
  await Promise.all(connections.map((connection) => connection.flush()));
  expect(text(await asking.ask('both', new Uint8Array(), 5000))).toMatch(/^(a{1500000}|b{1500000})$/);
});

test('who has stopped to answer is not there any more', async () => {
  const asked = await open();
  const asking = await open();
  const stop = asked.answer(
    'ends',
    async (question) => question,
    () => '',
  );
  await connections.at(-2)!.flush();
  expect(text(await asking.ask('ends', Buffer.from('echo'), 5000))).toBe('echo');
  stop();
  await connections.at(-2)!.flush();
  expect(await asking.ask('ends', new Uint8Array(), 600_000)).toBeNull();
});
