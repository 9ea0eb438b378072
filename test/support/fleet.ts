import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startNats, type NatsServer } from './nats.ts';
import { startRedis, type RedisServer } from './redis.ts';
import { startReceiver, startTocsin, type RecordingReceiver, type TocsinProcess } from './tocsin.ts';

export interface FleetSettings {
  readonly partitions?: number;
  readonly lease?: string;
  /** More lines of each process's configuration. */
  readonly more?: string;
}

/** Processes of one fleet, with a NATS server, a Redis server without persistence, and a receiver of pages. */
export class FleetScene {
  readonly nats: NatsServer;
  readonly redis: RedisServer;
  readonly receiver: RecordingReceiver;
  readonly #folder: string;
  readonly #settings: Required<FleetSettings>;
  readonly #running: TocsinProcess[] = [];
  #startedCount = 0;

  private constructor(
    nats: NatsServer,
    redis: RedisServer,
    receiver: RecordingReceiver,
    folder: string,
    settings: FleetSettings,
  ) {
    this.nats = nats;
    this.redis = redis;
    this.receiver = receiver;
    this.#folder = folder;
    this.#settings = { partitions: 2, lease: '1s', more: '', ...settings };
  }

  static async open(settings: FleetSettings = {}): Promise<FleetScene> {
    const [nats, redis, receiver] = await Promise.all([startNats(), startRedis(), startReceiver()]);
    return new FleetScene(nats, redis, receiver, await mkdtemp(join(tmpdir(), 'tocsin-fleet-')), settings);
  }

  /** Starts another process. */
  async start(...roles: readonly ('gateway' | 'owner')[]): Promise<TocsinProcess> {
    const name = String(++this.#startedCount);
    const { partitions, lease, more } = this.#settings;
    const config = join(this.#folder, `${name}.yml`);
    await writeFile(
      config,
      `route: { receiver: web, group_by: [alertname], group_wait: 200ms, group_interval: 1s }
receivers: [{ name: web, webhook_configs: [{ url: "${this.receiver.url}" }] }]
history: { enabled: false }
score: { workers: 0 }
fleet:
  partitions: ${partitions}
  lease: ${lease}
  roles: [${roles.join(', ')}]
  log: { servers: ["${this.nats.url}"] }
  store: { url: "${this.redis.url}" }
${more}`,
    );
    const data = join(this.#folder, `data-${name}`);
    const started = await startTocsin('serve', '--config', config, '--data', data, '--listen', '127.0.0.1:0');
    this.#running.push(started);
    return started;
  }

  async close(): Promise<void> {
    for (const { child, exited } of this.#running) {
      child.kill('SIGKILL');
      await exited;
    }
    await Promise.all([this.nats.stop(), this.redis.stop(), this.receiver.close()]);
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** Partitions that the process leads, by its own account. */
export async function ledBy({ url }: TocsinProcess): Promise<number[]> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return [...text.matchAll(/^tocsin_partition_led\{partition="(\d+)"\} 1$/gm)]
    .map(([, id]) => Number(id))
    .toSorted((a, b) => a - b);
}

/** Effects that the process is carrying out, over all its partitions. */
export async function underWayAt({ url }: TocsinProcess): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const counts = [...text.matchAll(/^tocsin_effects_in_flight\{[^}]*\} (\d+)$/gm)];
  return counts.reduce((sum, [, count]) => sum + Number(count), 0);
}

/** Sends one alert of each name in each domain; gives the status of the answer. */
export async function report(
  { url }: TocsinProcess,
  domains: readonly string[],
  ...names: readonly string[]
): Promise<number> {
  const alerts = domains.flatMap((domain) => names.map((alertname) => ({ labels: { alertname, domain } })));
  const response = await fetch(`${url}/api/v2/alerts`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(alerts),
  });
  await response.arrayBuffer();
  return response.status;
}
