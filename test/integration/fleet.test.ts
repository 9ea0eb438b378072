import { afterEach, beforeEach, expect, test } from 'vitest';
import { partitionOf } from '../../src/engine/index.ts';
import { FleetScene, ledBy, report, underWayAt } from '../support/fleet.ts';
import type { ReceivedPage, TocsinProcess } from '../support/tocsin.ts';

const partitionCount = 2;
/** They lie in different partitions. */
const domains = ['shop', 'payments'];
const patience = { timeout: 20_000, interval: 100 };

let scene: FleetScene;

beforeEach(async () => {
  scene = await FleetScene.open({ partitions: partitionCount });
});
afterEach(() => scene.close());

/** Resolves once these processes lead so many partitions each. */
async function lead(counts: readonly (readonly [TocsinProcess, number])[]): Promise<void> {
  await expect
    .poll(() => Promise.all(counts.map(async ([process]) => (await ledBy(process)).length)), patience)
    .toEqual(counts.map(([, count]) => count));
}

const isOf =
  (alertname: string, domain: string) =>
  ({ body }: ReceivedPage): boolean =>
    (body['alerts'] as { labels: Record<string, string> }[]).some(
      ({ labels }) => labels['alertname'] === alertname && labels['domain'] === domain,
    );

/** Resolves once each domain has had its page of the alert, and the log knows it. */
async function paged(alertname: string, ...owners: readonly TocsinProcess[]): Promise<void> {
  await Promise.all(domains.map((domain) => scene.receiver.page(isOf(alertname, domain))));
  await expect.poll(() => Promise.all(owners.map(underWayAt)), patience).toEqual(owners.map(() => 0));
}

/** How often each page was received, by its key; above 1 only. */
function repeated(): [string, number][] {
  const counts = Map.groupBy(scene.receiver.received, ({ id }) => id);
  return [...counts]
    .map(([id, pages]): [string, number] => [id, pages.length])
    .filter(([, count]) => count > 1);
}

test('a gateway takes reports of all domains, and the owners share the partitions and page', async () => {
  expect(domains.map((domain) => partitionOf(domain, partitionCount))).toEqual([1, 0]);
  const gateway = await scene.start('gateway');
  // Kept before there is anybody to fold it.
  expect(await report(gateway, domains, 'Early')).toBe(200);
  const one = await scene.start('owner');
  await lead([[one, 2]]);
  await paged('Early');
  const other = await scene.start('owner');
  await lead([
    [one, 1],
    [other, 1],
  ]);
  expect(await report(gateway, domains, 'Late')).toBe(200);
  await paged('Late');
  expect(await ledBy(gateway)).toEqual([]);
  expect(repeated()).toEqual([]);
});

test('when an owner is killed another goes on with its partitions, and no page is sent again', async () => {
  const gateway = await scene.start('gateway');
  const owners = [await scene.start('owner'), await scene.start('owner')] as const;
  await lead(owners.map((owner) => [owner, 1]));
  await report(gateway, domains, 'Before');
  await paged('Before', ...owners);
  owners[0].child.kill('SIGKILL');
  expect(await report(gateway, domains, 'During')).toBe(200);
  await lead([[owners[1], 2]]);
  await paged('During');
  await report(gateway, domains, 'After');
  await paged('After');
  expect(repeated()).toEqual([]);
});

test('an owner that stood still past its lease writes nothing any more, sends nothing, and comes back as a member', async () => {
  const gateway = await scene.start('gateway');
  const owners = [await scene.start('owner'), await scene.start('owner')] as const;
  await lead(owners.map((owner) => [owner, 1]));
  await report(gateway, domains, 'Before');
  await paged('Before', ...owners);
  owners[0].child.kill('SIGSTOP');
  await report(gateway, domains, 'During');
  await lead([[owners[1], 2]]);
  await paged('During');
  owners[0].child.kill('SIGCONT');
  await owners[0].says(/owns the partition by now|has taken the lease/);
  await lead(owners.map((owner) => [owner, 1]));
  await report(gateway, domains, 'After');
  await paged('After');
  expect(repeated()).toEqual([]);
});

test('an owner that stood still between two attempts of a page does not try it again', async () => {
  const gateway = await scene.start('gateway');
  const owners = [await scene.start('owner'), await scene.start('owner')] as const;
  await lead(owners.map((owner) => [owner, 1]));
  scene.receiver.answer = (response) => void response.writeHead(503).end();
  await report(gateway, ['shop'], 'Refused');
  await scene.receiver.page(isOf('Refused', 'shop'));
  const [paused, other] = (await ledBy(owners[0])).includes(partitionOf('shop', partitionCount))
    ? owners
    : ([owners[1], owners[0]] as const);
  paused.child.kill('SIGSTOP');
  await lead([[other, 2]]);
  scene.receiver.answer = (response) => void response.end();
  const taken = scene.receiver.received.length;
  await expect.poll(() => scene.receiver.received.length, patience).toBe(taken + 1);
  paused.child.kill('SIGCONT');
  await paused.says(/owns the partition by now|has taken the lease/);
  await lead(owners.map((owner) => [owner, 1]));
  await report(gateway, domains, 'After');
  await paged('After');
  const ofRefused = scene.receiver.received.slice(taken).filter(isOf('Refused', 'shop'));
  expect(ofRefused).toHaveLength(1);
});

test('an owner that is told to stop hands over', async () => {
  const gateway = await scene.start('gateway');
  const owners = [await scene.start('owner'), await scene.start('owner')] as const;
  await lead(owners.map((owner) => [owner, 1]));
  await report(gateway, domains, 'Before');
  await paged('Before', ...owners);
  owners[0].child.kill('SIGTERM');
  expect(await owners[0].exited).toBe(0);
  expect(owners[0].output()).toMatch(/was handed over/);
  await lead([[owners[1], 2]]);
  await report(gateway, domains, 'After');
  await paged('After');
  expect(repeated()).toEqual([]);
});

test('Redis may be away, and lose what it held: paging goes on, and nothing is sent again', async () => {
  const gateway = await scene.start('gateway');
  const owners = [await scene.start('owner'), await scene.start('owner')] as const;
  await lead(owners.map((owner) => [owner, 1]));
  await report(gateway, domains, 'Before');
  await paged('Before', ...owners);
  await scene.redis.kill();
  await report(gateway, domains, 'Without');
  await paged('Without', ...owners);
  await scene.redis.start();
  await report(gateway, domains, 'Again');
  await paged('Again', ...owners);
  owners[0].child.kill('SIGKILL');
  await lead([[owners[1], 2]]);
  await report(gateway, domains, 'After');
  await paged('After');
  expect(repeated()).toEqual([]);
});
