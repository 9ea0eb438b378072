/**
 * The contracts of the log on JetStream and of alerts over NATS against servers of yours: `npm run test:compose` with
 *
 *     TOCSIN_TEST_NATS_URL       such as nats://tocsin:secret@127.0.0.1:4222; without it nothing runs here
 *     TOCSIN_TEST_NATS_REPLICAS  servers that keep a copy of each entry, 1 unless said otherwise
 *
 * Works in streams and subjects of its own, `tocsin-test-...`, and deletes them.
 */
import { jetstreamManager } from '@nats-io/jetstream';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { openJetStreamLog } from '../../src/log/index.ts';
import type { NatsConnection } from '../../src/nats/index.ts';
import { connectToGiven, givenServer, type GivenServer } from '../support/given-servers.ts';
import { logContract } from './log.contract.ts';
import { natsIngestContract } from './nats-ingest.contract.ts';

const given = process.env['TOCSIN_TEST_NATS_URL'];
const replicas = Number(process.env['TOCSIN_TEST_NATS_REPLICAS'] ?? 1);

describe.skipIf(given !== undefined)('NATS servers', () => {
  test.skip('nothing was run: TOCSIN_TEST_NATS_URL is not set', () => undefined);
});

describe.runIf(given !== undefined)('NATS servers', () => {
  let server: GivenServer;
  let connection: NatsConnection;

  beforeAll(async () => {
    server = givenServer(given!);
    connection = await connectToGiven(server);
  });
  afterAll(async () => {
    await connection.close();
    server.forget();
  });

  logContract('JetStream of a server that was given', async () => {
    const prefix = `tocsin-test-${randomUUID()}`;
    const settings = { replicas, maxBytes: null, maxAgeMs: null, duplicateWindowMs: 120_000 };
    return {
      open: () => openJetStreamLog({ connection, prefix, partition: 0, settings }),
      largeBytes: connection.info!.max_payload - 2048,
      async clean() {
        const { streams } = await jetstreamManager(connection);
        await streams.delete(`${prefix}-log-0`);
      },
    };
  });

  natsIngestContract('a server that was given', async () => {
    const own = givenServer(given!);
    const { url, user, passwordFile } = own;
    return {
      config: { servers: [url], ...(user === undefined ? {} : { user, password_file: passwordFile }) },
      connect: () => connectToGiven(own),
      stop: async () => own.forget(),
    };
  });
});
