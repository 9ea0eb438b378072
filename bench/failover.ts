/**
 * Failover: from `kill -9` of the owner that leads a partition to the first page of the one that goes on, for leases of 1, 2 and 5 s, and for
 * tails of reports that no checkpoint holds. A gateway takes the alert that is paged right after the kill; its group waits for 200 ms.
 *
 *   node bench/failover.ts [alerts of the longest tail] [turns]
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { FleetScene, ledBy } from '../test/support/fleet.ts';
import type { TocsinProcess } from '../test/support/tocsin.ts';
import { requestsOf } from './fleet/load.ts';

const seriesCount = 2_000;
const [longest = '200000', turns = '3'] = process.argv.slice(2);
const leases = ['1s', '2s', '5s'];
const tails = [0, Number(longest) / 2, Number(longest)];

async function post({ url }: TocsinProcess, body: Buffer | string): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${url}/api/v2/alerts`, { method: 'POST', headers, body });
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
  await response.arrayBuffer();
}

async function gauge({ url }: TocsinProcess, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
}

/** Resolves once the owner has folded everything and has nothing under way. */
async function atRest(owner: TocsinProcess): Promise<void> {
  for (let quiet = 0; quiet < 3; await sleep(200)) {
    const counts = await Promise.all(
      ['tocsin_log_lag_entries', 'tocsin_effects_in_flight'].map((name) => gauge(owner, name)),
    );
    quiet = counts.every((count) => count === 0) ? quiet + 1 : 0;
  }
}

/** The owner that leads the one partition, as soon as there is one. */
async function leaderOf(owners: readonly TocsinProcess[]): Promise<TocsinProcess> {
  for (;;) {
    for (const owner of owners) if ((await ledBy(owner)).length > 0) return owner;
    await sleep(50);
  }
}

async function failover(lease: string, tail: number): Promise<number> {
  // Nothing but many new rows makes a checkpoint.
  const scene = await FleetScene.open({
    partitions: 1,
    lease,
    more: 'storage: { checkpoint_interval: 12h }',
  });
  try {
    const gateway = await scene.start('gateway');
    const owners = [await scene.start('owner'), await scene.start('owner')];
    const round = requestsOf(0, seriesCount);
    for (const body of round) await post(gateway, body);
    await atRest(await leaderOf(owners));
    for (let sent = 0; sent < tail; sent += seriesCount) for (const body of round) await post(gateway, body);
    await atRest(await leaderOf(owners));
    const leader = await leaderOf(owners);
    const beganMs = performance.now();
    leader.child.kill('SIGKILL');
    await post(gateway, JSON.stringify([{ labels: { alertname: 'AfterTheKill', severity: 'critical' } }]));
    await scene.receiver.page(({ body }) => JSON.stringify(body).includes('AfterTheKill'));
    return performance.now() - beganMs;
  } finally {
    await scene.close();
  }
}

const cases = [
  ...leases.map((lease) => ({ lease, tail: 0 })),
  ...tails.slice(1).map((tail) => ({ lease: leases[0]!, tail })),
];
for (const { lease, tail } of cases) {
  const times: number[] = [];
  for (let turn = 0; turn < Number(turns); turn++) times.push(await failover(lease, tail));
  const [least, median, most] = [0, times.length >> 1, times.length - 1].map((index) =>
    (times.toSorted((a, b) => a - b)[index]! / 1000).toFixed(1),
  );
  console.log(
    `lease ${lease}, tail of ${tail.toLocaleString('en')} alerts: first page after ${median} s (${least} to ${most})`,
  );
}
