import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { freePort } from '../support/port.ts';
import {
  settledPages,
  startReceiver,
  startTocsin,
  type RecordingReceiver,
  type TocsinProcess,
} from '../support/tocsin.ts';

let folder: string;
let receiver: RecordingReceiver;
let ports: number[];
let running: TocsinProcess[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tocsin-cluster-'));
  receiver = await startReceiver();
  ports = [await freePort(), await freePort(), await freePort()];
  running = [];
});
afterEach(async () => {
  for (const { child, exited } of running) {
    child.kill('SIGKILL');
    await exited;
  }
  await receiver.close();
  await rm(folder, { recursive: true, force: true });
});

/** Starts the member `index` of a cluster with `peers`, by default all. */
async function start(
  index: number,
  peers: readonly number[] = [0, 1, 2],
  groupWait = '300ms',
): Promise<TocsinProcess> {
  const config = join(folder, `${index}.yml`);
  await writeFile(
    config,
    `route: { receiver: web, group_by: [alertname], group_wait: ${groupWait}, group_interval: 1s }
receivers: [{ name: web, webhook_configs: [{ url: "${receiver.url}" }] }]
cluster:
  listen: 127.0.0.1:${ports[index]}
  peers: [${peers.map((peer) => `'127.0.0.1:${ports[peer]}'`).join(', ')}]
`,
  );
  const data = join(folder, `data-${index}`);
  const member = await startTocsin('serve', '--config', config, '--data', data, '--listen', '127.0.0.1:0');
  running.push(member);
  return member;
}

async function startThree(groupWait?: string): Promise<[TocsinProcess, TocsinProcess, TocsinProcess]> {
  const all = [0, 1, 2];
  const leader = await start(0, all, groupWait);
  return [leader, ...(await Promise.all([start(1, all, groupWait), start(2, all, groupWait)]))];
}

async function post({ url }: TocsinProcess, ...names: string[]): Promise<number> {
  const body = JSON.stringify(names.map((alertname) => ({ labels: { alertname } })));
  const headers = { 'content-type': 'application/json' };
  return (await fetch(`${url}/api/v2/alerts`, { method: 'POST', headers, body })).status;
}

async function get<T>({ url }: TocsinProcess, path: string): Promise<T> {
  return (await (await fetch(url + path)).json()) as T;
}

async function namesAt(member: TocsinProcess): Promise<string[]> {
  const alerts = await get<{ labels: { alertname: string } }[]>(member, '/api/v2/alerts');
  return alerts.map(({ labels }) => labels.alertname).toSorted();
}

/** Resolves once the member shows what `path` shows at `other`. */
async function shows<T>(member: TocsinProcess, path: string, isRight: (shown: T) => boolean): Promise<T> {
  for (;;) {
    const shown = await get<T>(member, path);
    if (isRight(shown)) return shown;
  }
}

const nameOf = (page: { readonly body: Record<string, unknown> }): string =>
  (page.body['groupLabels'] as { alertname: string }).alertname;

const paged = (name: string): Promise<unknown> => receiver.page((page) => nameOf(page) === name);

test('each report goes to all members, as Prometheus sends it: it is kept once, and paged once', async () => {
  const members = await startThree();
  for (const name of ['disk full', 'slow']) {
    expect(await Promise.all(members.map((member) => post(member, name)))).toEqual([200, 200, 200]);
    await paged(name);
  }
  await settledPages(members[0], receiver);
  expect(receiver.received.map(nameOf)).toEqual(['disk full', 'slow']);
  for (const member of members) {
    await shows<unknown[]>(member, '/api/v2/alerts', (alerts) => alerts.length === 2);
    const { cluster } = await get<{ cluster: { status: string; peers: unknown[] } }>(
      member,
      '/api/v2/status',
    );
    expect([cluster.status, cluster.peers.length]).toEqual(['ready', 3]);
  }
  const metrics = await (await fetch(`${members[0].url}/metrics`)).text();
  expect(metrics).toMatch(/^tocsin_alerts_received_total\{.*\} 2$/m);
});

test('a silence that any member is given is in force at all of them, and can be read where it was given', async () => {
  const [leader, second, third] = await startThree();
  const response = await fetch(`${third.url}/api/v2/silences`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      matchers: [{ name: 'alertname', value: 'noise', isRegex: false }],
      startsAt: new Date().toISOString(),
      endsAt: new Date(Date.now() + 3_600_000).toISOString(),
      createdBy: 'ann',
      comment: 'known',
    }),
  });
  const { silenceID } = (await response.json()) as { silenceID: string };
  expect(await get(third, `/api/v2/silence/${silenceID}`)).toMatchObject({ status: { state: 'active' } });
  for (const member of [leader, second])
    await shows<{ id: string }[]>(member, '/api/v2/silences', ([first]) => first?.id === silenceID);
  await post(second, 'noise');
  await post(leader, 'fire');
  await paged('fire');
  expect(receiver.received.map(nameOf)).toEqual(['fire']);
});

test('the leader is killed while groups wait: the next one pages each of them once, and nothing again', async () => {
  const [leader, second, third] = await startThree();
  await post(second, 'before');
  await paged('before');
  const told = await settledPages(leader, receiver);
  expect(told).toHaveLength(1);
  const names = Array.from({ length: 20 }, (_, index) => `alert ${index}`);
  await post(third, ...names);
  leader.child.kill('SIGKILL');
  // Nobody leads for a moment: whoever is asked meanwhile waits.
  expect(await Promise.all([post(second, 'during'), post(third, 'during')])).toEqual([200, 200]);
  await Promise.all([...names, 'during'].map(paged));

  const back = await start(0);
  await post(back, 'after');
  await paged('after');
  expect(receiver.received.map(nameOf).toSorted()).toEqual(
    ['after', 'before', 'during', ...names].toSorted(),
  );
  expect(await namesAt(back)).toEqual(await namesAt(second));
}, 60_000);

test('a leader that stood still learns that it was replaced before it pages anybody', async () => {
  // Its pages are due while it stands still.
  const [leader, second, third] = await startThree('3s');
  await post(leader, 'one', 'two');
  leader.child.kill('SIGSTOP');
  await Promise.race([second.says(/leads its cluster/), third.says(/leads its cluster/)]);
  await Promise.all([paged('one'), paged('two')]);
  leader.child.kill('SIGCONT');
  await leader.says(/begins anew as its follower/);
  await leader.says(/follows the leader[\s\S]*answers at/);
  await post(second, 'three');
  await paged('three');
  expect(receiver.received.map(nameOf).toSorted()).toEqual(['one', 'three', 'two']);
}, 60_000);

test('two that were strangers become a cluster: what only one knew is known to both', async () => {
  const one = await start(0, []);
  let other = await start(1, []);
  await post(one, 'at one');
  await post(other, 'at the other', 'again at the other');
  await Promise.all(['at one', 'at the other', 'again at the other'].map(paged));
  const response = await fetch(`${other.url}/api/v2/silences`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      matchers: [{ name: 'alertname', value: 'at the other', isRegex: false }],
      startsAt: new Date().toISOString(),
      endsAt: new Date(Date.now() + 3_600_000).toISOString(),
      createdBy: 'ann',
      comment: 'known',
    }),
  });
  const { silenceID } = (await response.json()) as { silenceID: string };
  other.child.kill('SIGTERM');
  expect(await other.exited).toBe(0);
  other = await start(1);
  const all = ['again at the other', 'at one', 'at the other'];
  for (const member of [one, other]) {
    await shows<unknown[]>(member, '/api/v2/alerts', (alerts) => alerts.length === 3);
    expect(await namesAt(member)).toEqual(all);
    await shows<{ id: string }[]>(member, '/api/v2/silences', ([first]) => first?.id === silenceID);
  }
}, 60_000);
