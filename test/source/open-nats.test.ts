import { afterEach, expect, test, vi } from 'vitest';
import { natsConfig, openNats, type NatsPort } from '../../src/source/index.ts';
import { startNats, startNatsAt, type NatsServer } from '../support/nats.ts';
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
    async (domain) => {
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
