import { describe, expect, test } from 'vitest';
import { Scene, signalIdOf, type AlertText } from './scene.ts';

const services = [
  { name: 'checkout', depends_on: ['payments-db'] },
  { name: 'payments-db' },
  { name: 'mail' },
];
const disk: AlertText = { labels: { alertname: 'DiskWillFill', service: 'payments-db' } };
const slow: AlertText = { labels: { alertname: 'HighLatency', service: 'checkout' } };
const queue: AlertText = { labels: { alertname: 'QueueGrows', service: 'mail' } };

const merge = (intoId: string, ...fromIds: string[]) =>
  ({ kind: 'incident.merge', body: { intoId, fromIds } }) as const;
const split = (incidentId: string, ...alerts: AlertText[]) =>
  ({ kind: 'incident.split', body: { incidentId, signalIds: alerts.map(signalIdOf) } }) as const;
const undo = (commandId: string) => ({ kind: 'incident.undo', body: { commandId } }) as const;
const resolve = (incidentId: string, comment = '') =>
  ({ kind: 'incident.resolve', body: { incidentId, comment } }) as const;

/** INC-1 with the disk and the latency, INC-2 with the queue. */
async function createTwoIncidents(): Promise<Scene> {
  const scene = await Scene.create({ services });
  await scene.fire(0, disk);
  await scene.fire(5, slow);
  await scene.fire(10, queue);
  expect([disk, slow, queue].map((each) => scene.incidentOf(each))).toEqual(['INC-1', 'INC-1', 'INC-2']);
  return scene;
}

describe('merge', () => {
  test('moves all signals, and later ones of either incident go to the merged one', async () => {
    const scene = await createTwoIncidents();
    const answer = await scene.command(20, merge('INC-1', 'INC-2'));
    expect(answer).toEqual({ status: 'done', result: { incidentId: 'INC-1', merged: ['INC-2'] } });
    expect(scene.correlate.candidate('INC-1')?.signalIds).toHaveLength(3);
    const bounce: AlertText = { labels: { alertname: 'BounceRate', service: 'mail' } };
    await scene.fire(21, bounce);
    expect(scene.incidentOf(bounce)).toBe('INC-1');
    const told = scene.frames
      .flatMap(({ flow }) => flow.candidateChanges)
      .filter(({ change }) => change === 'merged');
    expect(told.map(({ candidate }) => [candidate.id, candidate.state])).toEqual([
      ['INC-2', 'merged'],
      ['INC-1', 'open'],
    ]);
  });

  test('is refused with the reason when it makes no sense', async () => {
    const scene = await createTwoIncidents();
    await scene.fire(11, { ...disk, domain: 'other' });
    const codes: unknown[] = [];
    const commands = [
      merge('INC-9', 'INC-1'),
      merge('INC-1', 'INC-9'),
      merge('INC-1'),
      merge('INC-1', 'INC-1'),
      merge('INC-1', 'INC-3'),
    ];
    for (const command of commands) codes.push(await scene.command(12, command));
    expect(codes).toEqual([
      { status: 'refused', code: 'not_found', message: 'there is no incident INC-9' },
      { status: 'refused', code: 'not_found', message: 'there is no incident INC-9' },
      { status: 'refused', code: 'invalid', message: 'no incident is named' },
      { status: 'refused', code: 'invalid', message: 'INC-1 cannot be merged into itself' },
      { status: 'refused', code: 'invalid', message: 'INC-3 and INC-1 are of different domains' },
    ]);
    await scene.command(13, merge('INC-1', 'INC-2'));
    expect(await scene.command(14, merge('INC-2', 'INC-1'))).toMatchObject({ code: 'conflict' });
  });

  test('sent twice it is carried out once', async () => {
    const scene = await createTwoIncidents();
    const first = await scene.command(20, { id: 'same', ...merge('INC-1', 'INC-2') });
    expect(await scene.command(21, { id: 'same', ...merge('INC-1', 'INC-2') })).toEqual(first);
  });

  test('taken back it leaves in place what came later, and is not made again by itself', async () => {
    const scene = await createTwoIncidents();
    await scene.command(20, { id: 'm', ...merge('INC-1', 'INC-2') });
    const later: AlertText = { labels: { alertname: 'CpuHigh', service: 'checkout' } };
    await scene.fire(21, later);
    expect(await scene.command(22, undo('m'))).toEqual({ status: 'done', result: { commandId: 'm' } });
    expect(scene.correlate.candidate('INC-1')?.signalIds).toEqual([disk, slow, later].map(signalIdOf));
    expect(scene.correlate.candidate('INC-2')).toMatchObject({
      state: 'open',
      mergedInto: null,
      signalIds: [signalIdOf(queue)],
    });
    expect(await scene.command(23, undo('m'))).toMatchObject({ status: 'refused', code: 'conflict' });
  });

  test('cannot be taken back once its result has been merged on, and says what to do', async () => {
    const scene = await createTwoIncidents();
    await scene.fire(11, { labels: { alertname: 'TapeJam', host: 'robot' } });
    await scene.command(20, { id: 'm', ...merge('INC-2', 'INC-1') });
    await scene.command(21, merge('INC-3', 'INC-2'));
    expect(await scene.command(22, undo('m'))).toEqual({
      status: 'refused',
      code: 'conflict',
      message: 'INC-2 has been merged into INC-3 since: take that back first',
    });
  });
});

describe('split', () => {
  test('takes the signals out into a new incident, and the two are never joined again by themselves', async () => {
    const scene = await createTwoIncidents();
    const answer = await scene.command(20, split('INC-1', slow));
    expect(answer).toEqual({ status: 'done', result: { incidentId: 'INC-1', newIncidentId: 'INC-3' } });
    expect([disk, slow].map((each) => scene.incidentOf(each))).toEqual(['INC-1', 'INC-3']);
    await scene.fire(21, { labels: { alertname: 'ConnectionsExhausted', service: 'payments-db' } });
    await scene.fire(22, { labels: { alertname: 'ErrorRateHigh', service: 'checkout' } });
    await scene.resolve(30, slow);
    await scene.fire(40, slow);
    expect(['INC-1', 'INC-3'].map((id) => scene.correlate.candidate(id)?.state)).toEqual(['open', 'open']);
    expect(scene.incidentOf(slow)).toBe('INC-3');
  });

  test('taken back it gives the former incident', async () => {
    const scene = await createTwoIncidents();
    const before = scene.correlate.candidate('INC-1');
    await scene.command(20, { id: 's', ...split('INC-1', disk) });
    await scene.command(21, undo('s'));
    const { signalIds, links, state } = scene.correlate.candidate('INC-1') ?? {};
    expect({ signalIds, links, state }).toEqual({
      signalIds: before?.signalIds,
      links: before?.links,
      state: 'open',
    });
    expect(scene.correlate.candidate('INC-3')).toMatchObject({ state: 'merged', mergedInto: 'INC-1' });
  });

  test('is refused when a signal is not a member, or when nothing would be left', async () => {
    const scene = await createTwoIncidents();
    expect(await scene.command(20, split('INC-1', queue))).toMatchObject({
      status: 'refused',
      code: 'not_found',
    });
    expect(await scene.command(20, split('INC-1'))).toMatchObject({ status: 'refused', code: 'invalid' });
    expect(await scene.command(20, split('INC-1', disk, slow))).toMatchObject({
      status: 'refused',
      code: 'invalid',
    });
    expect(await scene.command(20, split('INC-7', disk))).toMatchObject({
      status: 'refused',
      code: 'not_found',
    });
  });
});

describe('resolve', () => {
  test('closes an incident that still fires, says who did it, and can be taken back', async () => {
    const scene = await createTwoIncidents();
    await scene.command(20, { id: 'r', ...resolve('INC-1', 'false alarm') });
    const resolved = scene.correlate.candidate('INC-1');
    expect(resolved?.state).toBe('resolved');
    expect(resolved?.reasons.at(-1)?.text).toBe('resolved by ann: false alarm');
    expect(await scene.command(21, resolve('INC-1'))).toMatchObject({ status: 'refused', code: 'conflict' });
    expect(await scene.command(22, undo('r'))).toMatchObject({ status: 'done' });
    expect(scene.correlate.candidate('INC-1')?.state).toBe('open');
  });

  test('an unknown command cannot be taken back', async () => {
    const scene = await createTwoIncidents();
    expect(await scene.command(20, undo('nothing'))).toMatchObject({ status: 'refused', code: 'not_found' });
  });
});
