import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startNatsCluster, type NatsCluster } from '../support/nats-cluster.ts';

const timeout = 180_000;
let cluster: NatsCluster;

beforeEach(async () => {
  cluster = await startNatsCluster();
}, timeout);
afterEach(() => cluster.stop());

test(
  'a stream of three replicas takes entries without any one server, and keeps them all',
  { timeout },
  async () => {
    const connection = await cluster.connect();
    const manager = await jetstreamManager(connection, { timeout: 20_000 });
    await manager.streams.add({ name: 'kept', subjects: ['kept'], num_replicas: 3 });
    const stream = jetstream(connection, { timeout: 20_000 });
    let sentCount = 0;
    // A leader that is gone is replaced within seconds; whoever asks meanwhile is not answered.
    const publish = (): Promise<unknown> =>
      expect
        .poll(async () => (await stream.publish('kept', '', { msgID: String(sentCount) })).stream, {
          timeout: 60_000,
        })
        .toBe('kept')
        .then(() => sentCount++);
    for (const server of cluster.servers) {
      await publish();
      await server.kill();
      expect(server.pid).toBeNull();
      await publish();
      server.start();
      await cluster.ready();
      server.pause();
      await publish();
      server.resume();
      await cluster.ready();
    }
    expect((await manager.streams.info('kept')).state.messages).toBe(sentCount);
    await connection.close();
  },
);
