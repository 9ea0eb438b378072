import { connect, type NatsConnection, type NodeConnectionOptions } from '@nats-io/transport-node';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from './port.ts';
import { serverCommand, testServers } from './servers.ts';

const patienceMs = 120_000;

/** One server of a cluster; its streams stay in its folder whatever happens to it. */
export interface NatsClusterServer {
  readonly name: string;
  readonly url: string;
  /** Null while it does not run. */
  readonly pid: number | null;
  /** Sends the signal, SIGKILL unless said otherwise, and resolves once the process is gone. */
  kill(signal?: 'SIGKILL' | 'SIGTERM'): Promise<void>;
  /** Starts it on its folder again; `ready` of the cluster tells when it has caught up. */
  start(): void;
  /** As a process that does not get to run: it answers nothing and closes nothing. */
  pause(): void;
  resume(): void;
}

export interface NatsCluster {
  readonly servers: readonly NatsClusterServer[];
  /** Of all servers, as `servers` of a client takes them. */
  readonly urls: readonly string[];
  connect(options?: NodeConnectionOptions): Promise<NatsConnection>;
  /** Resolves once JetStream's meta group has a leader and every server is current, with all its streams. Rejects after two minutes. */
  ready(): Promise<void>;
  stop(): Promise<void>;
}

interface Standing {
  readonly server_name?: string;
  readonly meta_cluster?: {
    readonly leader?: string;
    readonly cluster_size: number;
    readonly replicas?: readonly { readonly current: boolean; readonly offline?: boolean }[];
  };
}

/**
 * Starts three real NATS servers that are one JetStream cluster, on free ports of loopback. Their data, and what they say in `<name>.log`,
 * is kept in `folder`, or in a folder of their own that `stop` takes away.
 */
export async function startNatsCluster(folder?: string): Promise<NatsCluster> {
  const root = folder ?? (await mkdtemp(join(tmpdir(), 'tocsin-nats-cluster-')));
  const places = await Promise.all(
    [1, 2, 3].map(async (number) => ({
      name: `nats-${number}`,
      ports: { client: await freePort(), route: await freePort(), monitor: await freePort() },
    })),
  );
  const routes = places.map(({ ports }) => `nats-route://127.0.0.1:${ports.route}`).join(',');
  const members = await Promise.all(
    places.map(async ({ name, ports }) => {
      const data = join(root, name);
      await mkdir(data, { recursive: true });
      const [command, ...first] = serverCommand(testServers.nats, data);
      const route = `nats://127.0.0.1:${ports.route}`;
      const options = {
        '-sd': data,
        '-n': name,
        '-a': '127.0.0.1',
        '-p': String(ports.client),
        '-m': String(ports.monitor),
        '--cluster_name': 'test',
        '--cluster': route,
        '--routes': routes,
      };
      const args = ['-js', ...Object.entries(options).flat()];
      const output = await open(join(root, `${name}.log`), 'a');
      return {
        ...ports,
        server: createServer(name, ports.client, [command, ...first, ...args], output.fd),
        output,
      };
    }),
  );
  const servers = members.map(({ server }) => server);
  const urls = servers.map(({ url }) => url);
  const ready = (): Promise<void> => untilReady(members.map(({ monitor }) => monitor));
  const stop = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.kill()));
    await Promise.all(members.map(({ output }) => output.close()));
    if (folder === undefined) await rm(root, { recursive: true, force: true });
  };
  for (const server of servers) server.start();
  try {
    await ready();
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    servers,
    urls,
    connect: (options) => connect({ servers: urls, timeout: 20_000, ...options }),
    ready,
    stop,
  };
}

function createServer(
  name: string,
  port: number,
  [command = '', ...args]: readonly string[],
  output: number,
): NatsClusterServer {
  let child: ChildProcess | null = null;
  const runs = (): boolean => child !== null && child.exitCode === null && child.signalCode === null;
  return {
    name,
    url: `127.0.0.1:${port}`,
    get pid() {
      return runs() ? (child?.pid ?? null) : null;
    },
    start() {
      if (!runs()) child = spawn(command, args, { stdio: ['ignore', output, output] });
    },
    async kill(signal = 'SIGKILL') {
      if (!child || !runs()) return;
      const exited = once(child, 'exit');
      child.kill(signal);
      await exited;
    },
    pause: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
  };
}

async function untilReady(monitorPorts: readonly number[]): Promise<void> {
  const untilMs = performance.now() + patienceMs;
  let said = '';
  while (performance.now() < untilMs) {
    const standings = await Promise.all(monitorPorts.map(ask));
    if (standings.every((standing) => isCurrent(standing, standings))) return;
    said = JSON.stringify(standings);
    await delay(100);
  }
  throw new Error(`the NATS servers do not become one cluster: ${said}`);
}

/** What a server says of the cluster; null while it has not recovered its streams or does not answer. */
async function ask(monitorPort: number): Promise<Standing | null> {
  const get = (path: string): Promise<Response> =>
    fetch(`http://127.0.0.1:${monitorPort}${path}`, { signal: AbortSignal.timeout(2000) });
  try {
    const health = await get('/healthz');
    await health.arrayBuffer();
    return health.ok ? ((await (await get('/jsz')).json()) as Standing) : null;
  } catch {
    return null;
  }
}

/** All know the same leader, and the leader has word from all. */
function isCurrent(standing: Standing | null, all: readonly (Standing | null)[]): boolean {
  const meta = standing?.meta_cluster;
  if (!meta?.leader || meta.cluster_size !== all.length) return false;
  if (all.some((other) => other?.meta_cluster?.leader !== meta.leader)) return false;
  const { replicas = [] } = meta;
  return replicas.every(({ current, offline }) => current && offline !== true);
}
