import { connect, type NatsConnection } from '@nats-io/transport-node';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serverCommand, testServers } from '../support/servers.ts';

export interface NatsServer {
  readonly port: number;
  connect(): Promise<NatsConnection>;
  stop(): Promise<void>;
}

/** Starts a real NATS server with JetStream on a free port of loopback. */
export async function startNats(): Promise<NatsServer> {
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), 'tocsin-nats-'));
  const [command, ...args] = serverCommand(testServers.nats);
  const server = spawn(command, [...args, '-a', '127.0.0.1', '-p', String(port), '-js', '-sd', folder], {
    stdio: 'ignore',
  });
  const open = () =>
    connect({ servers: `127.0.0.1:${port}`, timeout: 5000, maxReconnectAttempts: -1, reconnectTimeWait: 50 });
  const first = await connect({
    servers: `127.0.0.1:${port}`,
    waitOnFirstConnect: true,
    reconnectTimeWait: 50,
    maxReconnectAttempts: 200,
  });
  await first.close();
  return {
    port,
    connect: open,
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

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
