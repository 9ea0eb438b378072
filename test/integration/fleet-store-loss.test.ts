import { jetstreamManager } from '@nats-io/jetstream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FleetScene, ledBy, report, underWayAt } from '../support/fleet.ts';
import type { ReceivedPage, TocsinProcess } from '../support/tocsin.ts';

/** They lie in different partitions. */
const domains = ['shop', 'payments'];
const partitions = [0, 1];
const patience = { timeout: 20_000, interval: 100 };

let scene: FleetScene;

beforeEach(async () => {
  scene = await FleetScene.open({
    partitions: 2,
    more: 'storage: { checkpoint_interval: 500ms, log_retention: 2s }',
  });
});
afterEach(() => scene.close());

async function leadAll(...owners: readonly TocsinProcess[]): Promise<void> {
  const led = async (): Promise<number[]> =>
    (await Promise.all(owners.map(ledBy))).flat().toSorted((a, b) => a - b);
  await expect.poll(led, patience).toEqual(partitions);
}

/** Reports an alert, and resolves once each domain has had its page of it and nothing is under way. */
async function page(gateway: TocsinProcess, alertname: string, owners: readonly TocsinProcess[]) {
  expect(await report(gateway, domains, alertname)).toBe(200);
  const isOf =
    (domain: string) =>
    ({ body }: ReceivedPage): boolean =>
      (body['alerts'] as { labels: Record<string, string> }[]).some(
        ({ labels }) => labels['alertname'] === alertname && labels['domain'] === domain,
      );
  await Promise.all(domains.map((domain) => scene.receiver.page(isOf(domain))));
  const underWay = async (): Promise<number> =>
    (await Promise.all(owners.map(underWayAt))).reduce((sum, count) => sum + count, 0);
  await expect.poll(underWay, patience).toBe(0);
}

/** The commits of both partitions' checkpoints; null where there is none. */
function commits(): Promise<(string | null)[]> {
  return Promise.all(
    partitions.map((partition) => scene.redis.admin.hget(`tocsin:{${partition}}:head`, 'commit')),
  );
}

/** Reports until both partitions have a checkpoint that they did not have before: time goes on only with entries. */
async function checkpointed(gateway: TocsinProcess, before: readonly (string | null)[]): Promise<void> {
  const isNew = async (): Promise<boolean> => {
    await report(gateway, domains, 'Steady');
    return (await commits()).every((commit, index) => commit !== null && commit !== before[index]);
  };
  await expect.poll(isNew, patience).toBe(true);
}

function repeatedPages(): string[] {
  const counts = Map.groupBy(scene.receiver.received, ({ id }) => id);
  return [...counts].filter(([, pages]) => pages.length > 1).map(([id]) => id);
}

/** What an heir makes of what was left behind: it knows of everything, and pages nothing of it again. */
async function checkHeir(gateway: TocsinProcess, owners: readonly TocsinProcess[]): Promise<void> {
  for (const { child, exited } of owners) {
    child.kill('SIGKILL');
    await exited;
  }
  const heir = await scene.start('owner');
  await leadAll(heir);
  await page(gateway, 'Heir', [heir]);
  const alerts = (await (await fetch(`${heir.url}/api/v2/alerts`)).json()) as {
    labels: { alertname: string };
  }[];
  const names = new Set(alerts.map(({ labels }) => labels.alertname));
  expect(names).toEqual(new Set(['Before', 'Steady', 'After', 'Heir']));
  expect(repeatedPages()).toEqual([]);
}

test('FLUSHALL while owners lead: paging goes on, and the whole state is written anew', async () => {
  const gateway = await scene.start('gateway');
  const owners = [await scene.start('owner'), await scene.start('owner')];
  await leadAll(...owners);
  await page(gateway, 'Before', owners);
  await checkpointed(gateway, [null, null]);
  await scene.redis.admin.flushall();
  await page(gateway, 'After', owners);
  await checkpointed(gateway, [null, null]);
  await leadAll(...owners);
  await checkHeir(gateway, owners);
});

test('a Redis that comes back with older data is given the whole state by who still leads', async () => {
  const gateway = await scene.start('gateway');
  const owner = await scene.start('owner');
  await leadAll(owner);
  await page(gateway, 'Before', [owner]);
  await checkpointed(gateway, [null, null]);
  await scene.redis.admin.save();
  const old = await commits();
  await checkpointed(gateway, old);
  const lost = await commits();
  await scene.redis.kill();
  await scene.redis.start();
  await owner.says(/the checkpoint in Redis is not the one/);
  await page(gateway, 'After', [owner]);
  await checkpointed(gateway, old);
  expect(await commits()).not.toEqual(lost);
  expect(await ledBy(owner)).toEqual(partitions);
  await checkHeir(gateway, [owner]);
});

test('a Redis that is empty when owners start costs a replay of the log', async () => {
  const gateway = await scene.start('gateway');
  const owner = await scene.start('owner');
  await leadAll(owner);
  await page(gateway, 'Before', [owner]);
  await page(gateway, 'After', [owner]);
  await checkpointed(gateway, [null, null]);
  owner.child.kill('SIGTERM');
  expect(await owner.exited).toBe(0);
  await scene.redis.admin.flushall();
  await checkHeir(gateway, []);
});

test('a log that was trimmed and a Redis that is empty: the state comes from the snapshot beside the log', async () => {
  const gateway = await scene.start('gateway');
  const owner = await scene.start('owner');
  await leadAll(owner);
  await page(gateway, 'Before', [owner]);
  await page(gateway, 'After', [owner]);
  const connection = await scene.nats.connect();
  const manager = await jetstreamManager(connection);
  const isTrimmed = async (): Promise<boolean> => {
    await report(gateway, domains, 'Steady');
    const streams = await Promise.all(
      partitions.map((partition) => manager.streams.info(`tocsin-log-${partition}`)),
    );
    return streams.every(({ state }) => state.first_seq > 10);
  };
  await expect.poll(isTrimmed, patience).toBe(true);
  await connection.close();
  owner.child.kill('SIGKILL');
  await owner.exited;
  await scene.redis.admin.flushall();
  await checkHeir(gateway, []);
});
