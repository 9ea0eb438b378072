import { jetstreamManager } from '@nats-io/jetstream';
import { expect, test } from 'vitest';
import { FleetScene, ledBy, report } from '../support/fleet.ts';
import type { TocsinProcess } from '../support/tocsin.ts';

const patience = { timeout: 30_000, interval: 100 };
/** They lie in the partitions 1 and 0. */
const domains = ['shop', 'payments'];

async function readiness({ url }: TocsinProcess): Promise<string> {
  const response = await fetch(`${url}/-/ready`);
  return `${response.status} ${await response.text()}`;
}

test('a stream that was deleted and made anew under a fleet is told by its code, and takes nothing that nobody would read', async () => {
  const scene = await FleetScene.open({ partitions: 2, more: 'storage: { checkpoint_interval: 500ms }' });
  try {
    const gateway = await scene.start('gateway');
    const owner = await scene.start('owner');
    await expect.poll(() => ledBy(owner), patience).toEqual([0, 1]);
    expect(await report(gateway, domains, 'Before')).toBe(200);
    expect(await readiness(gateway)).toMatch(/^200/);
    expect(await readiness(owner)).toMatch(/^200/);

    const connection = await scene.nats.connect();
    const manager = await jetstreamManager(connection);
    const { config } = await manager.streams.info('tocsin-log-1');
    await manager.streams.delete('tocsin-log-1');
    await manager.streams.add(config);

    const isTold = /TOC_LOG_REPLACED: partition 1/;
    await expect.poll(() => readiness(gateway), patience).toMatch(isTold);
    expect(gateway.output()).toMatch(/"level":50[^\n]*"partition":1,"code":"TOC_LOG_REPLACED"/);
    await expect.poll(() => readiness(owner), patience).toMatch(/^503[^]*TOC_LOG_REPLACED: partition 1/);
    // Nobody folds the new stream, so nothing is taken for it. The other partition goes on.
    expect(await report(gateway, ['shop'], 'Refused')).toBe(503);
    expect(await report(gateway, ['payments'], 'Taken')).toBe(200);
    await expect.poll(() => ledBy(owner), patience).toEqual([0]);
    expect((await manager.streams.info('tocsin-log-1')).state.messages).toBe(0);
    // Nor is it led by who comes anew.
    const heir = await scene.start('owner');
    await expect.poll(() => readiness(heir), patience).toMatch(isTold);

    // What docs/errors.md says: the state goes with the stream, and the new one is folded from its beginning.
    const keys = await scene.redis.admin.keys('tocsin:{1}:*');
    await scene.redis.admin.del(keys);
    await manager.streams.delete('tocsin-snapshot-1');
    await connection.close();
    const anew = await scene.start('gateway');
    const led = async (): Promise<number[]> =>
      [...(await ledBy(owner)), ...(await ledBy(heir))].toSorted((a, b) => a - b);
    await expect.poll(led, { ...patience, timeout: 60_000 }).toEqual([0, 1]);
    expect(await report(anew, ['shop'], 'After')).toBe(200);
    await scene.receiver.page(({ body }) =>
      (body['alerts'] as { labels: { alertname: string } }[]).some(
        ({ labels }) => labels.alertname === 'After',
      ),
    );
    expect(await readiness(anew)).not.toMatch(isTold);
  } finally {
    await scene.close();
  }
}, 120_000);
