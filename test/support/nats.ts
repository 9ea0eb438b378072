import { connect, type NatsConnection, type NodeConnectionOptions } from '@nats-io/transport-node';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect as dial } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serverCommand, testServers } from './servers.ts';
import { freePort } from './port.ts';

export interface NatsServer {
  readonly port: number;
  readonly url: string;
  connect(options?: NodeConnectionOptions): Promise<NatsConnection>;
  /** Kills the server; what its streams hold stays for `start`. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** As a process that does not get to run: it answers nothing and closes nothing. */
  pause(): void;
  resume(): void;
  stop(): Promise<void>;
}

/** Starts a real NATS server with JetStream on a free port of loopback; `args` are more arguments for it. */
export async function startNats(...args: readonly string[]): Promise<NatsServer> {
  return startNatsAt(await freePort(), ...args);
}

/** As `startNats`, on a port of `freePort`. */
export async function startNatsAt(port: number, ...args: readonly string[]): Promise<NatsServer> {
  return startNatsIn(await mkdtemp(join(tmpdir(), 'tocsin-nats-')), port, ['-js', ...args]);
}

/**
 * As `startNats`, as a configuration file says, without JetStream unless it says so. `folder` holds what the file names, and is gone
 * after `stop`.
 */
export async function startNatsConfigured(
  folder: string,
  config: string,
  port?: number,
): Promise<NatsServer> {
  const file = join(folder, 'nats-server.conf');
  await writeFile(file, config);
  return startNatsIn(folder, port ?? (await freePort()), ['-c', file]);
}

async function startNatsIn(folder: string, port: number, args: readonly string[]): Promise<NatsServer> {
  const [command, ...first] = serverCommand(testServers.nats, folder);
  const all = [...first, '-a', '127.0.0.1', '-p', String(port), '-sd', folder, ...args];
  let server: ChildProcess | null = null;
  const start = async (): Promise<void> => {
    server = spawn(command, all, { stdio: 'ignore' });
    await answering(port);
  };
  const kill = async (): Promise<void> => {
    if (server === null || server.exitCode !== null || server.signalCode !== null) return;
    const exited = once(server, 'exit');
    server.kill('SIGKILL');
    await exited;
  };
  await start();
  return {
    port,
    url: `127.0.0.1:${port}`,
    connect: (options) => connect({ servers: `127.0.0.1:${port}`, timeout: 5000, ...options }),
    kill,
    start,
    pause: () => server?.kill('SIGSTOP'),
    resume: () => server?.kill('SIGCONT'),
    async stop() {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Resolves once something listens on the port. */
async function answering(port: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const socket = dial(port, '127.0.0.1');
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
    socket.destroy();
    if (isOpen) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`nats-server does not answer on port ${port}`);
}
