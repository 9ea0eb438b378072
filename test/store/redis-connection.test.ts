import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Fact } from '../../src/engine/index.ts';
import {
  connectRedis,
  openRedisStore,
  redisConfig,
  type PartitionStore,
  type RedisConnection,
} from '../../src/store/index.ts';
import { Authority } from '../support/certificates.ts';
import { freePort } from '../support/port.ts';
import {
  eventually,
  redisTls,
  startRedis,
  startRedisCluster,
  startRedisSentinel,
  type RedisServer,
  type RedisServers,
} from '../support/redis.ts';

const done: Fact['outcome'] = { status: 'done', result: null };
const unavailable = { code: 'TOC_STORE_UNAVAILABLE', retryable: true };

/** What was opened in a test, closed after it. */
let cleanUps: (() => Promise<void>)[] = [];
let folder: string;

beforeEach(async () => {
  cleanUps = [];
  folder = await mkdtemp(join(tmpdir(), 'tocsin-redis-test-'));
});
afterEach(async () => {
  for (const cleanUp of cleanUps.toReversed()) await cleanUp();
  await rm(folder, { recursive: true, force: true });
});

async function started<T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> {
  const server = await starting;
  cleanUps.push(() => server.stop());
  return server;
}

async function connected(config: unknown): Promise<RedisConnection> {
  const connection = await connectRedis(redisConfig.parse(config), 'tocsin-test');
  cleanUps.push(() => connection.close());
  return connection;
}

async function written(name: string, text: string): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, text);
  return file;
}

const isWritable = (store: PartitionStore) => (): Promise<boolean> =>
  store.record('effect', done, 1).then(
    () => true,
    (error: unknown) => {
      expect(error).toMatchObject(unavailable);
      return false;
    },
  );

test('a server that is not there is told in time', async () => {
  const config = { url: `redis://127.0.0.1:${await freePort()}`, connect_timeout: '200ms' };
  await expect(connected(config)).rejects.toMatchObject({
    ...unavailable,
    message: expect.stringContaining('ECONNREFUSED') as unknown,
  });
  await expect(
    connected({
      sentinels: [`127.0.0.1:${await freePort()}`],
      master_name: 'main',
      connect_timeout: '200ms',
    }),
  ).rejects.toMatchObject(unavailable);
  await expect(
    connected({ nodes: [`127.0.0.1:${await freePort()}`], connect_timeout: '200ms' }),
  ).rejects.toMatchObject(unavailable);
});

test('while the server is away commands are refused in time, and go on once it is back', async () => {
  const server = await started(startRedis());
  const store = openRedisStore(await connected({ url: server.url, command_timeout: '200ms' }), 'p');
  await store.record('before', done, 1);
  await server.kill();
  const warnings: Error[] = [];
  const onWarning = (warning: Error): number => warnings.push(warning);
  process.on('warning', onWarning);
  const many = Array.from({ length: 50 }, () => store.record('during', done, 1));
  const ends = await Promise.allSettled([...many, store.readCheckpoint()]);
  for (const end of ends) expect(end).toMatchObject({ status: 'rejected', reason: unavailable });
  process.off('warning', onWarning);
  expect(warnings).toEqual([]);
  await server.start();
  await eventually(isWritable(store));
  expect([await store.outcomeOf('before'), await store.outcomeOf('during')]).toEqual([undefined, undefined]);
});

test('a server that stands still is given up in time, and what waited for it is not sent again', async () => {
  const server = await started(startRedis());
  const store = openRedisStore(await connected({ url: server.url, command_timeout: '200ms' }), 'p');
  await store.record('before', done, 1);
  server.pause();
  await expect(store.outcomeOf('before')).rejects.toMatchObject(unavailable);
  await expect(store.outcomeOf('before')).rejects.toMatchObject(unavailable);
  server.resume();
  await eventually(isWritable(store));
  expect(await store.outcomeOf('before')).toEqual(done);
});

test('the scripts are brought again to a server that has forgotten them', async () => {
  const server = await started(startRedis());
  const store = openRedisStore(await connected({ url: server.url }), 'p');
  await store.record('first', done, 1);
  await server.admin.script('FLUSH');
  await store.record('second', done, 1);
  expect(await store.outcomeOf('second')).toEqual(done);
});

test('what the server refuses is told with its words', async () => {
  const server = await started(startRedis('maxmemory 2mb', 'maxmemory-policy noeviction'));
  const store = openRedisStore(await connected({ url: server.url }), 'p');
  const change = { table: 't', key: 'k', order: 1, value: 'x'.repeat(3_000_000) };
  const staged = store.stageCheckpoint({ position: 1, timeMs: 1, changes: [change] });
  const fill = (async () => {
    for (;;) await staged.commit();
  })();
  await expect(fill).rejects.toMatchObject({
    ...unavailable,
    message: expect.stringContaining('OOM') as unknown,
  });
});

test('who was closed refuses', async () => {
  const server = await started(startRedis());
  const connection = await connected({ url: server.url });
  const store = openRedisStore(connection, 'p');
  await store.close();
  await expect(store.readCheckpoint()).rejects.toMatchObject(unavailable);
  await connection.close();
  await expect(openRedisStore(connection, 'p').readCheckpoint()).rejects.toMatchObject(unavailable);
});

test('user, password and database are those of the configuration; a new password is taken up', async () => {
  const server = await started(startRedis('user tocsin on >first ~* +@all', 'databases 4'));
  const password_file = await written('password', 'first\n');
  const wrong = await written('wrong', 'wrong\n');
  const config = { url: server.url, user: 'tocsin', db: 3, command_timeout: '200ms', connect_timeout: '1s' };
  await expect(connected({ ...config, password_file: wrong })).rejects.toMatchObject({
    ...unavailable,
    message: expect.stringContaining('WRONGPASS') as unknown,
  });
  const store = openRedisStore(await connected({ ...config, password_file }), 'p');
  await store.acquireLease('a', 1000);
  await server.admin.select(3);
  expect(await server.admin.exists('tocsin:{p}:lease')).toBe(1);
  await server.admin.acl('SETUSER', 'tocsin', 'resetpass', '>second');
  await written('password', 'second\n');
  await server.admin.client('KILL', 'USER', 'tocsin');
  await eventually(isWritable(store));
  await expect(connected({ ...config, password_file: join(folder, 'none') })).rejects.toMatchObject({
    code: 'TOC_CONFIG_UNREADABLE',
  });
});

test('a connection by TLS checks both certificates', async () => {
  const authority = await Authority.create(folder);
  const own = await authority.issue('server', 'IP:127.0.0.1,DNS:localhost');
  const client = await authority.issue('client', 'DNS:client');
  const stranger = await Authority.create(folder, 'stranger');
  const tlsPort = await freePort();
  await started(
    startRedis(
      `tls-port ${tlsPort}`,
      `tls-cert-file ${own.certFile}`,
      `tls-key-file ${own.keyFile}`,
      `tls-ca-cert-file ${authority.certFile}`,
    ),
  );
  const tls = { ca_file: authority.certFile, cert_file: client.certFile, key_file: client.keyFile };
  const config = { url: `rediss://127.0.0.1:${tlsPort}`, connect_timeout: '1s', tls };
  const store = openRedisStore(await connected(config), 'p');
  await store.record('effect', done, 1);
  expect(await store.outcomeOf('effect')).toEqual(done);
  for (const refused of [
    { ...tls, ca_file: stranger.certFile },
    { ...tls, server_name: 'elsewhere.example.net' },
    { ca_file: authority.certFile },
  ])
    await expect(connected({ ...config, connect_timeout: '200ms', tls: refused })).rejects.toMatchObject(
      unavailable,
    );
  await expect(connected({ ...config, tls: { ...tls, key_file: own.keyFile } })).rejects.toMatchObject({
    code: 'TOC_CONFIG_INVALID',
  });
});

test.each([
  ['Sentinel', startRedisSentinel],
  ['Redis Cluster', startRedisCluster],
])('%s is reached by TLS, and asks for users of its own', async (_, start) => {
  const authority = await Authority.create(folder);
  const own = await authority.issue('server', 'IP:127.0.0.1');
  const settings = [
    `tls-cert-file ${own.certFile}`,
    `tls-key-file ${own.keyFile}`,
    `tls-ca-cert-file ${authority.certFile}`,
    'tls-auth-clients optional',
    'user tocsin on >secret ~* &* +@all',
  ];
  const tls = await Promise.all([0, 1, 2].map(() => redisTls(settings)));
  const { config } = await started(start(tls));
  const password_file = await written('password', 'secret');
  const wrong = await written('wrong', 'wrong');
  const sentinel = config.sentinels && { sentinel_user: 'tocsin', sentinel_password_file: password_file };
  const users = { user: 'tocsin', password_file, ...sentinel };
  const full = { ...config, ...users, tls: { ca_file: authority.certFile, insecure_skip_verify: false } };
  const connection = await connectRedis(full, 'tocsin-test');
  cleanUps.push(() => connection.close());
  for (const partition of ['1', '2', '3', '4']) {
    const store = openRedisStore(connection, partition);
    await store.record('effect', done, 1);
    expect(await store.outcomeOf('effect')).toEqual(done);
  }
  const mistakes = [
    { tls: undefined },
    { password_file: wrong },
    ...(sentinel ? [{ sentinel_password_file: wrong }] : []),
  ];
  for (const mistake of mistakes)
    await expect(connectRedis({ ...full, connect_timeout: 200, ...mistake }, 'test')).rejects.toMatchObject(
      unavailable,
    );
});

const losses = [
  ['is killed', (server: RedisServer) => server.kill()],
  ['stands still', async (server: RedisServer) => server.pause()],
] as const;

test.each(losses)(
  'behind Sentinel the store goes on with the replica when the master %s',
  async (_, lose) => {
    const { config, master, servers } = await started(startRedisSentinel());
    const connection = await connectRedis({ ...config, command_timeout: 300 }, 'tocsin-test');
    cleanUps.push(() => connection.close());
    const store = openRedisStore(connection, 'p');
    await store.acquireLease('a', 60_000);
    const change = { table: 't', key: 'k', order: 1, value: 1 };
    await store.stageCheckpoint({ position: 1, timeMs: 1, changes: [change] }).commit();
    await master.admin.wait(1, 5000);
    await eventually(async () => (await servers[1]!.admin.dbsize()) === 3);
    await lose(master);
    await eventually(isWritable(store));
    expect(await store.readLease()).toMatchObject({ owner: 'a', fencingToken: 1 });
    await store.stageCheckpoint({ position: 2, timeMs: 2, changes: [{ ...change, order: null }] }).commit();
    expect(await store.readCheckpoint()).toEqual({ position: 2, timeMs: 2, rows: [change] });
  },
);

test.each(losses)(
  'when one node of a Redis Cluster %s the partitions of the others go on',
  async (_, lose) => {
    const { config, servers } = await started(startRedisCluster());
    for (const { admin } of servers) await admin.config('SET', 'cluster-require-full-coverage', 'no');
    const connection = await connectRedis({ ...config, command_timeout: 500 }, 'tocsin-test');
    cleanUps.push(() => connection.close());
    const stores = Array.from({ length: 12 }, (_, index) => openRedisStore(connection, String(index)));
    for (const store of stores) await store.acquireLease('a', 60_000);
    const sizes = await Promise.all(servers.map(({ admin }) => admin.dbsize()));
    expect(Math.min(...sizes)).toBeGreaterThan(0);
    await lose(servers[2]!);
    const ends = await Promise.allSettled(stores.map((store) => store.record('effect', done, 1)));
    const refused = ends.filter((end) => end.status === 'rejected');
    expect(refused).toHaveLength(sizes[2]!);
    for (const { reason } of refused) expect(reason).toMatchObject(unavailable);
  },
);

test.each([
  ['Sentinel', () => startRedisSentinel()],
  ['Redis Cluster', () => startRedisCluster()],
])('%s that was away altogether is found again', async (_, start) => {
  const { config, servers } = await started<RedisServers>(start());
  const connection = await connectRedis({ ...config, command_timeout: 200 }, 'tocsin-test');
  cleanUps.push(() => connection.close());
  const store = openRedisStore(connection, 'p');
  await store.record('effect', done, 1);
  await Promise.all(servers.map((server) => server.kill()));
  for (let count = 0; count < 5; count++)
    await expect(store.record('effect', done, 1)).rejects.toMatchObject(unavailable);
  await Promise.all(servers.map((server) => server.restart()));
  await eventually(isWritable(store));
});
