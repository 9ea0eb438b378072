import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe } from 'vitest';
import {
  connectRedis,
  openRedisStore,
  redisConfig,
  type RedisConfig,
  type RedisConnection,
} from '../../src/store/index.ts';
import { startRedis, startRedisCluster, startRedisSentinel } from '../support/redis.ts';
import { storeContract } from './store.contract.ts';

/** The contract over one connection, each test in a partition of its own. */
function redisContract(
  name: string,
  start: () => Promise<{ readonly config: RedisConfig; stop(): Promise<void> }>,
): void {
  describe(name, () => {
    let servers: Awaited<ReturnType<typeof start>>;
    let connection: RedisConnection;

    beforeAll(async () => {
      servers = await start();
      connection = await connectRedis(servers.config, 'contract');
    });
    afterAll(async () => {
      await connection.close();
      await servers.stop();
    });

    storeContract(name, async (nowMs) => {
      const partition = randomUUID();
      return { open: async () => openRedisStore(connection, partition, { nowMs }), clean: async () => {} };
    });
  });
}

redisContract('Redis', async () => {
  const server = await startRedis();
  return { config: redisConfig.parse({ url: server.url }), stop: () => server.stop() };
});

redisContract('Redis Cluster', () => startRedisCluster());

redisContract('Redis by Sentinel', () => startRedisSentinel());
