import { describe, expect, test } from 'vitest';
import { Scene, signalIdOf, type AlertText } from './scene.ts';

const shop = [
  { name: 'web', tier: 1, depends_on: ['checkout', 'search'] },
  { name: 'checkout', tier: 1, depends_on: ['payments-db'] },
  { name: 'search', tier: 2, depends_on: ['search-index'] },
  { name: 'payments-db', tier: 2 },
  { name: 'search-index', tier: 3 },
];

const alert = (alertname: string, labels: Record<string, string> = {}, text?: string): AlertText => ({
  labels: { alertname, ...labels },
  ...(text === undefined ? {} : { text }),
});

describe('what belongs together', () => {
  test('a cascade along the calls of the catalog becomes one incident', async () => {
    const scene = await Scene.create({ services: shop });
    const disk = alert('DiskWillFill', { service: 'payments-db' });
    const slow = alert('HighLatency', { service: 'checkout' });
    const errors = alert('ErrorRateHigh', { service: 'web' });
    await scene.fire(0, disk);
    await scene.fire(40, slow);
    await scene.fire(75, errors);
    expect(new Set([disk, slow, errors].map((each) => scene.incidentOf(each)))).toEqual(new Set(['INC-1']));
    const link = scene.correlate.candidate('INC-1')?.links[0];
    expect(link?.reasons.map((reason) => reason.text)).toContain('checkout calls payments-db (1 hop)');
    expect(link?.reasons.map((reason) => reason.text)).toContain('within 40 s');
  });

  test('two outages at once in parts of the catalog that do not touch stay apart', async () => {
    const services = [
      { name: 'a-db' },
      { name: 'a-api', depends_on: ['a-db'] },
      { name: 'b-db' },
      { name: 'b-api', depends_on: ['b-db'] },
    ];
    const scene = await Scene.create({ services });
    const cluster = { cluster: 'eu-1' };
    await scene.fire(0, alert('DiskWillFill', { service: 'a-db', ...cluster }));
    await scene.fire(1, alert('ReplicationStopped', { service: 'b-db', ...cluster }));
    await scene.fire(5, alert('HighLatency', { service: 'a-api', ...cluster }));
    await scene.fire(6, alert('ErrorRateHigh', { service: 'b-api', ...cluster }));
    const members = scene.correlate.candidates().map((candidate) => candidate.signalIds.length);
    expect(members).toEqual([2, 2]);
    expect(scene.incidentOf(alert('HighLatency', { service: 'a-api', ...cluster }))).toBe('INC-1');
    expect(scene.incidentOf(alert('ErrorRateHigh', { service: 'b-api', ...cluster }))).toBe('INC-2');
  });

  test('a label that all alerts share glues nothing together', async () => {
    const scene = await Scene.create();
    for (let i = 0; i < 60; i++) {
      const name = `Check${String.fromCharCode(65 + (i % 26))}${i}`;
      await scene.fire(
        i * 90,
        alert(name, { host: `host-${i}`, cluster: 'prod', region: 'eu', monitor: 'main' }),
      );
    }
    expect(scene.correlate.candidates().every((candidate) => candidate.signalIds.length === 1)).toBe(true);
  });

  test('alerts of one machine within seconds become one incident, and say how rare the machine is', async () => {
    const scene = await Scene.create();
    for (let i = 0; i < 40; i++)
      await scene.fire(i * 600, alert(`Check${i}`, { host: `host-${i}`, cluster: 'prod' }));
    await scene.fire(30_000, alert('RaidDegraded', { host: 'db-7', cluster: 'prod' }));
    await scene.fire(30_003, alert('SwapFull', { host: 'db-7', cluster: 'prod' }));
    const incident = scene.correlate.candidateOfSignal(
      signalIdOf(alert('SwapFull', { host: 'db-7', cluster: 'prod' })),
    );
    expect(incident?.signalIds).toHaveLength(2);
    expect(incident?.links[0]?.reasons[0]?.text).toBe('shares host=db-7 (in 2.4 % of signals)');
  });

  test('the same evidence hours later opens another incident', async () => {
    const scene = await Scene.create({ services: shop });
    await scene.fire(0, alert('DiskWillFill', { service: 'payments-db' }));
    await scene.fire(7200, alert('HighLatency', { service: 'checkout' }));
    expect(scene.incidentOf(alert('HighLatency', { service: 'checkout' }))).toBe('INC-2');
  });

  test('nothing is joined across domains', async () => {
    const scene = await Scene.create({ services: shop });
    await scene.fire(0, { ...alert('DiskWillFill', { service: 'payments-db' }), domain: 'acme' });
    await scene.fire(1, { ...alert('HighLatency', { service: 'checkout' }), domain: 'globex' });
    expect(scene.correlate.candidates().map(({ domain }) => domain)).toEqual(['acme', 'globex']);
  });

  test('a signal that belongs to two incidents makes them one, and the older one stays', async () => {
    const scene = await Scene.create({ services: shop });
    await scene.fire(0, alert('DiskWillFill', { service: 'payments-db' }));
    await scene.fire(1, alert('ErrorRateHigh', { service: 'search' }));
    expect(scene.correlate.candidates()).toHaveLength(2);
    await scene.fire(2, alert('QueueFull', { service: 'checkout' }), alert('Slow', { service: 'web' }));
    const [first, second] = scene.correlate.candidates();
    expect(first).toMatchObject({ id: 'INC-1', state: 'open' });
    expect(second).toMatchObject({ id: 'INC-2', state: 'merged', mergedInto: 'INC-1', signalIds: [] });
    expect(first?.signalIds).toHaveLength(4);
  });
});

describe('what is told as events', () => {
  const scan = { ...alert('BadRequest', { host: 'web-1' }), isEvent: true };
  const probe = { ...alert('OddCharacters', { host: 'web-1' }), isEvent: true };

  test('two bursts on one machine with a pause between them that is long for them are two incidents', async () => {
    const scene = await Scene.create();
    for (let i = 0; i < 40; i++) await scene.fire(i, alert(`Check${i}`, { host: `host-${i}` }));
    for (let i = 0; i < 40; i++) await scene.fire(100 + i * 0.1, scan, probe);
    const first = scene.incidentOf(scan);
    expect(scene.incidentOf(probe)).toBe(first);
    for (let i = 0; i < 40; i++) await scene.fire(600 + i * 0.1, scan, probe);
    expect(scene.incidentOf(scan)).not.toBe(first);
    expect(scene.incidentOf(probe)).toBe(scene.incidentOf(scan));
    expect(scene.correlate.candidate(first ?? '')?.state).toBe('resolved');
  });

  test('what comes each minute stays one incident', async () => {
    const scene = await Scene.create();
    for (let i = 0; i < 30; i++) await scene.fire(i * 60, scan);
    expect(scene.correlate.candidates()).toHaveLength(1);
  });
});

describe('the life of an incident', () => {
  const disk = alert('DiskWillFill', { service: 'payments-db' });

  test('it resolves with its last signal and reopens when the signal returns soon', async () => {
    const scene = await Scene.create({ services: shop });
    const slow = alert('HighLatency', { service: 'checkout' });
    await scene.fire(0, disk, slow);
    await scene.resolve(60, disk);
    expect(scene.correlate.candidate('INC-1')?.state).toBe('open');
    await scene.resolve(61, slow);
    expect(scene.correlate.candidate('INC-1')).toMatchObject({
      state: 'resolved',
      resolvedAtMs: expect.any(Number),
    });
    await scene.fire(200, disk);
    expect(scene.correlate.candidate('INC-1')).toMatchObject({ state: 'open', resolvedAtMs: null });
    expect(scene.frames.at(-1)?.flow.candidateChanges.map(({ change }) => change)).toEqual(['reopened']);
  });

  test('a signal that returns late opens a new incident, and belongs to that one only', async () => {
    const scene = await Scene.create({ correlate: { reopen_window: '5m' } });
    await scene.fire(0, disk);
    await scene.resolve(60, disk);
    await scene.fire(900, disk);
    expect(scene.incidentOf(disk)).toBe('INC-2');
    expect(scene.correlate.candidate('INC-1')?.state).toBe('resolved');
  });

  test('it closes when nothing has changed for max_idle', async () => {
    const scene = await Scene.create({ correlate: { max_idle: '2h' } });
    await scene.fire(0, disk);
    await scene.tick(7199);
    expect(scene.correlate.candidate('INC-1')?.state).toBe('open');
    await scene.tick(7201);
    expect(scene.correlate.candidate('INC-1')?.state).toBe('resolved');
  });

  test('it is forgotten, with its signals, when its retention is over', async () => {
    const scene = await Scene.create({ correlate: { retention: '1h' } });
    await scene.fire(0, disk);
    await scene.resolve(60, disk);
    await scene.tick(3700);
    expect(scene.correlate.candidates()).toEqual([]);
    expect(scene.incidentOf(disk)).toBeUndefined();
  });

  test('a full incident is continued by others, so that a storm never becomes a crowd of lone incidents', async () => {
    const scene = await Scene.create({ services: shop, correlate: { max_signals: 10 } });
    for (let i = 0; i < 45; i++) await scene.fire(i, alert(`Check${i}`, { service: 'checkout' }));
    const candidates = scene.correlate.candidates();
    expect(candidates.map(({ signalIds }) => signalIds.length)).toEqual([10, 10, 10, 10, 5]);
    expect(candidates[1]?.reasons[0]?.text).toBe('continues INC-1, which is full');
  });
});
