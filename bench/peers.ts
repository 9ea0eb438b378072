import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A server under measurement. */
export interface RunningServer {
  readonly url: string;
  readonly process: ChildProcess;
  stop(): Promise<void>;
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Tocsin as it is shipped: durable log, checkpoints, history, all on a fresh folder. */
export async function startTocsin(config = ''): Promise<RunningServer> {
  const folder = mkdtempSync(join(tmpdir(), 'tocsin-bench-'));
  const port = await freePort();
  const file = join(folder, 'tocsin.yml');
  writeFileSync(file, config || quietConfig);
  const main = new URL('../bin/tocsin.js', import.meta.url).pathname;
  const args = [
    main,
    'serve',
    '--config',
    file,
    '--data',
    join(folder, 'data'),
    '--listen',
    `127.0.0.1:${port}`,
    '--log-level',
    'error',
  ];
  return start(process.execPath, args, `http://127.0.0.1:${port}`, folder);
}

/** Debian's Alertmanager, unless configured with a receiver that does nothing. */
export async function startAlertmanager(config = ''): Promise<RunningServer> {
  const folder = mkdtempSync(join(tmpdir(), 'alertmanager-bench-'));
  const port = await freePort();
  const file = join(folder, 'alertmanager.yml');
  writeFileSync(file, config || quietConfig);
  const args = [
    `--config.file=${file}`,
    `--storage.path=${join(folder, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--cluster.listen-address=',
    '--log.level=error',
  ];
  return start('prometheus-alertmanager', args, `http://127.0.0.1:${port}`, folder);
}

/** A receiver that hears nothing: pages are not what is measured. */
const quietConfig =
  'route: { receiver: nobody, group_by: [alertname, cluster] }\nreceivers: [{ name: nobody }]\n';

async function start(
  command: string,
  args: readonly string[],
  url: string,
  folder: string,
): Promise<RunningServer> {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await ready(url, child);
  return {
    url,
    process: child,
    async stop() {
      child.kill('SIGTERM');
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function ready(url: string, child: ChildProcess): Promise<void> {
  const deadlineMs = Date.now() + 20_000;
  while (Date.now() < deadlineMs && child.exitCode === null) {
    const isReady = await fetch(`${url}/-/ready`).then(
      (response) => response.ok,
      () => false,
    );
    if (isReady) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${url} did not become ready`);
}

/** Resident memory of a process in bytes. */
export function residentBytes(pid: number, read: (file: string) => string): number {
  const match = /VmRSS:\s+(\d+) kB/.exec(read(`/proc/${pid}/status`));
  return Number(match?.[1] ?? 0) * 1024;
}
