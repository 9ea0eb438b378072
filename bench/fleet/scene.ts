import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openJetStreamWriter } from '../../src/log/index.ts';
import { closeNats, connectNats, natsConnectionConfig } from '../../src/nats/index.ts';
import { startNats } from '../../test/support/nats.ts';
import { startRedis } from '../../test/support/redis.ts';
import { draftOf } from './load.ts';
import type { Measured } from './measured.ts';
import { logOptions } from './owner.ts';

/** NATS and Redis for benchmarks, with the streams of a fleet's partitions. */
export interface BenchScene {
  readonly natsUrl: string;
  readonly configFile: string;
  /** Appends requests to the log of a partition as a gateway does that has many senders; resolves once all are durable. */
  fill(partition: number, requests: readonly Uint8Array[], timeMs: number): Promise<void>;
  /** Forgets all checkpoints and leases: who comes next folds the logs from their beginning. */
  forget(): Promise<void>;
  close(): Promise<void>;
}

/** Requests that wait for the log at a time. */
const senders = 16;

export async function openBenchScene(more = ''): Promise<BenchScene> {
  const [nats, redis] = await Promise.all([startNats(), startRedis()]);
  const folder = await mkdtemp(join(tmpdir(), 'tocsin-bench-'));
  const configFile = join(folder, 'tocsin.yml');
  await writeFile(
    configFile,
    `route: { receiver: nobody, group_by: [alertname, cluster] }
receivers: [{ name: nobody }]
history: { enabled: false }
storage: { path: "${join(folder, 'data')}" }
fleet: { partitions: 4, lease: 60s, log: { servers: ["${nats.url}"], prefix: bench }, store: { url: "${redis.url}" } }
${more}`,
  );
  const connection = await connectNats(natsConnectionConfig.parse({ servers: [nats.url] }), 'bench');
  return {
    natsUrl: nats.url,
    configFile,
    async fill(partition, requests, timeMs) {
      const writer = await openJetStreamWriter(logOptions(connection, partition));
      let next = 0;
      const send = async (): Promise<void> => {
        while (next < requests.length) await writer.append(draftOf(requests[next++]!, timeMs));
      };
      await Promise.all(Array.from({ length: senders }, send));
      await writer.close();
    },
    forget: async () => void (await redis.admin.flushall()),
    async close() {
      await closeNats(connection);
      await Promise.all([nats.stop(), redis.stop()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Runs a part of a benchmark as a process of its own, which begins with a heap of its own, and gives what it measured. */
export async function measureApart(file: string, ...args: readonly string[]): Promise<Measured> {
  const child = fork(
    file,
    args,
    process.env.PROF ? { execArgv: ['--cpu-prof', '--cpu-prof-dir=/tmp/prof'] } : {},
  );
  const exited = once(child, 'exit');
  const answer = once(child, 'message');
  const failed = exited.then(([code]) => {
    throw new Error(`${args.join(' ')} ended with ${String(code)} and measured nothing`);
  });
  const [measured] = (await Promise.race([answer, failed])) as [Measured];
  await exited;
  return measured;
}
