import { afterAll, beforeAll, expect, test } from 'vitest';
import { partitionOf } from '../../src/engine/index.ts';
import { FleetScene, ledBy, report } from '../support/fleet.ts';
import type { TocsinProcess } from '../support/tocsin.ts';

const patience = { timeout: 20_000, interval: 100 };
/** Two of each test's own, in different partitions: alerts of one domain at one time are of one incident. */
function domainsOf(name: string): string[] {
  const names = Array.from({ length: 64 }, (_, index) => `${name.toLowerCase()}-${index}`);
  return [0, 1].map((partition) => names.find((domain) => partitionOf(domain, 2) === partition)!);
}

let scene: FleetScene;
let gateway: TocsinProcess;
let owners: TocsinProcess[];

beforeAll(async () => {
  scene = await FleetScene.open({ partitions: 2 });
  gateway = await scene.start('gateway');
  owners = [await scene.start('owner'), await scene.start('owner')];
});
afterAll(() => scene.close());

interface Answered {
  readonly status: number;
  readonly body: unknown;
  readonly retryAfter: string | null;
}

async function ask(process: TocsinProcess, path: string, init: RequestInit = {}): Promise<Answered> {
  const response = await fetch(`${process.url}${path}`, init);
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.startsWith('application/json') ?? false;
  return {
    status: response.status,
    body: isJson ? (JSON.parse(text) as unknown) : text,
    retryAfter: response.headers.get('retry-after'),
  };
}

const post = (process: TocsinProcess, path: string, body: unknown, key?: string): Promise<Answered> =>
  ask(process, path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(key === undefined ? {} : { 'idempotency-key': key }) },
    body: JSON.stringify(body),
  });

interface ShownAlert {
  readonly fingerprint: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly status: { readonly state: string; readonly silencedBy: readonly string[] };
}
const byName = (a: string, b: string): number => a.localeCompare(b);
interface ShownIncident {
  readonly id: string;
  readonly domain: string;
  readonly state: string;
}

async function alertsOf(process: TocsinProcess, name: string): Promise<ShownAlert[]> {
  const filter = encodeURIComponent(`alertname="${name}"`);
  const { status, body } = await ask(process, `/api/v2/alerts?filter=${filter}`);
  expect(status).toBe(200);
  return body as ShownAlert[];
}

/** The incidents of the alert of this name, one a domain, wherever they are asked for. */
async function incidentsOf(process: TocsinProcess, name: string): Promise<ShownIncident[]> {
  const found: ShownIncident[] = [];
  for (const { fingerprint } of await alertsOf(process, name)) {
    const { body } = await ask(process, `/api/v1/explain/${fingerprint}`);
    const { signal } = body as { signal: { incident: ShownIncident } | null };
    if (signal) found.push(signal.incident);
  }
  return found;
}

async function reported(name: string): Promise<void> {
  expect(await report(gateway, domainsOf(name), name)).toBe(200);
  await expect.poll(async () => (await alertsOf(gateway, name)).length, patience).toBe(2);
}

test('every process shows the alerts, groups and incidents of all partitions', async () => {
  await expect
    .poll(async () => (await Promise.all(owners.map(ledBy))).map(({ length }) => length), patience)
    .toEqual([1, 1]);
  const domains = domainsOf('Everywhere');
  await reported('Everywhere');
  for (const process of [gateway, ...owners]) {
    const alerts = await alertsOf(process, 'Everywhere');
    expect(alerts.map(({ labels }) => labels['domain']!).toSorted(byName)).toEqual(domains.toSorted(byName));
    const incidents = await incidentsOf(process, 'Everywhere');
    expect(incidents.map(({ domain }) => domain).toSorted(byName)).toEqual(domains.toSorted(byName));
    for (const { id } of incidents) {
      expect(await ask(process, `/api/v1/incidents/${id}`)).toMatchObject({ status: 200, body: { id } });
    }
    const { body: listed } = await ask(process, '/api/v1/incidents?limit=1000');
    expect((listed as ShownIncident[]).map(({ id }) => id)).toEqual(
      expect.arrayContaining(incidents.map(({ id }) => id)),
    );
    const filter = encodeURIComponent('alertname="Everywhere"');
    const { body: groups } = await ask(process, `/api/v2/alerts/groups?filter=${filter}`);
    expect(groups).toHaveLength(2);
    const { body: funnel } = await ask(process, '/api/v1/funnel');
    expect(funnel).toMatchObject({ alerts: 2, signals: 2 });
    const { body: integrations } = await ask(process, '/api/v1/integrations');
    expect(integrations).toMatchObject([{ receiver: 'web', integration: 'webhook[0]' }]);
    expect((await ask(process, '/api/v2/receivers')).body).toEqual([{ name: 'web' }]);
    expect((await ask(process, '/api/v1/incidents/INC-p7-1')).status).toBe(404);
    expect((await ask(process, '/api/v1/explain/nothing')).status).toBe(404);
  }
});

test('a silence is in force in all partitions when it is answered, and can be read, changed and ended anywhere', async () => {
  await reported('Quiet');
  const silence = {
    matchers: [{ name: 'alertname', value: 'Quiet', isRegex: false, isEqual: true }],
    startsAt: new Date().toISOString(),
    endsAt: new Date(Date.now() + 3_600_000).toISOString(),
    createdBy: 'alex',
    comment: 'known',
  };
  const created = await post(gateway, '/api/v2/silences', silence);
  expect(created.status).toBe(200);
  const { silenceID: id } = created.body as { silenceID: string };
  for (const process of [gateway, ...owners]) {
    const alerts = await alertsOf(process, 'Quiet');
    expect(alerts.map(({ status }) => status.silencedBy)).toEqual([[id], [id]]);
    const { body } = await ask(process, '/api/v2/silences');
    expect(body).toMatchObject([{ id, status: { state: 'active' }, comment: 'known' }]);
    expect((await ask(process, `/api/v2/silence/${id}`)).status).toBe(200);
  }
  const { startsAt } = (await ask(gateway, `/api/v2/silence/${id}`)).body as { startsAt: string };
  expect(
    await post(owners[0]!, '/api/v2/silences', { ...silence, id, startsAt, comment: 'worked on' }),
  ).toMatchObject({
    status: 200,
    body: { silenceID: id },
  });
  expect((await ask(owners[1]!, `/api/v2/silence/${id}`)).body).toMatchObject({ comment: 'worked on' });
  expect((await ask(owners[1]!, `/api/v2/silence/${id}`, { method: 'DELETE' })).status).toBe(200);
  expect((await alertsOf(gateway, 'Quiet')).map(({ status }) => status.state)).toEqual(['active', 'active']);
  expect((await ask(gateway, '/api/v2/silences')).body).toMatchObject([{ id, status: { state: 'expired' } }]);
});

test('commands on an incident are given anywhere, read their own write, and act once under one key', async () => {
  await reported('Broken');
  const [first, second] = await incidentsOf(gateway, 'Broken');
  for (const { id } of [first!, second!]) {
    const act = { by: 'alex', comment: 'on it' };
    const answers = [
      await post(gateway, `/api/v1/incidents/${id}/acknowledge`, act, `key-${id}`),
      await post(owners[0]!, `/api/v1/incidents/${id}/acknowledge`, act, `key-${id}`),
    ];
    expect(answers[0]).toMatchObject({ status: 200, body: { commandId: `key-${id}` } });
    expect(answers[1]).toEqual(answers[0]);
    for (const process of [gateway, ...owners]) {
      expect((await ask(process, `/api/v1/incidents/${id}`)).body).toMatchObject({ state: 'acknowledged' });
    }
  }
  const merge = await post(gateway, `/api/v1/incidents/${first!.id}/merge`, {
    by: 'alex',
    from: [second!.id],
  });
  expect(merge).toMatchObject({ status: 400, body: { code: 'invalid' } });
  expect(await post(gateway, '/api/v1/incidents/INC-9/resolve', { by: 'alex' })).toMatchObject({
    status: 404,
    body: { code: 'not_found', message: 'there is no incident INC-9' },
  });
});

test('a split is taken back through another process than made it', async () => {
  const names = ['HighErrorRate', 'SlowAnswers', 'DiskFull'];
  const labels = { service: 'cart', severity: 'critical', environment: 'prod', domain: 'cart' };
  const alerts = names.map((alertname) => ({ labels: { alertname, ...labels } }));
  expect((await post(gateway, '/api/v2/alerts', alerts)).status).toBe(200);
  const filter = encodeURIComponent('service="cart"');
  await expect
    .poll(async () => (await ask(gateway, `/api/v2/alerts?filter=${filter}`)).body, patience)
    .toHaveLength(3);
  const [incident] = await incidentsOf(gateway, 'DiskFull');
  const detail = (await ask(gateway, `/api/v1/incidents/${incident!.id}`)).body as {
    signals: { id: string }[];
  };
  expect(detail.signals).toHaveLength(3);
  const split = await post(owners[0]!, `/api/v1/incidents/${incident!.id}/split`, {
    by: 'alex',
    signals: [detail.signals[0]!.id],
  });
  const { commandId } = split.body as { commandId: string };
  expect((await ask(gateway, `/api/v1/incidents/${incident!.id}`)).body).toMatchObject({ signalCount: 2 });
  expect((await post(owners[1]!, `/api/v1/commands/${commandId}/undo`, { by: 'alex' })).status).toBe(200);
  expect((await ask(gateway, `/api/v1/incidents/${incident!.id}`)).body).toMatchObject({ signalCount: 3 });
  expect((await post(gateway, '/api/v1/commands/unheard/undo', { by: 'alex' })).status).toBe(404);
});

test('what is asked while an owner is killed is answered by the next; while there is none, it is said', async () => {
  const domains = domainsOf('Lasting');
  await reported('Lasting');
  const [incident] = await incidentsOf(gateway, 'Lasting');
  owners[0]!.child.kill('SIGKILL');
  expect(
    (await alertsOf(gateway, 'Lasting')).map(({ labels }) => labels['domain']!).toSorted(byName),
  ).toEqual(domains.toSorted(byName));
  owners[1]!.child.kill('SIGKILL');
  const acknowledge = post(gateway, `/api/v1/incidents/${incident!.id}/acknowledge`, { by: 'alex' }, 'once');
  const [read, written] = await Promise.all([ask(gateway, '/api/v1/incidents'), acknowledge]);
  for (const answer of [read, written])
    expect(answer).toMatchObject({ status: 503, retryAfter: '1', body: { code: 'TOC_PARTITION_UNOWNED' } });
  owners = [await scene.start('owner')];
  await expect
    .poll(async () => (await ask(gateway, `/api/v1/incidents/${incident!.id}`)).body, patience)
    .toMatchObject({ state: 'acknowledged' });
  expect(
    await post(gateway, `/api/v1/incidents/${incident!.id}/acknowledge`, { by: 'alex' }, 'once'),
  ).toMatchObject({
    status: 200,
    body: { commandId: 'once' },
  });
});
