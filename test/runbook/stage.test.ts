import { beforeEach, describe, expect, test } from 'vitest';
import type { HttpStepEffect } from '../../src/incident/index.ts';
import { Scene } from './scene.ts';

const freeDisk = {
  name: 'free-disk',
  description: 'A database runs out of disk.',
  matchers: ['category=~"capacity|database"', 'alertname="DiskFull"'],
  steps: [
    { name: 'look', kind: 'http', url: 'http://127.0.0.1:9099/disk/{{ incident.service }}' },
    {
      name: 'clean',
      kind: 'http',
      method: 'POST',
      url: 'http://127.0.0.1:9099/clean?volume={{ labels.mountpoint }}',
      body: '{"incident":"{{ incident.id }}","volume":"{{ labels.mountpoint }}"}',
    },
    { name: 'verify', kind: 'manual', instruction: 'Place a test order.' },
  ],
};

const diskLabels = { alertname: 'DiskFull', service: 'payments-db', mountpoint: '/var/lib & "wal"' };

let scene: Scene;

beforeEach(async () => {
  scene = new Scene();
  await scene.configure({ catalog: [freeDisk] });
  await scene.incident({ id: 'INC-1' }, diskLabels);
});

const start = () => scene.command('runbook.start', { incidentId: 'INC-1', runbook: 'free-disk' });

describe('a run from start to end', () => {
  test('goes step by step: a reading request at once, a changing one after approval, a manual one by a person', async () => {
    expect(await start()).toMatchObject({
      status: 'done',
      result: { run: { id: 'run-1', state: 'running' } },
    });
    expect(scene.effects.map(({ id }) => id)).toEqual(['runbook/run-1/0']);
    expect(scene.stepStates('run-1')).toEqual(['running', 'pending', 'pending']);

    await scene.answered('runbook/run-1/0', 200, 'disk 97 % full');
    expect(scene.stepStates('run-1')).toEqual(['done', 'awaiting_approval', 'pending']);
    expect(scene.run('run-1').steps[0]).toMatchObject({
      outcome: 'answered 200',
      response: { status: 200, body: 'disk 97 % full' },
    });
    expect(scene.effects).toHaveLength(1);

    const approved = await scene.command('runbook.approve', { runId: 'run-1', step: 1 }, { by: 'grace' });
    expect(approved.status).toBe('done');
    expect(scene.effects.map(({ id }) => id)).toEqual(['runbook/run-1/0', 'runbook/run-1/1']);
    expect(scene.run('run-1').steps[1]).toMatchObject({
      approvedBy: 'grace',
      approvedAtMs: scene.frames.at(-1)?.timeMs,
    });

    await scene.answered('runbook/run-1/1', 204);
    expect(scene.stepStates('run-1')).toEqual(['done', 'done', 'awaiting_person']);
    await scene.command('runbook.finish-step', {
      runId: 'run-1',
      step: 2,
      isDone: true,
      comment: 'order 77',
    });
    expect(scene.run('run-1')).toMatchObject({
      state: 'done',
      startedBy: 'ada',
      endedBecause: 'every step is done',
      endedAtMs: scene.frames.at(-1)?.timeMs,
    });
    expect(scene.run('run-1').steps[2]?.outcome).toBe('done by ada: order 77');
  });

  test('what is sent is what the approver saw, with values encoded for where they stand', async () => {
    await start();
    await scene.answered('runbook/run-1/0');
    const shown = scene.run('run-1').steps[1]?.request;
    await scene.command('runbook.approve', { runId: 'run-1', step: 1 });
    const { payload } = scene.effects[1] as HttpStepEffect;
    expect(payload).toEqual({ runId: 'run-1', step: 1, timeoutMs: 30_000, ...shown });
    expect(payload.url).toBe('http://127.0.0.1:9099/clean?volume=%2Fvar%2Flib%20%26%20%22wal%22');
    expect(JSON.parse(payload.body)).toEqual({ incident: 'INC-1', volume: '/var/lib & "wal"' });
    expect(payload.headers).toEqual({ 'Content-Type': 'application/json' });
  });

  test('every change of a run is told to later stages', async () => {
    await start();
    await scene.answered('runbook/run-1/0');
    const told = scene.frames.flatMap(({ flow }) => flow.runs);
    expect(told.map(({ id, steps }) => [id, steps.map(({ state }) => state).join()])).toEqual([
      ['run-1', 'running,pending,pending'],
      ['run-1', 'done,awaiting_approval,pending'],
    ]);
  });

  test('a change of the catalog changes no run that has begun', async () => {
    await start();
    const before = scene.run('run-1').runbookHash;
    await scene.configure({ catalog: [{ ...freeDisk, steps: freeDisk.steps.slice(0, 1) }] });
    await scene.answered('runbook/run-1/0');
    expect(scene.stepStates('run-1')).toEqual(['done', 'awaiting_approval', 'pending']);
    await scene.command('runbook.reject', { runId: 'run-1', step: 1, comment: '' });
    await start();
    expect(scene.run('run-2').runbookHash).not.toBe(before);
  });
});

describe('a run that does not succeed', () => {
  test('an unexpected status fails the step and ends the run', async () => {
    await start();
    await scene.answered('runbook/run-1/0', 503, 'try later');
    expect(scene.run('run-1')).toMatchObject({ state: 'failed', endedBecause: 'step "look": answered 503' });
    expect(scene.stepStates('run-1')).toEqual(['failed', 'pending', 'pending']);
    expect(scene.run('run-1').steps[0]?.response).toEqual({ status: 503, body: 'try later' });
  });

  test('a request that got no answer ends the run', async () => {
    await start();
    await scene.fact('runbook/run-1/0', {
      status: 'failed',
      code: 'TOC_STEP_FAILED',
      message: 'no answer within 30s',
    });
    expect(scene.run('run-1')).toMatchObject({
      state: 'failed',
      endedBecause: 'step "look": no answer within 30s',
    });
  });

  test('a rejected step is never carried out', async () => {
    await start();
    await scene.answered('runbook/run-1/0');
    await scene.command('runbook.reject', { runId: 'run-1', step: 1, comment: 'backups first' });
    expect(scene.run('run-1')).toMatchObject({
      state: 'rejected',
      endedBecause: 'step "clean": rejected by ada: backups first',
    });
    const late = await scene.command('runbook.approve', { runId: 'run-1', step: 1 });
    expect(late).toEqual({ status: 'refused', code: 'conflict', message: 'run-1 is rejected already' });
    expect(scene.effects).toHaveLength(1);
  });

  test('a manual step that was not done ends the run', async () => {
    await start();
    await scene.answered('runbook/run-1/0');
    await scene.command('runbook.approve', { runId: 'run-1', step: 1 });
    await scene.answered('runbook/run-1/1');
    await scene.command('runbook.finish-step', {
      runId: 'run-1',
      step: 2,
      isDone: false,
      comment: 'still full',
    });
    expect(scene.run('run-1')).toMatchObject({
      state: 'failed',
      endedBecause: 'step "verify": not done by ada: still full',
    });
  });

  test('only the statuses that the step expects count as success', async () => {
    const step = { name: 'look', kind: 'http', url: 'http://localhost/', expect_status: [200, 404] };
    await scene.configure({
      catalog: [
        { name: 'two', steps: [step] },
        { name: 'one', steps: [{ ...step, expect_status: 404 }] },
      ],
    });
    await scene.command('runbook.start', { incidentId: 'INC-1', runbook: 'two' });
    await scene.command('runbook.start', { incidentId: 'INC-1', runbook: 'one' });
    await scene.answered('runbook/run-1/0', 404);
    await scene.answered('runbook/run-2/0', 200);
    expect([scene.run('run-1').state, scene.run('run-2').state]).toEqual(['done', 'failed']);
  });
});

describe('commands that come too late, too early or twice', () => {
  test.each([
    ['approve', 0, 'step 0 of run-1 is running, not awaiting approval'],
    ['approve', 1, 'step 1 of run-1 is pending, not awaiting approval'],
    ['reject', 1, 'step 1 of run-1 is pending, not awaiting approval'],
    ['finish-step', 2, 'step 2 of run-1 is pending, not awaiting person'],
  ] as const)('%s of step %i is a conflict while step 0 is at hand', async (act, step, message) => {
    await start();
    const answer = await scene.command(`runbook.${act}`, { runId: 'run-1', step, comment: '', isDone: true });
    expect(answer).toEqual({ status: 'refused', code: 'conflict', message });
    expect(scene.effects).toHaveLength(1);
  });

  test('a step that waits for approval cannot be finished by hand, nor a manual one approved', async () => {
    await start();
    await scene.answered('runbook/run-1/0');
    const finished = await scene.command('runbook.finish-step', {
      runId: 'run-1',
      step: 1,
      isDone: true,
      comment: '',
    });
    expect(finished).toMatchObject({ status: 'refused', code: 'conflict' });
    await scene.command('runbook.approve', { runId: 'run-1', step: 1 });
    await scene.answered('runbook/run-1/1');
    const approved = await scene.command('runbook.approve', { runId: 'run-1', step: 2 });
    expect(approved).toMatchObject({ status: 'refused', code: 'conflict' });
  });

  test('what is unknown is not found', async () => {
    await start();
    expect(await scene.command('runbook.start', { incidentId: 'INC-9', runbook: 'free-disk' })).toMatchObject(
      { code: 'not_found' },
    );
    expect(await scene.command('runbook.start', { incidentId: 'INC-1', runbook: 'nope' })).toMatchObject({
      code: 'not_found',
    });
    expect(await scene.command('runbook.approve', { runId: 'run-9', step: 0 })).toMatchObject({
      code: 'not_found',
    });
    expect(await scene.command('runbook.approve', { runId: 'run-1', step: 3 })).toMatchObject({
      code: 'not_found',
    });
  });

  test('a runbook runs once at a time for an incident', async () => {
    await start();
    expect(await start()).toMatchObject({
      code: 'conflict',
      message: 'free-disk is already running for INC-1 as run-1',
    });
    await scene.answered('runbook/run-1/0', 500);
    expect(await start()).toMatchObject({ status: 'done', result: { run: { id: 'run-2' } } });
    expect(scene.stage.runs('INC-1').map(({ id }) => id)).toEqual(['run-1', 'run-2']);
  });

  test('a command sent twice acts once, and is answered both times', async () => {
    const started = { incidentId: 'INC-1', runbook: 'free-disk' };
    await scene.command('runbook.start', started, { id: 'same' });
    expect(await scene.command('runbook.start', started, { id: 'same' })).toMatchObject({
      status: 'done',
      result: { run: { id: 'run-1' } },
    });
    await scene.answered('runbook/run-1/0');
    await scene.command('runbook.approve', { runId: 'run-1', step: 1 }, { id: 'yes' });
    expect(await scene.command('runbook.approve', { runId: 'run-1', step: 1 }, { id: 'yes' })).toMatchObject({
      status: 'done',
    });
    expect(scene.effects.map(({ id }) => id)).toEqual(['runbook/run-1/0', 'runbook/run-1/1']);
  });

  test('a fact that comes twice, or of a step that has ended, changes nothing', async () => {
    await start();
    await scene.answered('runbook/run-1/0');
    const before = scene.run('run-1');
    await scene.answered('runbook/run-1/0', 500);
    await scene.answered('runbook/run-1/1', 200);
    await scene.answered('runbook/run-7/0', 200);
    expect(scene.run('run-1')).toBe(before);
  });
});

describe('an incident that ends meanwhile', () => {
  test.each(['resolved', 'merged'] as const)('%s: what waits for approval is cancelled', async (state) => {
    await start();
    await scene.answered('runbook/run-1/0');
    await scene.incident({ id: 'INC-1', state });
    expect(scene.run('run-1')).toMatchObject({
      state: 'cancelled',
      endedBecause: 'the incident was over before the next request was approved',
    });
    expect(await scene.command('runbook.approve', { runId: 'run-1', step: 1 })).toMatchObject({
      code: 'conflict',
    });
    expect(scene.effects).toHaveLength(1);
  });

  test('a request under way is waited for; no other one follows', async () => {
    const look = { name: 'look', kind: 'http', url: 'http://localhost/' };
    await scene.configure({ catalog: [{ name: 'look-twice', steps: [look, look] }] });
    await scene.command('runbook.start', { incidentId: 'INC-1', runbook: 'look-twice' });
    await scene.incident({ id: 'INC-1', state: 'resolved' });
    expect(scene.run('run-1').state).toBe('running');
    await scene.answered('runbook/run-1/0');
    expect(scene.run('run-1').state).toBe('cancelled');
    expect(scene.stepStates('run-1')).toEqual(['done', 'pending']);
    expect(scene.effects).toHaveLength(1);
  });

  test('a manual step may still be finished: to look whether all is well is why it is there', async () => {
    await start();
    await scene.answered('runbook/run-1/0');
    await scene.command('runbook.approve', { runId: 'run-1', step: 1 });
    await scene.incident({ id: 'INC-1', state: 'resolved' });
    await scene.answered('runbook/run-1/1');
    await scene.command('runbook.finish-step', { runId: 'run-1', step: 2, isDone: true, comment: '' });
    expect(scene.run('run-1').state).toBe('done');
  });

  test('nothing starts for it and nothing is suggested', async () => {
    await scene.incident({ id: 'INC-1', state: 'resolved' });
    expect(await start()).toEqual({ status: 'refused', code: 'conflict', message: 'INC-1 is resolved' });
    expect(scene.stage.suggestions('INC-1')).toEqual([]);
  });

  test('it is forgotten after a week, with its runs and signals', async () => {
    const empty = new Scene();
    await empty.configure({ catalog: [freeDisk] });
    await start();
    await scene.incident({ id: 'INC-1', state: 'resolved' });
    await scene.pass(7 * 24 * 3_600_000);
    expect(scene.stage.runs('INC-1')).toEqual([]);
    expect(scene.stage.run('run-1')).toBeUndefined();
    expect(scene.rowCount()).toBe(empty.rowCount() + 1);
  });

  test('one that opens again is kept', async () => {
    await start();
    await scene.incident({ id: 'INC-1', state: 'resolved' });
    await scene.incident({ id: 'INC-1' });
    await scene.pass(8 * 24 * 3_600_000);
    expect(scene.stage.runs('INC-1')).toHaveLength(1);
  });
});

describe('guardrails', () => {
  test('every method but GET and HEAD waits for approval unless the runbook says otherwise', async () => {
    for (const [index, method] of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'].entries()) {
      const step = { name: 'act', kind: 'http', method, url: 'http://localhost/' };
      await scene.configure({
        catalog: [
          { name: 'unsaid', steps: [step] },
          { name: 'free', steps: [{ ...step, approve: false }] },
          { name: 'bound', steps: [{ ...step, approve: true }] },
        ],
      });
      const id = `INC-${method}`;
      await scene.incident({ id }, diskLabels);
      for (const runbook of ['unsaid', 'free', 'bound'])
        await scene.command('runbook.start', { incidentId: id, runbook });
      const states = scene.stage.runs(id).map(({ steps }) => steps[0]?.state);
      expect(states).toEqual([index < 2 ? 'running' : 'awaiting_approval', 'running', 'awaiting_approval']);
    }
  });

  test('a value that is missing refuses the start: no request with a hole in it', async () => {
    await scene.incident({ id: 'INC-2' }, { alertname: 'DiskFull' });
    const answer = await scene.command('runbook.start', { incidentId: 'INC-2', runbook: 'free-disk' });
    expect(answer).toEqual({
      status: 'refused',
      code: 'invalid',
      message: 'step "clean": url: there is no value for {{ labels.mountpoint }}',
    });
    expect(scene.stage.runs('INC-2')).toEqual([]);
    expect(scene.effects).toEqual([]);
  });

  test('a host that is not allowed is refused, also when it was allowed at the start', async () => {
    const catalog = [
      {
        name: 'far',
        steps: [{ name: 'go', kind: 'http', method: 'POST', url: 'http://ops.example.net/restart' }],
      },
    ];
    await scene.configure({ catalog });
    const far = { incidentId: 'INC-1', runbook: 'far' };
    expect(await scene.command('runbook.start', far)).toMatchObject({
      code: 'invalid',
      message: 'http://ops.example.net/restart: this host is not among runbooks.allowed_hosts',
    });
    await scene.configure({ catalog, allowed_hosts: ['OPS.example.net'] });
    await scene.command('runbook.start', far);
    await scene.configure({ catalog, allowed_hosts: ['other.example.net'] });
    await scene.command('runbook.approve', { runId: 'run-1', step: 0 });
    expect(scene.run('run-1').state).toBe('failed');
    expect(scene.effects).toEqual([]);
  });

  test('credentials stay in their file: neither the run nor the log holds them', async () => {
    await scene.configure({
      catalog: [
        {
          name: 'restart',
          steps: [
            {
              name: 'go',
              kind: 'http',
              url: 'http://localhost/',
              authorization: { credentials_file: '/run/secrets/ops' },
            },
          ],
        },
      ],
    });
    await scene.command('runbook.start', { incidentId: 'INC-1', runbook: 'restart' });
    const { payload } = scene.effects[0] as HttpStepEffect;
    expect(payload.authorization).toEqual({ type: 'Bearer', credentialsFile: '/run/secrets/ops' });
    expect(payload.headers).toEqual({});
  });
});

const suggested = async (matchers: string[], incidentId = 'INC-1') => {
  await scene.configure({ catalog: [{ ...freeDisk, matchers }] });
  return scene.stage.suggestions(incidentId).length === 1;
};

describe('suggestions', () => {
  test('name and description of each runbook that fits', () => {
    expect(scene.stage.suggestions('INC-1')).toEqual([
      { name: 'free-disk', description: 'A database runs out of disk.' },
    ]);
    expect(scene.stage.suggestions('INC-9')).toEqual([]);
    expect(scene.stage.catalog().map(({ name }) => name)).toEqual(['free-disk']);
  });

  test("any signal's label may fit, while a negative matcher speaks of all of them", async () => {
    await scene.incident(
      { id: 'INC-3', services: ['api', 'db'] },
      { alertname: 'Slow' },
      { alertname: 'DiskFull' },
    );
    expect(await suggested(['alertname="DiskFull"'], 'INC-3')).toBe(true);
    expect(await suggested(['alertname=~"Disk.*"'], 'INC-3')).toBe(true);
    expect(await suggested(['alertname!="DiskFull"'], 'INC-3')).toBe(false);
    expect(await suggested(['alertname!~"Disk.*"'], 'INC-3')).toBe(false);
    expect(await suggested(['alertname!="Other"'], 'INC-3')).toBe(true);
    expect(await suggested(['service="db"'], 'INC-3')).toBe(true);
    expect(await suggested(['pod=""'], 'INC-3')).toBe(true);
    expect(await suggested(['pod!=""'], 'INC-3')).toBe(false);
  });

  test("the incident's own words count, not what a signal says of itself", async () => {
    await scene.incident(
      { id: 'INC-4', severity: 'critical', priority: 'P2' },
      { alertname: 'Slow', severity: 'warning' },
    );
    expect(await suggested(['severity="critical"', 'priority=~"P1|P2"', 'domain="shop"'], 'INC-4')).toBe(
      true,
    );
    expect(await suggested(['severity="warning"'], 'INC-4')).toBe(false);
  });

  test('signals that join later count as well', async () => {
    await scene.incident({ id: 'INC-5' }, { alertname: 'Slow' });
    expect(scene.stage.suggestions('INC-5')).toEqual([]);
    await scene.incident({ id: 'INC-5' }, { alertname: 'Slow' }, { alertname: 'DiskFull' });
    expect(scene.stage.suggestions('INC-5')).toHaveLength(1);
  });
});

describe('a runbook that starts by itself', () => {
  const catalog = [{ ...freeDisk, auto_start: true }];

  test('starts once for an incident that it fits, and still waits for approval', async () => {
    await scene.configure({ catalog });
    await scene.incident({ id: 'INC-6' }, { ...diskLabels, alertname: 'Slow' });
    expect(scene.stage.runs('INC-6')).toEqual([]);
    await scene.incident({ id: 'INC-6', revision: 2 }, { ...diskLabels, alertname: 'Slow' }, diskLabels);
    expect(scene.stage.runs('INC-6').map(({ startedBy }) => startedBy)).toEqual(['tocsin']);
    await scene.answered('runbook/run-1/0');
    await scene.incident({ id: 'INC-6', revision: 3 });
    expect(scene.stage.runs('INC-6').map(({ steps }) => steps[1]?.state)).toEqual(['awaiting_approval']);
    expect(scene.effects).toHaveLength(1);
  });
});

test('templates speak of the most probable cause, else of the first signal', async () => {
  const step = {
    name: 'look',
    kind: 'http',
    url: 'http://localhost/{{ incident.service }}/{{ labels.pod }}',
  };
  await scene.configure({ catalog: [{ name: 'look', steps: [step] }] });
  const labels = [
    { service: 'web', pod: 'web-1' },
    { service: 'db', pod: 'db-0' },
  ];
  await scene.incident({ id: 'INC-7', services: ['web', 'db'] }, ...labels);
  const probableCauses = [
    { signalId: 'INC-8-1', labels: ['pod', 'db-0', 'service', 'db'], text: '', score: 0.9, reasons: [] },
  ];
  await scene.incident({ id: 'INC-8', services: ['web', 'db'], probableCauses }, ...labels);
  await scene.command('runbook.start', { incidentId: 'INC-7', runbook: 'look' });
  await scene.command('runbook.start', { incidentId: 'INC-8', runbook: 'look' });
  expect(scene.effects.map(({ payload }) => (payload as HttpStepEffect['payload']).url)).toEqual([
    'http://localhost/web/web-1',
    'http://localhost/db/db-0',
  ]);
});
