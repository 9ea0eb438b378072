import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Fact } from '../../src/engine/index.ts';
import { servicesConfig, type HttpStepEffect, type LogEntry } from '../../src/incident/index.ts';
import { runbooksConfig } from '../../src/runbook/index.ts';
import { candidateChange, incidentOf, Scene, signalChange, startMs, type Moment } from './scene.ts';

interface Item {
  readonly kind: LogEntry['kind'];
  readonly payload: LogEntry['payload'];
  readonly flow: NonNullable<Moment['flow']>;
}

const look = { name: 'look', kind: 'http', url: 'http://localhost/{{ incident.id }}' };
const clean = { ...look, name: 'clean', method: 'POST' };
const verify = { name: 'verify', kind: 'manual', instruction: 'Look.' };

const config: LogEntry = {
  kind: 'config',
  timeMs: startMs,
  payload: {
    services: servicesConfig.parse([]),
    runbooks: runbooksConfig.parse({
      catalog: [
        { name: 'mixed', matchers: ['alertname="A"'], steps: [look, clean, verify, clean] },
        { name: 'bound', steps: [clean, clean] },
        { name: 'alone', matchers: ['alertname="B"'], auto_start: true, steps: [look, clean] },
      ],
    }),
  },
};

const incidentIds = ['INC-1', 'INC-2'];
const step = fc.constantFrom(0, 0, 1, 1, 2, 3);
const runId = fc.constantFrom('run-1', 'run-1', 'run-2', 'run-2', 'run-3');
const base = fc.record({
  id: fc.noBias(fc.nat({ max: 500 })).map(String),
  by: fc.constantFrom('ada', 'grace'),
});

const command: fc.Arbitrary<LogEntry['payload']> = fc
  .oneof(
    fc.record({
      kind: fc.constant('runbook.start'),
      body: fc.record({
        incidentId: fc.constantFrom(...incidentIds),
        runbook: fc.constantFrom('mixed', 'bound', 'alone'),
      }),
    }),
    fc.record({ kind: fc.constant('runbook.approve'), body: fc.record({ runId, step }) }),
    fc.record({ kind: fc.constant('runbook.approve'), body: fc.record({ runId, step }) }),
    fc.record({
      kind: fc.constant('runbook.reject'),
      body: fc.record({ runId, step, comment: fc.constant('') }),
    }),
    fc.record({
      kind: fc.constant('runbook.finish-step'),
      body: fc.record({ runId, step, isDone: fc.boolean(), comment: fc.constant('') }),
    }),
  )
  .chain((act) => base.map((common) => ({ ...common, ...act })));

const fact: fc.Arbitrary<LogEntry['payload']> = fc.record({
  kind: fc.constant('http-step'),
  effectId: fc.tuple(runId, step).map(([run, index]) => `runbook/${run}/${index}`),
  outcome: fc.constantFrom<Fact['outcome']>(
    { status: 'done', result: { status: 200, body: '' } },
    { status: 'done', result: { status: 200, body: '' } },
    { status: 'done', result: { status: 500, body: '' } },
    { status: 'failed', code: 'TOC_STEP_FAILED', message: 'no answer' },
  ),
});

const revision: fc.Arbitrary<Item['flow']> = fc
  .record({
    id: fc.constantFrom(...incidentIds),
    state: fc.constantFrom(
      'open' as const,
      'open' as const,
      'acknowledged' as const,
      'resolved' as const,
      'merged' as const,
    ),
    alertname: fc.constantFrom('A', 'B'),
  })
  .map(({ id, state, alertname }) => ({
    signalChanges: [signalChange(`${id}-${alertname}`, { alertname })],
    candidateChanges: [candidateChange(incidentOf({ id, state }), [`${id}-${alertname}`])],
    incidents: [incidentOf({ id, state })],
  }));

/** A log that opens both incidents and then holds anything in any order, much of it senseless. */
const log: fc.Arbitrary<readonly Moment[]> = fc
  .array(
    fc.oneof(
      { weight: 6, arbitrary: command.map((payload): Item => ({ kind: 'command', payload, flow: {} })) },
      { weight: 4, arbitrary: fact.map((payload): Item => ({ kind: 'fact', payload, flow: {} })) },
      { weight: 1, arbitrary: revision.map((flow): Item => ({ kind: 'tick', payload: null, flow })) },
    ),
    { minLength: 40, maxLength: 100, size: 'max' },
  )
  .map((items): readonly Moment[] => [
    { entry: config },
    ...incidentIds.map((id, index) => ({
      entry: { kind: 'tick', timeMs: startMs + index, payload: null } as const,
      flow: { incidents: [incidentOf({ id })] },
    })),
    ...items.map(({ kind, payload, flow }, index) => ({
      entry: { kind, timeMs: startMs + 10 * (index + 1), payload } as LogEntry,
      flow,
    })),
  ]);

/** An approval that was granted, as the log has it. */
function grantedApprovals(scene: Scene): Set<string> {
  const granted = new Set<string>();
  for (const { entry, flow } of scene.frames) {
    if (
      entry?.kind !== 'command' ||
      entry.payload.kind !== 'runbook.approve' ||
      flow.answer?.status !== 'done'
    )
      continue;
    granted.add(`runbook/${entry.payload.body.runId}/${entry.payload.body.step}`);
  }
  return granted;
}

test('no request is made twice, none without the approval that it needs, none for an incident that is over', async () => {
  let approvedCount = 0;
  await fc.assert(
    fc.asyncProperty(log, async (moments) => {
      const scene = await Scene.replay(
        moments,
        moments.map((_, index) => index),
        [],
      );
      const ids = scene.effects.map(({ id }) => id);
      expect(new Set(ids).size).toBe(ids.length);

      const granted = grantedApprovals(scene);
      const isOver = new Map<string, boolean>();
      for (const frame of scene.frames) {
        for (const { id, state } of frame.flow.incidents)
          isOver.set(id, state === 'resolved' || state === 'merged');
        for (const effect of frame.effects) {
          const { method, runId, step } = (effect as HttpStepEffect).payload;
          const run = scene.run(runId);
          expect(isOver.get(run.incidentId)).toBe(false);
          if (method === 'GET') continue;
          approvedCount++;
          expect(granted).toContain(effect.id);
          expect(run.steps[step]?.approvedBy).toMatch(/ada|grace/);
          expect(run.steps.slice(0, step).map(({ state }) => state)).toEqual(Array(step).fill('done'));
        }
      }
    }),
    { numRuns: 300 },
  );
  // The logs are not so senseless that nothing happens in them.
  expect(approvedCount).toBeGreaterThan(50);
});

test('batch cuts do not matter, and a crash anywhere changes nothing', async () => {
  await fc.assert(
    fc.asyncProperty(
      log,
      fc.array(fc.nat({ max: 102 })),
      fc.array(fc.nat({ max: 102 }), { maxLength: 4 }),
      async (moments, cuts, crashes) => {
        const within = (ends: number[]) => ends.filter((end) => end > 0 && end <= moments.length);
        const whole = await Scene.replay(moments, [], []);
        const cut = await Scene.replay(moments, within(cuts), within(crashes));
        expect(cut.frames).toEqual(whole.frames);
        expect(cut.effects).toEqual(whole.effects);
        for (const id of incidentIds) {
          expect(cut.stage.runs(id)).toEqual(whole.stage.runs(id));
          expect(cut.stage.suggestions(id)).toEqual(whole.stage.suggestions(id));
        }
      },
    ),
    { numRuns: 150 },
  );
});
