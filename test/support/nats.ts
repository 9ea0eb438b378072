import { connect, type NatsConnection } from '@nats-io/transport-node';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect as dial } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serverCommand, testServers } from './servers.ts';
import { freePort } from './port.ts';

export interface NatsServer {
  readonly port: number;
  readonly url: string;
  connect(): Promise<NatsConnection>;
  stop(): Promise<void>;
}

/** Starts a real NATS server with JetStream on a free port of loopback; `args` are more arguments for it. */
export async function startNats(...args: readonly string[]): Promise<NatsServer> {
  return startNatsAt(await freePort(), ...args);
}

/** As `startNats`, on a port of `freePort`. */
export async function startNatsAt(port: number, ...args: readonly string[]): Promise<NatsServer> {
  const folder = await mkdtemp(join(tmpdir(), 'tocsin-nats-'));
  const [command, ...first] = serverCommand(testServers.nats);
  const all = [...first, '-a', '127.0.0.1', '-p', String(port), '-js', '-sd', folder, ...args];
  const server = spawn(command, all, { stdio: 'ignore' });
  await answering(port);
  return {
    port,
    url: `127.0.0.1:${port}`,
    connect: () => connect({ servers: `127.0.0.1:${port}`, timeout: 5000 }),
    async stop() {
      if (server.exitCode === null) {
        const exited = once(server, 'exit');
        server.kill('SIGKILL');
        await exited;
      }
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
