/**
 * The contract of the store against a Redis or Valkey of yours: `npm run test:compose` with
 *
 *     TOCSIN_TEST_REDIS_URL  such as redis://:secret@127.0.0.1:6379 or redis://tocsin:secret@127.0.0.1:6379; without it nothing runs here
 *
 * Works under a key prefix of its own, `tocsin-test-...`, and deletes what is there.
 */
import { Redis } from 'ioredis';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { connectRedis, openRedisStore, redisConfig, type RedisConnection } from '../../src/store/index.ts';
import { givenServer, type GivenServer } from '../support/given-servers.ts';
import { storeContract } from './store.contract.ts';

const given = process.env['TOCSIN_TEST_REDIS_URL'];

describe.skipIf(given !== undefined)('a Redis server', () => {
  test.skip('nothing was run: TOCSIN_TEST_REDIS_URL is not set', () => undefined);
});

describe.runIf(given !== undefined)('a Redis server', () => {
  const prefix = `tocsin-test-${randomUUID()}`;
  let server: GivenServer;
  let connection: RedisConnection;

  beforeAll(async () => {
    server = givenServer(given!);
    const { url, user, password, passwordFile } = server;
    const config = redisConfig.parse({
      url,
      key_prefix: prefix,
      ...(user === undefined ? {} : { user }),
      ...(password === '' ? {} : { password_file: passwordFile }),
    });
    connection = await connectRedis(config, 'contract');
  });
  afterAll(async () => {
    await connection.close();
    server.forget();
    const admin = new Redis(given!);
    for await (const keys of admin.scanStream({ match: `${prefix}:*`, count: 1000 }))
      if ((keys as string[]).length > 0) await admin.unlink(...(keys as string[]));
    await admin.quit();
  });

  storeContract('a Redis that was given', async (nowMs) => {
    const partition = randomUUID();
    return { open: async () => openRedisStore(connection, partition, { nowMs }), clean: async () => {} };
  });
});
