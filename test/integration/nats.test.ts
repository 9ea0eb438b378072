import { jetstream, jetstreamManager, type JetStreamClient } from '@nats-io/jetstream';
import { headers as createHeaders, type NatsConnection } from '@nats-io/transport-node';
import { once } from 'node:events';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { Authority } from '../support/certificates.ts';
import { startNatsConfigured, type NatsServer } from '../support/nats.ts';
import { startTocsin, type TocsinProcess } from '../support/tocsin.ts';

let folder: string;
let nats: NatsServer;
let client: NatsConnection;
let stream: JetStreamClient;
let tocsin: TocsinProcess;

const start = () =>
  startTocsin(
    'serve',
    '--config',
    join(folder, 'tocsin.yml'),
    '--data',
    join(folder, 'data'),
    '--listen',
    '127.0.0.1:0',
  );

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tocsin-nats-'));
  const authority = await Authority.create(folder);
  const { certFile, keyFile } = await authority.issue('server', 'DNS:localhost');
  nats = await startNatsConfigured(
    folder,
    `jetstream {}
authorization { token: open-sesame }
tls { cert_file: "${certFile}", key_file: "${keyFile}" }
`,
  );
  const servers = `localhost:${nats.port}`;
  client = await nats.connect({ servers, token: 'open-sesame', tls: { caFile: authority.certFile } });
  const { streams } = await jetstreamManager(client);
  await streams.add({ name: 'ALERTS', subjects: ['tocsin.in.*'] });
  await streams.add({ name: 'DEAD', subjects: ['tocsin.dead'] });
  stream = jetstream(client);
  await writeFile(join(folder, 'token'), 'open-sesame\n');
  await writeFile(
    join(folder, 'tocsin.yml'),
    `nats:
  servers: ['tls://${servers}']
  token_file: ${join(folder, 'token')}
  tls: { ca_file: ${authority.certFile} }
  ingest: { stream: ALERTS }
`,
  );
  tocsin = await start();
}, 60_000);
afterAll(async () => {
  tocsin.child.kill('SIGTERM');
  await tocsin.exited;
  await client.close();
  await nats.stop();
});

async function alerts(): Promise<Record<string, string>[]> {
  const response = await fetch(`${tocsin.url}/api/v2/alerts`);
  const body = (await response.json()) as { labels: Record<string, string> }[];
  return body.map(({ labels }) => labels).toSorted((a, b) => (a['alertname']! < b['alertname']! ? -1 : 1));
}

const eventHeaders = () => {
  const headers = createHeaders();
  headers.set('ce-specversion', '1.0');
  headers.set('ce-id', '1');
  headers.set('ce-source', '//rules/checkout%20%E2%82%AC');
  headers.set('ce-type', 'net.example.alert.firing');
  headers.set('content-type', 'application/json');
  return headers;
};

const waiting = { timeout: 20_000, interval: 50 };

test('what a platform publishes to a stream is served, also after the process was killed', async () => {
  await stream.publish('tocsin.in.shop', JSON.stringify({ labels: { alertname: 'Plain' } }));
  await stream.publish(
    'tocsin.in.bank',
    JSON.stringify({ labels: { alertname: 'Event' }, status: 'firing' }),
    {
      headers: eventHeaders(),
    },
  );
  await stream.publish(
    'tocsin.in.bank',
    JSON.stringify({ labels: { alertname: 'Bad' }, status: 'on fire' }),
    {
      headers: eventHeaders(),
    },
  );
  const both = [
    { alertname: 'Event', domain: 'bank' },
    { alertname: 'Plain', domain: 'shop' },
  ];
  await vi.waitFor(async () => expect(await alerts()).toEqual(both), waiting);
  const { streams, consumers } = await jetstreamManager(client);
  await vi.waitFor(async () => {
    const { num_ack_pending, num_pending } = await consumers.info('ALERTS', 'tocsin');
    expect([num_ack_pending, num_pending]).toEqual([0, 0]);
  }, waiting);
  const letter = await streams.getMessage('DEAD', { last_by_subj: 'tocsin.dead' });
  expect(letter?.header.get('Tocsin-Error')).toBe(
    'event.data.status: expected "firing" or "resolved", got "on fire"',
  );
  const metrics = await (await fetch(`${tocsin.url}/metrics`)).text();
  expect(metrics).toMatch(/^tocsin_alerts_received_total\{.*source="cloudevents-message".*\} 1/m);
  expect(metrics).toMatch(/^tocsin_alerts_invalid_total\{.*source="cloudevents-message".*\} 1/m);
  expect(metrics).toMatch(/^tocsin_nats_connected\S* 1/m);

  tocsin.child.kill('SIGKILL');
  if (tocsin.child.exitCode === null && tocsin.child.signalCode === null) await once(tocsin.child, 'exit');
  await stream.publish('tocsin.in.shop', JSON.stringify({ labels: { alertname: 'Waiting' } }));
  tocsin = await start();
  await vi.waitFor(
    async () => expect(await alerts()).toEqual([...both, { alertname: 'Waiting', domain: 'shop' }]),
    waiting,
  );
}, 90_000);
