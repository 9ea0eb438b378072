import { jetstreamManager } from '@nats-io/jetstream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FleetScene } from '../support/fleet.ts';

let scene: FleetScene;

beforeEach(async () => {
  scene = await FleetScene.open({ partitions: 8 });
});
afterEach(() => scene.close());

test('a process that cannot open one of the logs says so and ends, so that its supervisor starts it again', async () => {
  // The other logs are there already, and are open before the one that cannot be made.
  await scene.start('gateway');
  const connection = await scene.nats.connect();
  const { streams } = await jetstreamManager(connection);
  await streams.delete('tocsin-log-7');
  // No stream may take subjects of another.
  await streams.add({ name: 'in-the-way', subjects: ['tocsin.log.7.open'] });
  await expect(scene.start('gateway')).rejects.toThrow(
    /ended with 1 before.*TOC_LOG_UNAVAILABLE.*tocsin-log-7/s,
  );
  await connection.close();
});
