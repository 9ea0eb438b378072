import { jetstreamManager } from '@nats-io/jetstream';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { natsConfig, openNats, type NatsPort } from '../../src/source/index.ts';
import { startNats, startNatsAt, startNatsConfigured, type NatsServer } from '../support/nats.ts';
import { freePort } from '../support/port.ts';

let server: NatsServer | null = null;
let port: NatsPort | null = null;

afterEach(async () => {
  await port?.close();
  await server?.stop();
  port = server = null;
});

test('a server that is down at first is found when it answers', async () => {
  const at = await freePort();
  const taken: string[] = [];
  const troubles: string[] = [];
  const connected = Promise.withResolvers<void>();
  port = openNats(
    natsConfig.parse({ servers: [`127.0.0.1:${at}`] }),
    async ({ domain }) => {
      taken.push(domain);
      return { status: 'accepted', acceptedCount: 1, errors: [] };
    },
    { onTrouble: ({ code }) => troubles.push(code), onConnected: () => connected.resolve() },
  );
  port.listen();
  await expect(port.publish('a', Buffer.from('x'), {})).rejects.toMatchObject({
    code: 'TOC_NATS_UNAVAILABLE',
  });
  await vi.waitFor(() => expect(troubles.length).toBeGreaterThan(0), 5000);
  expect(port.isConnected).toBe(false);

  server = await startNatsAt(at);
  await connected.promise;
  expect(port.isConnected).toBe(true);
  const client = await server.connect();
  const reply = await client.request('tocsin.in.shop', '[]', { timeout: 5000 });
  expect([reply.json(), taken]).toEqual([{ accepted: 1, errors: [] }, ['shop']]);
  await client.close();
}, 30_000);

test('credentials that a server refuses are told as such, and never ends the process', async () => {
  server = await startNats('--user', 'somebody', '--pass', 'secret');
  const trouble = Promise.withResolvers<string>();
  port = openNats(
    natsConfig.parse({ servers: [server.url] }),
    async () => ({ status: 'accepted', acceptedCount: 0, errors: [] }),
    { onTrouble: ({ message }) => trouble.resolve(message), onConnected: () => undefined },
  );
  expect(await trouble.promise).toMatch(/refuses the credentials/);
});

test('closing while no server answers ends at once', async () => {
  const silent = openNats(
    natsConfig.parse({ servers: [`127.0.0.1:${await freePort()}`] }),
    async () => ({ status: 'accepted', acceptedCount: 0, errors: [] }),
    { onTrouble: () => undefined, onConnected: () => undefined },
  );
  silent.listen();
  await silent.close();
  expect(silent.isConnected).toBe(false);
});

test('a subscription that the server refuses is told with its reason', async () => {
  server = await startNatsConfigured(
    await mkdtemp(join(tmpdir(), 'tocsin-nats-')),
    'authorization { users: [{ user: tocsin, password: "", permissions: { subscribe: "elsewhere.>" } }] }',
  );
  const troubles: string[] = [];
  let connectedCount = 0;
  port = openNats(
    natsConfig.parse({ servers: [server.url], user: 'tocsin' }),
    async () => ({ status: 'accepted', acceptedCount: 0, errors: [] }),
    { onTrouble: ({ message }) => troubles.push(message), onConnected: () => connectedCount++ },
  );
  port.listen();
  const refused = /the NATS server refuses: .*Permissions Violation for Subscription to "tocsin\.in\.\*"/;
  await vi.waitFor(() => expect(troubles.filter((text) => refused.test(text)).length).toBeGreaterThan(1), {
    timeout: 10_000,
  });
  expect(connectedCount).toBe(0);
}, 20_000);

test('a stream that is deleted and made again is consumed again', async () => {
  server = await startNats();
  const client = await server.connect();
  const { streams } = await jetstreamManager(client);
  const stream = { name: 'ALERTS', subjects: ['tocsin.in.*'] };
  await streams.add(stream);
  const taken: string[] = [];
  const troubles: string[] = [];
  let connectedCount = 0;
  port = openNats(
    natsConfig.parse({ servers: [server.url], ingest: { stream: 'ALERTS' } }),
    async ({ domain }) => {
      taken.push(domain);
      return { status: 'accepted', acceptedCount: 1, errors: [] };
    },
    { onTrouble: ({ message }) => troubles.push(message), onConnected: () => connectedCount++ },
  );
  port.listen();
  client.publish('tocsin.in.before', '[]');
  await vi.waitFor(() => expect(taken).toEqual(['before']), 5000);
  await streams.delete('ALERTS');
  await vi.waitFor(() => expect(troubles.join()).toMatch(/stream ALERTS as tocsin: .*not found/), 10_000);
  await streams.add(stream);
  client.publish('tocsin.in.after', '[]');
  await vi.waitFor(() => expect(taken).toEqual(['before', 'after']), 20_000);
  expect(connectedCount).toBe(2);
  await client.close();
}, 40_000);
