import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random } from '../simulation/random.ts';
import { startClickHouse, type ClickHouseProcess } from '../test/support/clickhouse.ts';
import { startNatsCluster, type NatsCluster } from '../test/support/nats-cluster.ts';
import { freePort } from '../test/support/port.ts';
import { startRedis, type RedisServer } from '../test/support/redis.ts';
import { main } from '../test/support/tocsin.ts';
import { Receiver } from './receiver.ts';
import { TocsinVictim, type Victim } from './victim.ts';

export const partitionCount = 4;
export const leaseMs = 3_000;
export const groupIntervalMs = 3_000;
const gatewayCount = 2;
const ownerCount = 3;
/** What Node may use of the heap: growth would show as an end. */
const heapMib = { gateway: 192, owner: 448 } as const;

/** Everything that a fleet consists of, each part a process of its own on loopback. */
export interface Scene {
  readonly folder: string;
  readonly nats: NatsCluster;
  readonly redis: RedisServer;
  readonly clickhouseUrl: string;
  readonly receiver: Receiver;
  readonly gateways: readonly TocsinVictim[];
  readonly owners: readonly TocsinVictim[];
  readonly victims: readonly Victim[];
  close(): Promise<void>;
}

export async function openScene(seed: number): Promise<Scene> {
  const folder = await mkdtemp(join(tmpdir(), 'tocsin-chaos-'));
  const random = new Random(`chaos ${seed}`);
  const [nats, redis, clickhouse, receiver] = await Promise.all([
    startNatsCluster(),
    startRedis('appendonly yes', 'appendfsync always'),
    openClickHouse(join(folder, 'clickhouse')),
    Receiver.open(random.fork('receiver')),
  ]);
  const config = (roles: string): string =>
    configText({
      roles,
      natsUrls: nats.urls,
      redis: redis.url,
      history: clickhouse.url,
      pages: receiver.url,
    });
  const tocsin = async (kind: 'gateway' | 'owner', index: number): Promise<TocsinVictim> => {
    const name = `${kind}-${index + 1}`;
    const file = join(folder, `${name}.yml`);
    await writeFile(file, config(kind));
    const listen = `127.0.0.1:${await freePort()}`;
    const data = join(folder, `${name}-data`);
    const heap = `--max-old-space-size=${heapMib[kind]}`;
    const args = [heap, main, 'serve', '--config', file, '--data', data, '--listen', listen];
    return new TocsinVictim({
      name,
      kind,
      args,
      url: `http://${listen}`,
      logFile: join(folder, `${name}.log`),
    });
  };
  const gateways = await Promise.all(
    Array.from({ length: gatewayCount }, (_, index) => tocsin('gateway', index)),
  );
  const owners = await Promise.all(Array.from({ length: ownerCount }, (_, index) => tocsin('owner', index)));
  const all = [...gateways, ...owners];
  const close = async (): Promise<void> => {
    await Promise.all(all.map((one) => one.kill()));
    receiver.close();
    await Promise.all([nats.stop(), redis.stop(), clickhouse.victim.kill()]);
  };
  try {
    await Promise.all(all.map((one) => one.start()));
    await Promise.all(all.map((one) => one.ready()));
  } catch (error) {
    await close();
    throw error;
  }
  const victims: Victim[] = [
    ...nats.servers.map((server, index): Victim => {
      return { name: `nats-${index + 1}`, kind: 'nats', ...bound(server), terminate: null };
    }),
    { name: 'redis', kind: 'redis', ...bound(redis), terminate: null },
    clickhouse.victim,
    ...gateways,
    // They have the most to lose.
    ...owners,
    ...owners,
  ];
  return {
    folder,
    nats,
    redis,
    clickhouseUrl: clickhouse.url,
    receiver,
    gateways,
    owners,
    victims,
    close,
  };
}

interface Server {
  kill(): Promise<void>;
  start(): Promise<void> | void;
  pause(): void;
  resume(): void;
}

function bound(server: Server): Omit<Victim, 'name' | 'kind' | 'terminate'> {
  return {
    kill: () => server.kill(),
    start: async () => server.start(),
    pause: () => server.pause(),
    resume: () => server.resume(),
  };
}

async function openClickHouse(path: string): Promise<{ readonly url: string; readonly victim: Victim }> {
  await mkdir(path);
  const flags = { path, port: String(await freePort()) };
  let running: ClickHouseProcess = await startClickHouse(flags);
  return {
    url: running.url,
    victim: {
      name: 'clickhouse',
      kind: 'clickhouse',
      kill: () => running.kill(),
      start: async () => void (running = await startClickHouse(flags)),
      pause: () => running.child.kill('SIGSTOP'),
      resume: () => running.child.kill('SIGCONT'),
      terminate: null,
    },
  };
}

interface ConfigParts {
  readonly roles: string;
  readonly natsUrls: readonly string[];
  readonly redis: string;
  readonly history: string;
  readonly pages: string;
}

function configText({ roles, natsUrls, redis, history, pages }: ConfigParts): string {
  const servers = JSON.stringify(natsUrls);
  // Nothing is remembered for long, so that what a process holds comes to rest within minutes.
  return `global: { resolved_retention: 30s }
dedup: { reopen_window: 20s, retention: 1m }
correlate: { reopen_window: 20s, retention: 1m }
triage: { retention: 1m }
route:
  receiver: incidents
  group_by: [incident]
  group_wait: 500ms
  group_interval: ${groupIntervalMs}ms
  repeat_interval: 4h
  min_priority: P5
  routes:
    - { receiver: services, group_by: [service], matchers: ['severity="critical"'], continue: true }
    - { receiver: incidents, group_by: [incident] }
receivers:
  - { name: incidents, webhook_configs: [{ url: '${pages}/incidents', timeout: 2s }] }
  - { name: services, webhook_configs: [{ url: '${pages}/services', timeout: 2s }] }
services:
  - { name: checkout, tier: 1, depends_on: [cart, ledger] }
  - { name: cart, tier: 2 }
  - { name: ledger, tier: 1 }
score: { workers: 0 }
storage: { checkpoint_interval: 2s }
history: { url: '${history}', flush_interval: 500ms, request_timeout: 5s }
${roles === 'gateway' ? `nats: { servers: ${servers} }` : ''}
fleet:
  partitions: ${partitionCount}
  lease: ${leaseMs}ms
  roles: [${roles}]
  log: { servers: ${servers}, replicas: 3 }
  store: { url: '${redis}' }
`;
}
