import { afterEach, beforeEach, expect, test } from 'vitest';
import { FleetScene, ledBy, report } from '../support/fleet.ts';
import type { TocsinProcess } from '../support/tocsin.ts';

const domains = ['shop', 'payments'];
const patience = { timeout: 20_000, interval: 50 };

let scene: FleetScene;

beforeEach(async () => {
  scene = await FleetScene.open({ more: 'server: { external_url: "http://fleet.example.net" }' });
});
afterEach(() => scene.close());

async function answer({ url }: TocsinProcess, path: string): Promise<string> {
  const response = await fetch(url + path);
  return `${response.status} ${await response.text()}`;
}

const ready = (process: TocsinProcess) => expect.poll(() => answer(process, '/-/ready'), patience);

async function troubles({ url }: TocsinProcess): Promise<string[]> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return [...text.matchAll(/^tocsin_trouble\{code="(\w+)"\} 1$/gm)].map(([, code]) => code!);
}

test('without NATS no process is ready, all are alive, and all are ready again by themselves', async () => {
  const processes = [await scene.start('gateway'), await scene.start('owner')];
  for (const process of processes) await ready(process).toBe('200 OK');
  await scene.nats.kill();
  for (const process of processes) {
    await ready(process).toMatch(/^503 TOC_NATS_UNAVAILABLE: no NATS server of fleet.log answers/);
    expect(await answer(process, '/-/healthy')).toBe('200 OK');
    expect(await troubles(process)).toContain('TOC_NATS_UNAVAILABLE');
  }
  await scene.nats.start();
  for (const process of processes) await ready(process).toBe('200 OK');
});

test('without Redis a process stays ready that takes reports, and says what it lacks; one that only owns is not', async () => {
  const [gateway, both, owner] = [
    await scene.start('gateway'),
    await scene.start('gateway', 'owner'),
    await scene.start('owner'),
  ];
  await expect.poll(async () => (await ledBy(owner)).length, patience).toBe(1);
  await scene.redis.kill();
  await ready(both).toMatch(/^200 OK\nTOC_STORE_UNAVAILABLE: Redis does not answer/);
  await ready(owner).toMatch(/^503 TOC_STORE_UNAVAILABLE: Redis does not answer/);
  expect(await answer(gateway, '/-/ready')).toBe('200 OK');
  expect(await troubles(both)).toEqual(['TOC_STORE_UNAVAILABLE']);
  expect(await report(gateway, domains, 'Meanwhile')).toBe(200);
  await scene.receiver.page(({ body }) => JSON.stringify(body).includes('Meanwhile'));
  await scene.redis.start();
  for (const process of [gateway, both, owner]) await ready(process).toBe('200 OK');
  expect(await troubles(both)).toEqual([]);
});

test('a Redis that is full is told as one that refuses, and seldom in the log; pages go on', async () => {
  const owner = await scene.start('gateway', 'owner');
  await expect.poll(async () => (await ledBy(owner)).length, patience).toBe(2);
  await scene.redis.admin.config('SET', 'maxmemory', '1');
  await ready(owner).toMatch(
    /^200 OK\nTOC_STORE_UNAVAILABLE: Redis refuses: OOM [^\n]*; partitions that are led go on/,
  );
  expect(await report(owner, domains, 'Full')).toBe(200);
  await scene.receiver.page(({ body }) => JSON.stringify(body).includes('Full'));
  expect(owner.output().split('could not be looked after').length - 1).toBe(1);
  await scene.redis.admin.config('SET', 'maxmemory', '0');
  await ready(owner).toBe('200 OK');
});

test('a gateway that is told to stop answers what is under way, refuses what comes, and ends in good order', async () => {
  const [gateway, owner] = [await scene.start('gateway'), await scene.start('owner')];
  scene.nats.pause();
  const underWay = report(gateway, domains, 'UnderWay');
  // An answer to something that was sent later, over the same loop: the report has been read by then.
  await answer(gateway, '/-/healthy');
  gateway.child.kill('SIGTERM');
  await ready(gateway).toBe('503 TOC_STOPPING: this process is ending');
  expect(await answer(gateway, '/-/healthy')).toBe('200 OK');
  expect(await report(gateway, domains, 'Late')).toBe(503);
  scene.nats.resume();
  expect(await underWay).toBe(200);
  expect(await gateway.exited).toBe(0);
  await scene.receiver.page(({ body }) => JSON.stringify(body).includes('UnderWay'));
  expect(await answer(owner, '/-/ready')).toBe('200 OK');
});
