import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  connectRedis,
  openRedisRegistry,
  openRedisStore,
  redisConfig,
  type FleetMember,
  type FleetRegistry,
  type RedisConfig,
  type RedisConnection,
} from '../../src/store/index.ts';
import { startRedis, startRedisCluster } from '../support/redis.ts';

const member = (id: string, attributes: FleetMember['attributes'] = {}): FleetMember => ({
  id,
  address: `${id}.example.net:9094`,
  attributes,
});

const setups = {
  Redis: async () => {
    const server = await startRedis();
    return { config: redisConfig.parse({ url: server.url }), stop: () => server.stop() };
  },
  'Redis Cluster': () => startRedisCluster(),
};

describe.each(Object.entries(setups))('%s', (_, start) => {
  let servers: Awaited<ReturnType<typeof start>>;
  let connection: RedisConnection;
  let registry: FleetRegistry;
  let timeMs = 1000;
  let turn = 0;
  const nowMs = (): number => timeMs;

  beforeAll(async () => {
    servers = await start();
  });
  beforeEach(async () => {
    const config: RedisConfig = { ...servers.config, key_prefix: `test-${turn++}` };
    timeMs = 1000;
    connection = await connectRedis(config, 'test');
    registry = openRedisRegistry(connection, { nowMs });
    return () => connection.close();
  });
  afterAll(() => servers.stop());

  test('who was announced is there until its time is over', async () => {
    expect(await registry.members()).toEqual([]);
    await registry.announce(member('b'), 100);
    await registry.announce(member('a', { version: '1' }), 500);
    timeMs = 1040;
    expect(await registry.members()).toEqual([
      { ...member('a', { version: '1' }), expiresInMs: 460 },
      { ...member('b'), expiresInMs: 60 },
    ]);
    timeMs = 1100;
    expect(await registry.members()).toEqual([{ ...member('a', { version: '1' }), expiresInMs: 400 }]);
    await registry.announce(member('a', { version: '2' }), 500);
    expect(await registry.members()).toEqual([{ ...member('a', { version: '2' }), expiresInMs: 500 }]);
  });

  test('who withdraws is gone at once', async () => {
    await registry.announce(member('a'), 100);
    await registry.announce(member('b'), 100);
    await registry.withdraw('a');
    await registry.withdraw('nobody');
    expect((await registry.members()).map(({ id }) => id)).toEqual(['b']);
  });

  test('leases are told by partition, of many partitions at once', async () => {
    const partitions = Array.from({ length: 64 }, (_, index) => String(index));
    for (const partition of partitions.slice(0, 40))
      await openRedisStore(connection, partition, { nowMs }).acquireLease(`owner-${partition}`, 100);
    await openRedisStore(connection, '50', { nowMs }).acquireLease('gone', 10);
    timeMs = 1010;
    const leases = await registry.leases(partitions);
    expect([...leases.keys()]).toEqual(partitions.slice(0, 40));
    expect(leases.get('7')).toEqual({
      owner: 'owner-7',
      fencingToken: 1,
      expiresAtMs: 1100,
      expiresInMs: 90,
    });
  });

  test('without a clock of its own the server decides what is over', async () => {
    const byServer = openRedisRegistry(connection);
    await byServer.announce(member('a'), 3_600_000);
    const store = openRedisStore(connection, 'p');
    const lease = await store.acquireLease('a', 3_600_000);
    expect((await byServer.leases(['p'])).get('p')).toMatchObject({ owner: 'a', fencingToken: 1 });
    expect(await openRedisStore(connection, 'p').acquireLease('b', 1000)).toBeNull();
    const [announced] = await byServer.members();
    for (const leftMs of [announced?.expiresInMs, (await store.readLease())?.expiresInMs]) {
      expect(leftMs).toBeGreaterThan(0);
      expect(leftMs).toBeLessThanOrEqual(3_600_000);
    }
    expect(lease?.expiresInMs).toBe(3_600_000);
  });
});
