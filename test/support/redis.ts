import { Redis } from 'ioredis';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { redisConfig, type RedisConfig } from '../../src/store/index.ts';
import { freePort } from './port.ts';
import { serverCommand, testServers } from './servers.ts';

export interface RedisServer {
  readonly port: number;
  readonly url: string;
  /** For what tests do to the server. */
  readonly admin: Redis;
  /** Kills the server, and with it what it holds. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** As `start`, with the configuration as the server itself has written it since. */
  restart(): Promise<void>;
  /** As a process that does not get to run: it answers nothing and closes nothing. */
  pause(): void;
  resume(): void;
  stop(): Promise<void>;
}

/** Starts a real Redis server without persistence on a free port of loopback; `settings` are more lines of its configuration. */
export async function startRedis(...settings: readonly string[]): Promise<RedisServer> {
  return startRedisAs([], settings);
}

async function startRedisAs(args: readonly string[], settings: readonly string[]): Promise<RedisServer> {
  const [folder, port] = [await mkdtemp(join(tmpdir(), 'tocsin-redis-')), await freePort()];
  const file = join(folder, 'redis.conf');
  const common = ['bind 127.0.0.1', `port ${port}`, `dir ${folder}`];
  const [command, ...first] = serverCommand(testServers.redis, folder);
  const admin = new Redis({
    port,
    lazyConnect: true,
    maxRetriesPerRequest: null,
    retryStrategy: () => 20,
    disableClientInfo: true,
  });
  admin.on('error', () => {});
  let server: ChildProcess | null = null;
  const restart = async (): Promise<void> => {
    server = spawn(command, [...first, file, ...args], { stdio: 'ignore' });
    await admin.ping();
  };
  const start = async (): Promise<void> => {
    const lines = [...common, ...(args.length > 0 ? [] : ['save ""']), ...settings];
    await writeFile(file, `${lines.join('\n')}\n`);
    await restart();
  };
  const kill = async (): Promise<void> => {
    if (server === null || server.exitCode !== null || server.signalCode !== null) return;
    const exited = once(server, 'exit');
    server.kill('SIGKILL');
    await exited;
  };
  await start();
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    admin,
    kill,
    start,
    restart,
    pause: () => server?.kill('SIGSTOP'),
    resume: () => server?.kill('SIGCONT'),
    async stop() {
      admin.disconnect();
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export interface RedisServers {
  readonly servers: readonly RedisServer[];
  readonly config: RedisConfig;
  stop(): Promise<void>;
}

/** How servers are reached by TLS too, and what their configuration says of it. */
export interface RedisTls {
  readonly port: number;
  readonly settings: readonly string[];
}

/** A port of its own for TLS, as `settings` say. */
export async function redisTls(settings: readonly string[]): Promise<RedisTls> {
  const port = await freePort();
  return { port, settings: [`tls-port ${port}`, 'tls-replication yes', 'tls-cluster yes', ...settings] };
}

/** Redis Cluster of three masters; `tls` of each, where it is to be reached so. */
export async function startRedisCluster(tls?: readonly RedisTls[]): Promise<RedisServers> {
  const servers = await Promise.all(
    [0, 1, 2].map(async (index) =>
      startRedis(
        'cluster-enabled yes',
        `cluster-port ${await freePort()}`,
        'cluster-node-timeout 5000',
        ...(tls?.[index]?.settings ?? []),
      ),
    ),
  );
  const share = Math.ceil(16_384 / servers.length);
  for (const [index, { admin }] of servers.entries()) {
    const last = Math.min((index + 1) * share, 16_384) - 1;
    await admin.call('cluster', 'addslotsrange', index * share, last);
    await admin.call('cluster', 'set-config-epoch', index + 1);
    for (const other of servers.slice(0, index)) {
      const bus = ((await other.admin.config('GET', 'cluster-port')) as string[])[1] ?? '';
      await admin.call('cluster', 'meet', '127.0.0.1', other.port, bus);
    }
  }
  for (const { admin } of servers)
    await eventually(async () => {
      const info = await admin.cluster('INFO');
      return info.includes('cluster_known_nodes:3') && info.includes('cluster_state:ok');
    });
  return {
    servers,
    config: redisConfig.parse({ nodes: (tls ?? servers).map(({ port }) => `127.0.0.1:${port}`) }),
    stop: () => stopAll(servers),
  };
}

/** A master, a replica and one Sentinel, which calls a master dead after half a second; `tls` of each, where it is to be reached so. */
export async function startRedisSentinel(
  tls?: readonly RedisTls[],
): Promise<RedisServers & { readonly master: RedisServer }> {
  const [masterTls, replicaTls, sentinelTls] = tls ?? [];
  const prompt = 'repl-diskless-sync-delay 0';
  const master = await startRedis(prompt, ...(masterTls?.settings ?? []));
  const masterPort = (masterTls ?? master).port;
  const replica = await startRedis(
    prompt,
    ...(replicaTls?.settings ?? []),
    `replicaof 127.0.0.1 ${masterPort}`,
  );
  await eventually(async () => (await replica.admin.info('replication')).includes('master_link_status:up'));
  const sentinel = await startRedisAs(
    ['--sentinel'],
    [
      ...(sentinelTls?.settings ?? []),
      `sentinel monitor main 127.0.0.1 ${masterPort} 1`,
      'sentinel down-after-milliseconds main 500',
      'sentinel failover-timeout main 2000',
    ],
  );
  await eventually(
    async () => ((await sentinel.admin.call('sentinel', 'replicas', 'main')) as unknown[]).length === 1,
  );
  const servers = [master, replica, sentinel];
  return {
    master,
    servers,
    config: redisConfig.parse({
      sentinels: [`127.0.0.1:${(sentinelTls ?? sentinel).port}`],
      master_name: 'main',
    }),
    stop: () => stopAll(servers),
  };
}

async function stopAll(servers: readonly RedisServer[]): Promise<void> {
  await Promise.all(servers.map((server) => server.stop()));
}

/** Resolves once `isSo` does so with true; asks again and again for half a minute. */
export async function eventually(isSo: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 600; attempt++) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('it did not come to pass within half a minute');
}
