/**
 * What a checkpoint costs beside 10,000, 100,000 and 1,000,000 active signals: of 500 alerts, each repeated once since the one before (of more, the
 * rows of few signals would share pages of the disk that those of many do not), in microseconds of CPU a changed row, on LMDB and in Redis; and how long a restart takes from LMDB with that state and a tail of as many alerts.
 *
 *   node bench/checkpoint.ts [signals ...]
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseConfig } from '../src/app/config.ts';
import { entryCodec } from '../src/app/entry-codec.ts';
import { createPipeline, type Pipeline } from '../src/app/pipeline.ts';
import { createConfigPayload } from '../src/app/scorer.ts';
import type { CheckpointDelta, Fact } from '../src/engine/index.ts';
import type { LogEntry } from '../src/incident/index.ts';
import { openLmdbLog } from '../src/log/index.ts';
import { createInlineScorer } from '../src/score/index.ts';
import {
  connectRedis,
  openLmdbStore,
  openRedisStore,
  redisConfig,
  type PartitionStore,
} from '../src/store/index.ts';
import { startRedis } from '../test/support/redis.ts';
import { draftOf, requestsOf } from './fleet/load.ts';
import { startWatch } from './fleet/measured.ts';

const touched = 500;
const rounds = 21;
/** Alerts of the tail that are sent at a time. */
const tailStep = 5_000;
/** Rows that one checkpoint takes while the state is built. */
const buildStep = 10_000;
const startMs = Date.parse('2026-08-24T09:13:00Z');
const heapMib = (signals: number): number => 2_000 + Math.round(signals / 70);

interface Line {
  readonly text: string;
}

async function configPayload(): Promise<Extract<LogEntry, { kind: 'config' }>['payload']> {
  const parsed = parseConfig(
    'route: { receiver: nobody, group_by: [alertname, cluster] }\nreceivers: [{ name: nobody }]\n',
  );
  if (!parsed.ok) throw new Error('the configuration has mistakes');
  return createConfigPayload(parsed.config);
}

function createFold(): Pipeline['fold'] {
  return createPipeline({ scorer: createInlineScorer(), withHistory: false }).fold;
}

async function buildAndCheckpoint(count: number, folder: string, tell: (line: Line) => void): Promise<void> {
  const log = openLmdbLog<LogEntry>(join(folder, 'log'), entryCodec);
  const store = openLmdbStore(join(folder, 'store'));
  const fold = createFold();
  let timeMs = startMs;
  const apply = async (draft: LogEntry): Promise<void> => {
    const { position, entry } = await log.append(draft);
    const { effects } = await fold.apply({ firstPosition: position, entries: [entry] });
    // Effects end at once, as nobody is told.
    for (const { id, kind } of effects) {
      const payload: Fact = { effectId: id, kind, outcome: { status: 'done', result: { delivered: [] } } };
      await apply({ kind: 'fact', timeMs, payload });
    }
  };
  const commit = async (to: PartitionStore, delta: CheckpointDelta): Promise<number> => {
    const measured = startWatch();
    await to.stageCheckpoint(delta).commit();
    return (measured().cpuMs * 1000) / delta.changes.length;
  };
  await apply({ kind: 'config', timeMs, payload: await configPayload() });
  const cpu = process.cpuUsage();
  let since = 0;
  for (const body of requestsOf(0, count)) {
    // Spread over an hour, as no storm lasts that brings a million kinds of alerts.
    timeMs += Math.ceil((3_600_000 * 256) / count);
    await apply(draftOf(body, timeMs));
    since += 256;
    if (since < buildStep) continue;
    await commit(store, fold.takeCheckpoint());
    since = 0;
  }
  await commit(store, fold.takeCheckpoint());
  const { user } = process.cpuUsage(cpu);
  tell({
    text: `${count.toLocaleString('en')} signals: ${(user / count).toFixed(0)} us CPU for each new one, checkpoints included`,
  });
  const server = await startRedis();
  const connection = await connectRedis(
    redisConfig.parse({ url: server.url, command_timeout: '60s' }),
    'bench',
  );
  const redis = openRedisStore(connection, 'bench');
  await redis.acquireLease('bench', 3_600_000);
  for (const changes of fold.walk(buildStep))
    await commit(redis, { position: fold.position, timeMs, changes });
  const costs = { lmdb: [] as number[], redis: [] as number[] };
  let rows = 0;
  for (let round = 0; round < rounds; round++) {
    timeMs += 30_000;
    for (const body of requestsOf(0, touched)) await apply(draftOf(body, timeMs));
    const delta = fold.takeCheckpoint();
    rows = delta.changes.length;
    costs.lmdb.push(await commit(store, delta));
    costs.redis.push(await commit(redis, delta));
  }
  const median = (list: readonly number[]): string => list.toSorted((a, b) => a - b)[rounds >> 1]!.toFixed(1);
  tell({
    text: `  a checkpoint of ${touched.toLocaleString('en')} repeated alerts, ${rows.toLocaleString('en')} rows: ${median(costs.lmdb)} us CPU a row on LMDB, ${median(costs.redis)} us in Redis`,
  });
  await connection.close();
  await server.stop();
  for (let sent = 0; sent < count; sent += tailStep)
    for (const body of requestsOf(sent, Math.min(count, sent + tailStep)))
      await log.append(draftOf(body, timeMs));
  await log.close();
  await store.close();
}

async function restart(count: number, folder: string, tell: (line: Line) => void): Promise<void> {
  const beganMs = performance.now();
  const log = openLmdbLog<LogEntry>(join(folder, 'log'), entryCodec);
  const store = openLmdbStore(join(folder, 'store'));
  const checkpoint = await store.readCheckpoint();
  const readMs = performance.now();
  const fold = createFold();
  fold.restore(checkpoint);
  const restoredMs = performance.now();
  while (fold.position < log.lastPosition) await fold.apply(await log.read(fold.position + 1, 64));
  const seconds = (fromMs: number, toMs: number): string => `${((toMs - fromMs) / 1000).toFixed(1)} s`;
  const endMs = performance.now();
  tell({
    text:
      `  restart: ${seconds(beganMs, endMs)} (${checkpoint?.rows.length.toLocaleString('en') ?? 'no'} rows read in ${seconds(beganMs, readMs)}, ` +
      `indexes in ${seconds(readMs, restoredMs)}, a tail of ${count.toLocaleString('en')} alerts in ${seconds(restoredMs, endMs)})`,
  });
  await log.close();
  await store.close();
}

/** Runs a part as a process of its own, with a heap as large as it needs. */
async function apart(part: 'build' | 'restart', size: number, folder: string): Promise<boolean> {
  const execArgv = [`--max-old-space-size=${heapMib(size)}`];
  const child = fork(import.meta.filename, [part, String(size), folder], { execArgv });
  child.on('message', ({ text }: Line) => console.log(text));
  const [status] = (await once(child, 'exit')) as [number | null];
  return status === 0;
}

async function bench(sizes: readonly number[]): Promise<void> {
  for (const size of sizes) {
    const folder = await mkdtemp(join(tmpdir(), 'tocsin-bench-'));
    try {
      if (!(await apart('build', size, folder)) || !(await apart('restart', size, folder)))
        process.exitCode = 1;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
}

const args = process.argv.slice(2);
const [first, size, folder] = args;
if (first === 'build' || first === 'restart') {
  const part = first === 'build' ? buildAndCheckpoint : restart;
  await part(Number(size), folder!, (line) => process.send?.(line));
  process.exit();
} else await bench(args.length === 0 ? [10_000, 100_000, 1_000_000] : args.map(Number));
