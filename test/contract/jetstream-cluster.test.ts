import { afterAll, beforeAll } from 'vitest';
import { openJetStreamLog } from '../../src/log/index.ts';
import type { NatsConnection } from '../../src/nats/index.ts';
import { startNatsCluster, type NatsCluster } from '../support/nats-cluster.ts';
import { logContract } from './log.contract.ts';

let cluster: NatsCluster;
let connection: NatsConnection;
let streamCount = 0;

beforeAll(async () => {
  cluster = await startNatsCluster();
  connection = await cluster.connect();
}, 120_000);
afterAll(async () => {
  await connection.close();
  await cluster.stop();
});

logContract('JetStream on three servers', async () => {
  const partition = ++streamCount;
  return {
    largeBytes: 1_000_000,
    open: () =>
      openJetStreamLog({
        connection,
        prefix: 'contract',
        partition,
        settings: { replicas: 3, maxBytes: null, maxAgeMs: null, duplicateWindowMs: 120_000 },
      }),
    clean: async () => {},
  };
});
