import { describe, expect, test } from 'vitest';
import type { Incident, RecallEffect } from '../../src/incident/index.ts';
import { Scene, type AlertText } from '../correlate/scene.ts';

const shop = [
  { name: 'web', tier: 1, sla: 99.95, depends_on: ['checkout'] },
  { name: 'checkout', tier: 1, depends_on: ['payments-db'] },
  { name: 'payments-db', tier: 2 },
  { name: 'wiki', tier: 4 },
];

const alert = (alertname: string, labels: Record<string, string> = {}): AlertText => ({
  labels: { alertname, ...labels },
});
const disk = alert('DiskWillFill', { service: 'payments-db', severity: 'warning' });
const slow = alert('HighLatency', { service: 'checkout', severity: 'critical' });
const errors = alert('ErrorRateHigh', { service: 'web', severity: 'critical' });
const acknowledge = (incidentId: string) =>
  ({ kind: 'incident.acknowledge', body: { incidentId, comment: '' } }) as const;

async function createCascade(): Promise<Scene> {
  const scene = await Scene.create({ services: shop });
  await scene.fire(0, disk);
  await scene.fire(30, slow);
  await scene.fire(45, errors);
  return scene;
}

function revisionsOf(scene: Scene, id: string): Incident[] {
  return scene.frames.flatMap(({ flow }) => flow.incidents).filter((incident) => incident.id === id);
}

function recallsOf(scene: Scene): RecallEffect[] {
  return scene.frames
    .flatMap(({ effects }) => effects)
    .filter(({ kind }) => kind === 'recall') as RecallEffect[];
}

describe('the finding', () => {
  test('a cascade is one incident with the database as its probable cause, told in one line', async () => {
    const incident = (await createCascade()).triage.incident('INC-1');
    expect(incident).toMatchObject({
      state: 'open',
      title: 'payments-db: DiskWillFill, and 2 more signals on 3 services',
      severity: 'critical',
      priority: 'P1',
      category: 'capacity',
      services: ['payments-db', 'checkout', 'web'],
      signalCount: 3,
    });
    const [cause] = incident?.probableCauses ?? [];
    expect(cause?.text).toBe('DiskWillFill');
    expect(cause?.reasons.map(({ text }) => text)).toEqual(
      expect.arrayContaining(['the first signal', 'checkout, web depend on payments-db']),
    );
  });

  test('each point of the priority is a reason, and together they make the priority', async () => {
    const { reasons = [], priority } = (await createCascade()).triage.incident('INC-1') ?? {};
    const points = reasons.filter(({ code }) =>
      [
        'severity',
        'service_tier',
        'unknown_tier',
        'sla',
        'services',
        'environment',
        'unknown_environment',
      ].includes(code),
    );
    expect(points.map(({ text, weight }) => [text, weight])).toEqual([
      ['severity critical', 40],
      ['checkout is tier 1', 30],
      ['web promises 99.95 %', 10],
      ['3 services affected', 5],
      ['no environment is named', 5],
    ]);
    expect(priority).toBe('P1');
  });

  test('a service that nobody would miss, outside of production, ranks low however loud it is', async () => {
    const scene = await Scene.create({ services: shop });
    await scene.fire(0, alert('PodCrashLooping', { service: 'wiki', severity: 'critical', env: 'staging' }));
    expect(scene.triage.incident('INC-1')).toMatchObject({ priority: 'P5', category: 'deploy' });
  });

  test.each([
    ['prod', 10],
    ['Production', 10],
    ['eu-prod-1', 10],
    ['live.eu', 10],
    ['staging', -30],
    ['pre-prod', -30],
    ['non-production', -30],
    ['dev2/prod-like-dev', -30],
    ['blue', 5],
    ['product', 5],
  ])('an environment %s weighs %i', async (env, points) => {
    const scene = await Scene.create({ services: shop });
    await scene.fire(0, alert('PodCrashLooping', { service: 'wiki', severity: 'critical', env }));
    const { reasons = [] } = scene.triage.incident('INC-1') ?? {};
    expect(reasons.find(({ code }) => code.endsWith('environment'))?.weight).toBe(points);
  });

  test('what no sender ranks is more urgent when it is new, and less when it comes again and again', async () => {
    const scene = await Scene.create();
    for (let round = 0; round < 5; round++) {
      await scene.fire(round * 4000, alert('OddRequest', { host: `web-${round}` }));
    }
    const reasonsOf = (id: string): (string | undefined)[] =>
      scene.triage.incident(id)?.reasons.map(({ code }) => code) ?? [];
    expect(reasonsOf('INC-1')).toContain('new');
    expect(reasonsOf('INC-5')).toContain('routine');
    expect(scene.triage.incident('INC-1')!.priority < scene.triage.incident('INC-5')!.priority).toBe(true);
  });

  test('what says that something is broken is named before what is felt of it, though it came later', async () => {
    const scene = await Scene.create({ services: shop });
    await scene.fire(0, alert('HighLatency', { service: 'checkout' }));
    await scene.fire(5, alert('DiskFull', { service: 'payments-db' }));
    const [first] = scene.triage.incident('INC-1')?.probableCauses ?? [];
    expect(first?.text).toBe('DiskFull');
    expect(first?.reasons.map(({ code }) => code)).toContain('fault');
  });

  test('a single signal has no probable cause', async () => {
    const scene = await Scene.create();
    await scene.fire(0, disk);
    expect(scene.triage.incident('INC-1')?.probableCauses).toEqual([]);
    expect(scene.triage.incident('INC-1')?.title).toBe('payments-db: DiskWillFill');
  });

  test('nobody is named as the cause when nothing sets the signals apart', async () => {
    const scene = await Scene.create();
    await scene.fire(0, alert('One', { host: 'a' }), alert('Two', { host: 'a' }));
    expect(scene.triage.incident('INC-1')).toMatchObject({ signalCount: 2, probableCauses: [] });
  });

  test('words that say nothing make the category other, without confidence', async () => {
    const scene = await Scene.create();
    await scene.fire(0, alert('Zzyzx', { team: 'x' }));
    expect(scene.triage.incident('INC-1')).toMatchObject({ category: 'other' });
  });

  test('a rule overrules and says so', async () => {
    const rules = [
      {
        name: 'payments are always urgent',
        matchers: ['service=~"payments-.*"'],
        priority: 'P1',
        severity: 'error',
      },
      {
        name: 'later rules do not win',
        matchers: ['service="payments-db"'],
        priority: 'P5',
        category: 'database',
      },
    ];
    const scene = await Scene.create({ triage: { rules } });
    await scene.fire(0, disk);
    const incident = scene.triage.incident('INC-1');
    expect(incident).toMatchObject({ priority: 'P1', severity: 'error', category: 'database' });
    expect(incident?.reasons.slice(0, 2).map(({ text }) => text)).toEqual([
      'rule "payments are always urgent" sets priority P1, severity error',
      'rule "later rules do not win" sets category database',
    ]);
  });
});

describe('revisions', () => {
  test('count from 1 and are made only when a person would notice', async () => {
    const scene = await Scene.create();
    for (let i = 0; i < 60; i++) await scene.fire(i, alert(`Check${i}`, { host: 'db-7', severity: 'error' }));
    const revisions = revisionsOf(scene, 'INC-1');
    expect(revisions.map(({ revision }) => revision)).toEqual(revisions.map((_, index) => index + 1));
    expect(revisions.length).toBeLessThanOrEqual(12);
    expect(revisions.at(-1)?.signalCount).toBe(50);
  });

  test('follow the incident to its end', async () => {
    const scene = await createCascade();
    await scene.resolve(100, disk, slow, errors);
    expect(scene.triage.incident('INC-1')).toMatchObject({
      state: 'resolved',
      resolvedAtMs: expect.any(Number),
    });
    await scene.tick(100 + 25 * 3600);
    expect(scene.triage.incidents()).toEqual([]);
  });

  test('a merged incident says where it went and keeps what it was', async () => {
    const scene = await createCascade();
    await scene.fire(50, alert('TapeJam', { host: 'robot', severity: 'info' }));
    await scene.command(60, { kind: 'incident.merge', body: { intoId: 'INC-1', fromIds: ['INC-2'] } });
    expect(scene.triage.incident('INC-2')).toMatchObject({
      state: 'merged',
      mergedInto: 'INC-1',
      title: 'robot: TapeJam',
    });
    expect(scene.triage.incident('INC-1')).toMatchObject({ signalCount: 4, state: 'open' });
  });
});

describe('acknowledgement', () => {
  test('is kept while the incident grows, and ends when it reopens after its resolve', async () => {
    const scene = await createCascade();
    expect(await scene.command(50, { id: 'ack', ...acknowledge('INC-1') })).toMatchObject({ status: 'done' });
    await scene.fire(
      55,
      alert('PoolExhausted', { service: 'payments-db' }),
      alert('Slow', { service: 'web' }),
    );
    expect(scene.triage.incident('INC-1')).toMatchObject({ state: 'acknowledged', acknowledgedBy: 'ann' });
    expect(await scene.command(56, { id: 'ack', ...acknowledge('INC-1') })).toMatchObject({ status: 'done' });
    await scene.command(60, { kind: 'incident.resolve', body: { incidentId: 'INC-1', comment: '' } });
    await scene.resolve(61, disk);
    await scene.fire(70, disk);
    expect(scene.triage.incident('INC-1')).toMatchObject({ state: 'open', acknowledgedBy: null });
  });

  test('is refused for what is unknown, acknowledged, resolved or merged', async () => {
    const scene = await createCascade();
    expect(await scene.command(50, acknowledge('INC-5'))).toMatchObject({ code: 'not_found' });
    await scene.command(51, acknowledge('INC-1'));
    expect(await scene.command(52, acknowledge('INC-1'))).toMatchObject({ code: 'conflict' });
    await scene.resolve(60, disk, slow, errors);
    expect(await scene.command(61, acknowledge('INC-1'))).toMatchObject({
      status: 'refused',
      code: 'conflict',
      message: 'INC-1 is resolved already',
    });
  });
});

describe('recall', () => {
  const done = { status: 'done' } as const;
  const past = {
    incidentId: 'INC-0',
    title: 'payments-db: DiskWillFill',
    similarity: 0.9,
    openedAtMs: 1,
    resolvedAtMs: 2,
    priority: 'P2',
    shared: ['payments-db'],
  } as const;

  test('is asked when an incident opens and each time its signals have doubled', async () => {
    const scene = await Scene.create({ triage: { similar_incidents_from: 'P5' } });
    for (let i = 0; i < 9; i++) await scene.fire(i, alert(`Check${i}`, { host: 'db-7' }));
    expect(recallsOf(scene).map(({ id }) => id)).toEqual([1, 2, 3, 4].map((n) => `recall/INC-1/${n}`));
    expect(recallsOf(scene).map(({ payload }) => payload.signatures.length)).toEqual([1, 1, 1, 1]);
    expect(recallsOf(scene)[0]?.payload).toMatchObject({ incidentId: 'INC-1', domain: 'main', limit: 5 });
  });

  test('is not asked for incidents that are less urgent than triage.similar_incidents_from', async () => {
    const scene = await Scene.create();
    await scene.fire(0, alert('Check', { host: 'db-7', severity: 'info' }));
    expect(recallsOf(scene)).toEqual([]);
  });

  test('its answer becomes a revision; one that comes late does not undo a newer one', async () => {
    const scene = await createCascade();
    await scene.fact(50, {
      effectId: 'recall/INC-1/2',
      kind: 'recall',
      outcome: { ...done, result: { similar: [past], historyMissing: false } },
    });
    expect(scene.triage.incident('INC-1')?.similar).toEqual([past]);
    const { revision } = scene.triage.incident('INC-1') ?? {};
    await scene.fact(51, {
      effectId: 'recall/INC-1/1',
      kind: 'recall',
      outcome: { ...done, result: { similar: [], historyMissing: false } },
    });
    expect(scene.triage.incident('INC-1')).toMatchObject({ similar: [past], revision });
  });

  test('its failure is said, so that no similar incident means something', async () => {
    const scene = await createCascade();
    const outcome = { status: 'failed', code: 'TOC_X', message: 'no history' } as const;
    await scene.fact(50, { effectId: 'recall/INC-1/1', kind: 'recall', outcome });
    expect(scene.triage.incident('INC-1')).toMatchObject({ similar: [], historyMissing: true });
  });

  test('is not asked when the operator wants none', async () => {
    const scene = await Scene.create({ triage: { similar_incidents: 0 } });
    await scene.fire(0, disk);
    expect(recallsOf(scene)).toEqual([]);
  });
});
