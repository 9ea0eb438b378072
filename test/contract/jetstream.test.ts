import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { openJetStreamLog } from '../../src/log/index.ts';
import type { NatsConnection } from '../../src/nats/index.ts';
import { startNats, type NatsServer } from '../support/nats.ts';
import { logContract } from './log.contract.ts';

let folder: string;
let server: NatsServer;
let connection: NatsConnection;
let streamCount = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tocsin-jetstream-'));
  const config = join(folder, 'nats.conf');
  await writeFile(config, 'max_payload: 16MB');
  server = await startNats('-c', config);
  connection = await server.connect();
});
afterAll(async () => {
  await connection.close();
  await server.stop();
  await rm(folder, { recursive: true });
});

logContract('JetStream', async () => {
  const partition = ++streamCount;
  return {
    open: () =>
      openJetStreamLog({
        connection,
        prefix: 'contract',
        partition,
        settings: { replicas: 1, maxBytes: null, maxAgeMs: null, duplicateWindowMs: 120_000 },
      }),
    clean: async () => {},
  };
});
