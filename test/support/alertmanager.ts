import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serverCommand, testServers } from './servers.ts';
import { freePort } from './port.ts';

/** An Alertmanager, or what stands in for one, as a process of its own on a fresh folder. */
export interface RunningAlertmanager {
  readonly url: string;
  readonly folder: string;
  readonly child: ChildProcess;
  /** Rewrites the configuration file, without telling the process. */
  configure(config: string): Promise<void>;
  stop(): Promise<void>;
}

const entry = new URL('../../bin/tocsin-alertmanager.js', import.meta.url).pathname;

/** Starts Debian's Alertmanager, or `tocsin-alertmanager`, with the same flags, and waits until it is ready. */
export async function startAlertmanager(
  which: 'alertmanager' | 'tocsin',
  config: string,
  ...flags: readonly string[]
): Promise<RunningAlertmanager> {
  const folder = await mkdtemp(join(tmpdir(), `${which}-`));
  const file = join(folder, 'alertmanager.yml');
  await writeFile(file, config);
  const port = await freePort();
  const [command, ...args] =
    which === 'tocsin' ? ([process.execPath, entry] as const) : serverCommand(testServers.alertmanager);
  const child = spawn(
    command,
    [
      ...args,
      `--config.file=${file}`,
      `--storage.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--cluster.listen-address=',
      '--log.level=error',
      ...flags,
    ],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const url = `http://127.0.0.1:${port}`;
  const prefix = flags.find((flag) => flag.startsWith('--web.route-prefix='))?.split('=')[1] ?? '';
  await ready(`${url}${prefix}/-/ready`, child);
  return {
    url,
    folder,
    child,
    configure: (next) => writeFile(file, next),
    async stop() {
      child.kill('SIGTERM');
      await exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function ready(url: string, child: ChildProcess): Promise<void> {
  while (child.exitCode === null) {
    const isReady = await fetch(url).then(
      (response) => response.ok,
      () => false,
    );
    if (isReady) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`the process ended with ${child.exitCode} before it was ready`);
}
