import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { NatsConnectionConfig } from '../../src/nats/index.ts';
import { natsConfig, type MessageOutcome, type TakeMessage } from '../../src/source/index.ts';
import { NatsLink } from '../../src/source/nats.ts';
import { message, onTrouble, taking, until, type Taken } from '../source/nats-scene.ts';

export interface NatsUnderTest {
  /** How Tocsin reaches the server. */
  readonly config: Pick<NatsConnectionConfig, 'servers' | 'user' | 'password_file'>;
  /** How who publishes does. */
  connect(): Promise<NatsConnection>;
  stop(): Promise<void>;
}

/** What alerts over any NATS server must do. Streams and subjects are of each test's own, and gone after it. */
export function natsIngestContract(title: string, start: () => Promise<NatsUnderTest>): void {
  describe(`alerts over NATS: ${title}`, () => {
    let server: NatsUnderTest;
    let client: NatsConnection;
    let link: NatsLink | null = null;
    let name: string;

    beforeAll(async () => {
      server = await start();
      client = await server.connect();
    });
    afterAll(async () => {
      await client.close();
      await server.stop();
    });
    beforeEach(() => {
      name = `tocsin-test-${randomUUID()}`;
    });
    afterEach(async () => {
      await link?.close();
      link = null;
      const { streams } = await jetstreamManager(client);
      for await (const stream of streams.names(`${name}.in.*`)) await streams.delete(stream);
    });

    async function open(ingest: object, take: TakeMessage): Promise<NatsLink> {
      const config = natsConfig.parse({
        ...server.config,
        ingest: { dead_letter_subject: `${name}.dead`, ...ingest },
      });
      link = await NatsLink.open(config, take, onTrouble);
      await link.listen();
      return link;
    }

    async function createStream(): Promise<void> {
      const { streams } = await jetstreamManager(client);
      await streams.add({ name, subjects: [`${name}.in.*`] });
    }

    async function pending(): Promise<number> {
      const { consumers } = await jetstreamManager(client);
      const { num_ack_pending, num_pending } = await consumers.info(name, 'tocsin');
      return num_ack_pending + num_pending;
    }

    test('a request is answered once its alerts are durable, in the domain of its subject', async () => {
      const taken: Taken[] = [];
      await open({ subject: `${name}.in.*` }, taking(taken));
      const answer = await client.request(`${name}.in.shop`, `[${message('a')},${message('b')}]`, {
        timeout: 2000,
      });
      expect(answer.json()).toEqual({ accepted: 2, errors: [] });
      expect(taken).toEqual([{ domain: 'shop', names: ['a', 'b'] }]);
    });

    test('a request that cannot be read, or not be kept, is told so', async () => {
      let outcome: MessageOutcome | null = null;
      await open(
        { subject: `${name}.in.*` },
        taking([], async () => outcome),
      );
      const bad = await client.request(`${name}.in.shop`, '{', { timeout: 2000 });
      expect(bad.json()).toEqual({ accepted: 0, errors: [expect.stringContaining('body: expected JSON')] });
      outcome = { status: 'unavailable', code: 'TOC_LOG_UNAVAILABLE', message: 'the log is full' };
      const refused = await client.request(`${name}.in.shop`, message('a'), { timeout: 2000 });
      expect(refused.json()).toEqual({ accepted: 0, errors: ['the log is full'], retry: true });
    });

    test('a message is acknowledged once it is durable, and not delivered again to the next process', async () => {
      await createStream();
      const taken: Taken[] = [];
      const ingest = { subject: `${name}.in.*`, stream: name };
      const opened = await open(ingest, taking(taken));
      client.publish(`${name}.in.shop`, message('a'));
      client.publish(`${name}.in.bank`, message('b'));
      await until(() => taken.length === 2);
      await opened.close();
      client.publish(`${name}.in.shop`, message('c'));
      await open(ingest, taking(taken));
      await until(() => taken.length >= 3);
      expect(taken).toEqual([
        { domain: 'shop', names: ['a'] },
        { domain: 'bank', names: ['b'] },
        { domain: 'shop', names: ['c'] },
      ]);
      await link?.close();
      expect(await pending()).toBe(0);
    });

    test('a message that could not be kept is delivered again; one that cannot be read, or never be kept, is not', async () => {
      await createStream();
      const taken: Taken[] = [];
      const refused = (code: string): MessageOutcome => ({ status: 'unavailable', code, message: 'not now' });
      let calls = 0;
      await open(
        { subject: `${name}.in.*`, stream: name },
        taking(taken, async (count) => {
          calls = count;
          if (count === 1) return refused('TOC_LOG_UNAVAILABLE');
          return count === 3 ? refused('TOC_LOG_ENTRY_TOO_LARGE') : null;
        }),
      );
      client.publish(`${name}.in.shop`, message('a'));
      client.publish(`${name}.in.shop`, '{');
      client.publish(`${name}.in.shop`, message('too large'));
      await until(() => taken.some(({ names }) => names[0] === 'a'));
      expect(calls).toBe(4);
      await link?.close();
      expect(await pending()).toBe(0);
    });
  });
}
