import { writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { openHistory, HistoryWriter, type HistoryDatabase } from '../src/history/index.ts';
import { connectRedis, openRedisStore, redisConfig } from '../src/store/index.ts';
import { Random } from '../simulation/random.ts';
import { checkAlerts } from './check-alerts.ts';
import type { Check } from './check.ts';
import { checkPages } from './check-pages.ts';
import { checkMemory, checkProcesses } from './check-processes.ts';
import { checkState } from './check-state.ts';
import { wreakHavoc, type Fault } from './faults.ts';
import { Load } from './load.ts';
import { foldPlainly, type PlainPartition } from './plain-fold.ts';
import { faultsText } from './report.ts';
import { partitionCount, startScene, type Scene } from './scene.ts';
import { settle } from './settle.ts';
import { Watch } from './watch.ts';

export interface RunOptions {
  readonly seed: number;
  readonly minutes: number;
  readonly alertsPerSecond: number;
  readonly folder: string;
  readonly stop: AbortSignal;
  readonly say: (text: string) => void;
}

const senderPatienceMs = 90_000;
const settlePatienceMs = 240_000;
const endPatienceMs = 90_000;

/** One run, from the start of all processes to their end. Rejects when it cannot be brought to its end. */
export async function runChaos(options: RunOptions): Promise<readonly Check[]> {
  const { stop, folder, seed } = options;
  const watch = new Watch();
  let end = async (): Promise<void> => undefined;
  const interrupted = new Promise<never>((_, reject) =>
    stop.addEventListener('abort', () => reject(new Error('interrupted')), { once: true }),
  );
  try {
    const run = async (): Promise<readonly Check[]> => {
      const scene = await startScene(
        {
          folder,
          seed,
          onUnaskedEnd: (unasked) => watch.unaskedEnds.push(unasked),
          onLogLine: (name, line) => watch.note(name, line),
        },
        (stopAll) => (end = stopAll),
      );
      return strikeAndCheck(scene, watch, options);
    };
    return await Promise.race([run(), interrupted]);
  } finally {
    watch.stop();
    await end();
  }
}

async function strikeAndCheck(
  scene: Scene,
  watch: Watch,
  { seed, minutes, alertsPerSecond, say }: RunOptions,
): Promise<readonly Check[]> {
  const random = new Random(`chaos ${seed}`);
  const beganMs = performance.now();
  const sayNow = (text: string): void =>
    say(`${((performance.now() - beganMs) / 1000).toFixed(0).padStart(4)} s  ${text}`);
  const { gatewayUrls, ownerUrls, owners, gateways, members } = scene;
  const nats = await scene.cluster.connect({ maxReconnectAttempts: -1, reconnectTimeWait: 250 });
  const load = new Load({ random: random.fork('load'), gatewayUrls, nats, partitionCount, alertsPerSecond });
  const defects: string[] = [];
  watch.sampleMemory([...owners, ...gateways]);
  sayNow(`all processes are there; ${alertsPerSecond} alerts a second for ${minutes} min`);

  const stop = new AbortController();
  const loading = load.run(stop.signal);
  const striking = wreakHavoc({
    random: random.fork('faults'),
    members,
    stop: stop.signal,
    onFault: (fault) => {
      watch.noteFault(fault);
      sayNow(`${fault.kind} of ${fault.target}`);
    },
    onDefect: (error) => defects.push(error instanceof Error ? error.message : String(error)),
  });
  await delay(minutes * 60_000);
  stop.abort();
  await loading;
  const faults = await striking;
  sayNow('everything works again');
  await load.finish(senderPatienceMs);
  defects.push(...load.defects);
  await writeFile(`${scene.deliveriesFile}.calm`, '');
  sayNow(`${load.acknowledgedCount} of ${load.reports.length} reports are acknowledged`);
  const settled = await settle({ nats, ownerUrls, patienceMs: settlePatienceMs, say: sayNow });
  sayNow('everything is folded, sent and written; the owners are told to end');
  watch.stop();
  await Promise.all(owners.map((owner) => owner.end(endPatienceMs))).catch((error: unknown) =>
    defects.push(String(error)),
  );
  for (const server of scene.cluster.servers)
    if (server.pid === null) defects.push(`${server.name} ended by itself`);
  say(faultsText(faults, watch));
  if (watch.orphanedCount > 0) defects.push(`${watch.orphanedCount} partitions were not led again`);
  sayNow('the logs are folded plainly');
  const history = await open(scene, 'tocsin');
  const expected = await open(scene, 'expected');
  try {
    const plain = await foldAll(scene, nats, expected);
    return await checkAll({ scene, watch, load, faults, defects, settled, plain, history, expected });
  } finally {
    await Promise.all([history.close(), expected.close(), nats.close()]);
  }
}

async function checkAll(found: {
  readonly scene: Scene;
  readonly watch: Watch;
  readonly load: Load;
  readonly faults: readonly Fault[];
  readonly defects: readonly string[];
  readonly settled: ReadonlyMap<number, number>;
  readonly plain: readonly PlainPartition[];
  readonly history: HistoryDatabase;
  readonly expected: HistoryDatabase;
}): Promise<readonly Check[]> {
  const { scene, watch, load, faults, defects, settled, plain, history, expected } = found;
  return [
    await checkAlerts(load.reports, plain, history),
    await checkState(plain, settled, history, expected),
    await checkPages(plain, settled, faults, scene.deliveriesFile),
    checkMemory(watch),
    checkProcesses(watch, faults, defects),
  ];
}

/** Folds every log; the rows of it go into `expected`, by the way of the product. */
async function foldAll(
  { addresses }: Scene,
  nats: Awaited<ReturnType<Scene['cluster']['connect']>>,
  expected: HistoryDatabase,
): Promise<readonly PlainPartition[]> {
  const redis = await connectRedis(redisConfig.parse({ url: addresses.redisUrl }), 'chaos');
  const lost: string[] = [];
  const writer = new HistoryWriter(expected, {
    partition: '',
    flushIntervalMs: 1000,
    maxBatchRows: 10_000,
    maxBufferedRows: 1_000_000,
    maxBufferedBytes: 1 << 30,
    onDropped: (count, reason) => lost.push(`${count} rows: ${reason}`),
  });
  try {
    const plain: PlainPartition[] = [];
    for (let partition = 0; partition < partitionCount; partition++) {
      const checkpoint = await openRedisStore(redis, String(partition)).readCheckpoint();
      if (!checkpoint) throw new Error(`partition ${partition} has no checkpoint`);
      const sink = writer.sinkOf(String(partition));
      const onRows: Parameters<typeof foldPlainly>[0]['onRows'] = async (rows) => {
        sink.write(rows);
        await sink.flushed();
      };
      plain.push(await foldPlainly({ nats, partition, checkpoint, onRows }));
    }
    if (lost.length > 0) throw new Error(`the plain fold's rows were not written: ${lost.join(', ')}`);
    return plain;
  } finally {
    await writer.close(10_000);
    await redis.close();
  }
}

async function open({ addresses }: Scene, database: string): Promise<HistoryDatabase> {
  const opened = await openHistory({
    url: addresses.historyUrl,
    user: 'default',
    passwordFile: undefined,
    database,
    tls: undefined,
    connectTimeoutMs: 20_000,
    requestTimeoutMs: 120_000,
    compression: 'none',
    asyncInsert: false,
    placement: { cluster: undefined, replicated: undefined },
  });
  if (!opened.database) throw new Error(opened.missing);
  return opened.database;
}
