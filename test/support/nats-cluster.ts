import { connect, type NatsConnection } from '@nats-io/transport-node';
import { jetstreamManager } from '@nats-io/jetstream';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startNatsConfigured, type NatsServer } from './nats.ts';
import { freePort } from './port.ts';
import { eventually } from './redis.ts';

/** Servers that keep streams together, each in a process of its own. */
export interface NatsCluster {
  readonly servers: readonly NatsServer[];
  readonly urls: readonly string[];
  /** Connects to whichever server answers. */
  connect(): Promise<NatsConnection>;
  stop(): Promise<void>;
}

/** Starts real NATS servers with JetStream as one cluster, and waits until streams with a replica on each can be made. */
export async function startNatsCluster(count = 3): Promise<NatsCluster> {
  const ports = await Promise.all(
    Array.from({ length: count }, async () => ({ client: await freePort(), route: await freePort() })),
  );
  const routes = ports.map(({ route }) => `"nats://127.0.0.1:${route}"`);
  const servers = await Promise.all(
    ports.map(async ({ client, route }, index) => {
      const folder = await mkdtemp(join(tmpdir(), 'tocsin-nats-'));
      const config = `server_name: n${index + 1}
jetstream {}
cluster { name: c, listen: "127.0.0.1:${route}", routes: [${routes.join(', ')}] }
`;
      return startNatsConfigured(folder, config, client);
    }),
  );
  const urls = servers.map(({ url }) => url);
  const connectAny = (): Promise<NatsConnection> =>
    connect({ servers: urls, timeout: 5000, maxReconnectAttempts: -1, reconnectTimeWait: 200 });
  const stop = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.stop()));
  };
  try {
    const connection = await connectAny();
    await eventually(() => canKeepStreams(connection, count));
    await connection.close();
  } catch (error) {
    await stop();
    throw error;
  }
  return { servers, urls, connect: connectAny, stop };
}

async function canKeepStreams(connection: NatsConnection, replicas: number): Promise<boolean> {
  try {
    const manager = await jetstreamManager(connection);
    await manager.streams.add({ name: 'probe', subjects: ['probe'], num_replicas: replicas });
    return await manager.streams.delete('probe');
  } catch {
    return false;
  }
}
