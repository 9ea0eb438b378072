import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startNatsCluster, type NatsCluster } from '../test/support/nats-cluster.ts';
import { freePort } from '../test/support/port.ts';
import { serverCommand, testServers } from '../test/support/servers.ts';
import { Supervised, type UnaskedEnd, type Victim } from '../test/support/supervised.ts';
import { main } from '../test/support/tocsin.ts';
import type { LogLine } from './watch.ts';

export const partitionCount = 4;
export const leaseMs = 2000;
export const replicaCount = 3;
const ownerHeapMib = 192;
const gatewayHeapMib = 160;

export type Role = 'owner' | 'gateway' | 'nats' | 'redis' | 'history';

/** One of the processes that chaos strikes. */
export interface Member {
  readonly role: Role;
  readonly victim: Victim;
}

/** What a configuration of the fleet is made of. */
export interface Addresses {
  readonly natsUrls: readonly string[];
  readonly redisUrl: string;
  readonly historyUrl: string;
  readonly receiverUrl: string;
}

export interface Scene {
  readonly folder: string;
  readonly addresses: Addresses;
  readonly cluster: NatsCluster;
  readonly gatewayUrls: readonly string[];
  readonly ownerUrls: readonly string[];
  readonly owners: readonly Supervised[];
  readonly gateways: readonly Supervised[];
  /** Those that chaos strikes. */
  readonly members: readonly Member[];
  readonly deliveriesFile: string;
  /** All processes, to be ended whatever happens. */
  stop(): Promise<void>;
}

export interface SceneOptions {
  readonly folder: string;
  readonly seed: number;
  readonly onUnaskedEnd: (end: UnaskedEnd) => void;
  readonly onLogLine: (process: string, line: LogLine) => void;
}

/** Starts all of it on free ports of loopback; rejects when something does not come up. What was started is ended by `stop` alone. */
export async function startScene(
  { folder, seed, onUnaskedEnd, onLogLine }: SceneOptions,
  onStarted: (stop: () => Promise<void>) => void,
): Promise<Scene> {
  const running: Supervised[] = [];
  let cluster: NatsCluster | null = null;
  const stop = async (): Promise<void> => {
    await Promise.all([...running.map((each) => each.kill()), cluster?.stop()]);
  };
  onStarted(stop);
  const run = (name: string, command: readonly string[], says: RegExp, heapMib?: number): Supervised => {
    const supervised = new Supervised({
      name,
      command,
      says,
      ...(heapMib === undefined ? {} : { environment: { NODE_OPTIONS: `--max-old-space-size=${heapMib}` } }),
      outputFile: join(folder, `${name}.log`),
      onLine: (line) => {
        const read = readLogLine(line);
        if (read) onLogLine(name, read);
      },
      onUnaskedEnd,
    });
    running.push(supervised);
    supervised.start();
    return supervised;
  };

  await mkdir(join(folder, 'nats'), { recursive: true });
  cluster = await startNatsCluster(join(folder, 'nats'));
  const redis = await startRedis(folder, run);
  const bridge = join(import.meta.dirname, '../test/support/clickhouse-bridge.ts');
  const historyPort = String(await freePort());
  const history = run(
    'history',
    [process.execPath, bridge, '--path', join(folder, 'clickhouse'), '--port', historyPort],
    /^answers at/,
  );
  const receiverPort = String(await freePort());
  const deliveriesFile = join(folder, 'deliveries.jsonl');
  const receiver = run(
    'receiver',
    [
      process.execPath,
      join(import.meta.dirname, '../test/support/chaos-receiver.ts'),
      ...['--port', receiverPort, '--file', deliveriesFile, '--seed', String(seed)],
    ],
    /takes pages/,
  );
  await Promise.all([redis.server, history, receiver].map((each) => each.ready()));

  const addresses: Addresses = {
    natsUrls: cluster.urls,
    redisUrl: redis.url,
    historyUrl: `http://127.0.0.1:${historyPort}`,
    receiverUrl: `http://127.0.0.1:${receiverPort}/page`,
  };
  const startTocsin = async (role: 'owner' | 'gateway', number: number): Promise<[Supervised, string]> => {
    const name = `${role}-${number}`;
    const config = join(folder, `${name}.yml`);
    await writeFile(config, configText(addresses, role));
    const listen = `127.0.0.1:${await freePort()}`;
    const command = [main, 'serve', '--config', config, '--data', join(folder, name), '--listen', listen];
    const heapMib = role === 'owner' ? ownerHeapMib : gatewayHeapMib;
    return [run(name, [process.execPath, ...command], /answers at http/, heapMib), `http://${listen}`];
  };
  const gateways = await Promise.all([1, 2].map((number) => startTocsin('gateway', number)));
  const owners = await Promise.all([1, 2, 3].map((number) => startTocsin('owner', number)));
  await Promise.all([...gateways, ...owners].map(([each]) => each.ready()));
  const natsCluster = cluster;
  const natsVictims = cluster.servers.map((server): Victim => ({
    name: server.name,
    get pid() {
      return server.pid;
    },
    kill: () => server.kill(),
    end: () => server.kill('SIGTERM'),
    start: () => server.start(),
    pause: () => server.pause(),
    resume: () => server.resume(),
    ready: () => natsCluster.ready(),
  }));
  return {
    folder,
    addresses,
    cluster,
    gateways: gateways.map(([each]) => each),
    owners: owners.map(([each]) => each),
    gatewayUrls: gateways.map(([, url]) => url),
    ownerUrls: owners.map(([, url]) => url),
    members: [
      ...owners.map(([victim]): Member => ({ role: 'owner', victim })),
      ...gateways.map(([victim]): Member => ({ role: 'gateway', victim })),
      ...natsVictims.map((victim): Member => ({ role: 'nats', victim })),
      { role: 'redis', victim: redis.server },
      { role: 'history', victim: history },
    ],
    deliveriesFile,
    stop,
  };
}

async function startRedis(
  folder: string,
  run: (name: string, command: readonly string[], says: RegExp) => Supervised,
): Promise<{ readonly server: Supervised; readonly url: string }> {
  const [data, port] = [join(folder, 'redis'), await freePort()];
  await mkdir(data);
  const file = join(folder, 'redis.conf');
  const lines = ['bind 127.0.0.1', `port ${port}`, `dir ${data}`, 'save ""', 'appendonly yes'];
  await writeFile(file, `${[...lines, 'appendfsync always'].join('\n')}\n`);
  const server = run(
    'redis',
    [...serverCommand(testServers.redis, data), file],
    /Ready to accept connections/,
  );
  return { server, url: `redis://127.0.0.1:${port}` };
}

/** Everything but the role is the same in all of the fleet. */
export function configText(
  { natsUrls, redisUrl, historyUrl, receiverUrl }: Addresses,
  role: 'owner' | 'gateway',
): string {
  const servers = JSON.stringify(natsUrls);
  const webhook = `webhook_configs: [{ url: "${receiverUrl}", timeout: 2s, max_alerts: 0 }]`;
  return `global: { resolve_timeout: 2h, resolved_retention: 30s }
server: { external_url: "http://tocsin.test" }
route:
  receiver: groups
  group_by: [alertname, domain, shard]
  group_wait: 1s
  group_interval: 5s
  routes:
    - { receiver: incidents, group_by: [incident], matchers: ['severity="critical"'], continue: true }
    - { receiver: groups }
receivers:
  - { name: groups, ${webhook} }
  - { name: incidents, ${webhook} }
services:
  - { name: checkout-api, tier: 1, depends_on: [payments-db] }
  - { name: payments-db, tier: 2 }
storage: { checkpoint_interval: 3s }
score: { workers: 0 }
history: { url: "${historyUrl}", repeat_interval: 1m, flush_interval: 500ms, request_timeout: 5s }
nats: { servers: ${servers} }
fleet:
  partitions: ${partitionCount}
  lease: ${leaseMs}ms
  roles: [${role}]
  log: { servers: ${servers}, replicas: ${replicaCount} }
  store: { url: "${redisUrl}" }
`;
}

function readLogLine(line: string): LogLine | null {
  if (!line.startsWith('{')) return null;
  try {
    return JSON.parse(line) as LogLine;
  } catch {
    return null;
  }
}
