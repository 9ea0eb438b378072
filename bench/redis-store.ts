/**
 * Checkpoints in Redis: what a delta of 1,000, 10,000 and 100,000 rows costs on a state of 10,000, 100,000 and 1,000,000 rows, how long
 * the longest command held up the server meanwhile (SLOWLOG), how long another client waited at most for a PING (in a process of its
 * own), and how long the state takes to be read. The server keeps an append-only file, synced each second, and runs on loopback.
 *
 *   node bench/redis-store.ts [rows of the largest state] [setting of the server ...]
 */
import { Redis } from 'ioredis';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { TableChange } from '../src/engine/index.ts';
import { connectRedis, openRedisStore, redisConfig } from '../src/store/index.ts';
import { startRedis } from '../test/support/redis.ts';

const states = [10_000, 100_000, 1_000_000];
const deltas = [1_000, 10_000, 100_000];
const fillStep = 50_000;

/** About what a row of signals looks like: 330 bytes encoded. */
function rowOf(index: number, turn: number, order: number | null): TableChange {
  const labels = {
    alertname: `Rule${index % 200}`,
    cluster: `eu-${index % 4}`,
    instance: `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}:9100`,
    job: 'node',
    service: `service-${index % 400}`,
    severity: 'warning',
  };
  const value = { labels, firstMs: 1_767_571_200_000 + index, lastMs: 1_767_571_200_000 + turn, count: turn };
  return { table: 'dedup/signals', key: index.toString(16).padStart(16, '0'), order, value };
}

/** Pings until the parent disconnects; tells the longest wait since it was asked last. */
async function ping(port: number): Promise<void> {
  const redis = new Redis({ port });
  let longestMs = 0;
  process.on('message', () => {
    process.send?.(longestMs);
    longestMs = 0;
  });
  process.on('disconnect', () => process.exit());
  for (;;) {
    const startMs = performance.now();
    await redis.ping();
    longestMs = Math.max(longestMs, performance.now() - startMs);
  }
}

async function bench(largest: number, settings: readonly string[]): Promise<void> {
  const server = await startRedis(
    'appendonly yes',
    'latency-monitor-threshold 5',
    'slowlog-log-slower-than 100',
    'slowlog-max-len 100000',
    ...settings,
  );
  const connection = await connectRedis(
    redisConfig.parse({ url: server.url, command_timeout: '60s' }),
    'tocsin-bench',
  );
  const pinger = fork(import.meta.filename, ['ping', String(server.port)]);
  const longestPingMs = async (): Promise<number> => {
    const answer = once(pinger, 'message');
    pinger.send('');
    return Number((await answer)[0]);
  };
  const longestCommand = async (): Promise<string> => {
    const entries = (await server.admin.slowlog('GET', 100_000)) as [
      number,
      number,
      number,
      (string | undefined)[],
    ][];
    await server.admin.slowlog('RESET');
    const own = entries.filter(([, , , [name]]) => !/^(slowlog|config)$/i.test(name ?? ''));
    const longest = own.toSorted((a, b) => b[2] - a[2])[0];
    return longest ? `${(longest[2] / 1000).toFixed(1)} ms (${longest[3][0] ?? ''})` : 'under 0.1 ms';
  };
  const store = openRedisStore(connection, 'bench');
  let [size, position] = [0, 0];
  const commit = async (changes: readonly TableChange[]): Promise<{ stageMs: number; commitMs: number }> => {
    const startMs = performance.now();
    const staged = store.stageCheckpoint({ position: ++position, timeMs: position, changes });
    const stagedMs = performance.now();
    await staged.commit();
    return { stageMs: stagedMs - startMs, commitMs: performance.now() - stagedMs };
  };
  await store.acquireLease('bench', 3_600_000);
  for (const state of states.filter((state) => state <= largest)) {
    for (; size < state; size += Math.min(fillStep, state - size))
      await commit(
        Array.from({ length: Math.min(fillStep, state - size) }, (_, index) =>
          rowOf(size + index, 0, size + index + 1),
        ),
      );
    console.log(
      `state of ${state.toLocaleString('en')} rows; longest command to fill it: ${await longestCommand()}`,
    );
    await longestPingMs();
    for (const delta of deltas.filter((delta) => delta <= state)) {
      const stride = Math.floor(state / delta);
      const { stageMs, commitMs } = await commit(
        Array.from({ length: delta }, (_, index) => rowOf(index * stride, position, null)),
      );
      const each = (ms: number): string => `${((ms * 1000) / delta).toFixed(1)} us`;
      console.log(
        `  delta of ${delta.toLocaleString('en')}: ${commitMs.toFixed(0)} ms (${each(commitMs)} a row) and ` +
          `${stageMs.toFixed(0)} ms to encode (${each(stageMs)}); longest command ${await longestCommand()}; ` +
          `longest ping ${(await longestPingMs()).toFixed(1)} ms`,
      );
    }
    const startMs = performance.now();
    const rows = (await openRedisStore(connection, 'bench').readCheckpoint())?.rows.length;
    console.log(
      `  read: ${rows?.toLocaleString('en') ?? 'nothing'} rows in ${(performance.now() - startMs).toFixed(0)} ms; ` +
        `longest command ${await longestCommand()}; longest ping ${(await longestPingMs()).toFixed(1)} ms`,
    );
  }
  const startMs = performance.now();
  await store.reset();
  console.log(
    `reset: ${(performance.now() - startMs).toFixed(1)} ms; longest command ${await longestCommand()}; ` +
      `longest ping ${(await longestPingMs()).toFixed(1)} ms`,
  );
  const events = (await server.admin.latency('LATEST')) as [string, number, number, number][];
  console.log(`LATENCY: ${events.map(([event, , , maxMs]) => `${event} ${maxMs} ms`).join(', ')}`);
  pinger.disconnect();
  await connection.close();
  await server.stop();
}

const [first, ...rest] = process.argv.slice(2);
if (first === 'ping') await ping(Number(rest[0]));
else await bench(Number(first ?? 1_000_000), rest);
