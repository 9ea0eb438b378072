import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { tocsinConfig } from '../../src/app/config-schema.ts';
import { createPipeline, type Pipeline } from '../../src/app/pipeline.ts';
import type { Command, LogEntry, NotifyEffect } from '../../src/incident/index.ts';
import { createInlineScorer } from '../../src/score/index.ts';
import { runWithCrashes, runWithCuts } from '../support/fold.ts';
import { alertOf, startMs, type Report } from './scene.ts';

const config = JSON.parse(
  JSON.stringify(
    tocsinConfig.parse({
      route: {
        receiver: 'on-call',
        group_by: ['incident'],
        group_wait: '10s',
        group_interval: '30s',
        repeat_interval: '100s',
        min_priority: 'P3',
        routes: [
          { receiver: 'all', group_by: ['incident', 'service'], min_priority: 'P5', continue: true },
          {},
        ],
      },
      receivers: [{ name: 'on-call' }, { name: 'all' }],
      services: [
        { name: 'shop', tier: 1, depends_on: ['db'] },
        { name: 'db', tier: 1 },
        { name: 'wiki', tier: 4 },
      ],
    }),
  ),
) as Readonly<Record<string, unknown>>;

const reportArbitrary: fc.Arbitrary<Report> = fc.constantFrom<Report[]>(
  { alertname: 'DiskFull', service: 'db', severity: 'critical', environment: 'prod' },
  { alertname: 'DiskFilling', service: 'db', severity: 'warning', environment: 'prod' },
  { alertname: 'HighErrorRate', service: 'shop', severity: 'critical', environment: 'prod' },
  { alertname: 'HighLatency', service: 'shop', severity: 'warning', environment: 'prod' },
  { alertname: 'WikiDown', service: 'wiki', severity: 'critical', environment: 'prod' },
  { alertname: 'WikiSlow', service: 'wiki', severity: 'info', environment: 'prod' },
);
const incidentId = fc.integer({ min: 1, max: 3 }).map((number) => `INC-${number}`);

type CommandText = Command extends infer C ? (C extends Command ? Omit<C, 'id' | 'by'> : never) : never;

const commandArbitrary: fc.Arbitrary<CommandText> = fc.oneof(
  fc.record({
    kind: fc.constant('incident.acknowledge' as const),
    body: fc.record({ incidentId, comment: fc.constant('') }),
  }),
  fc.record({
    kind: fc.constant('incident.resolve' as const),
    body: fc.record({ incidentId, comment: fc.constant('') }),
  }),
  fc.record({
    kind: fc.constant('incident.merge' as const),
    body: fc.record({ intoId: incidentId, fromIds: fc.tuple(incidentId).map((ids) => [...ids]) }),
  }),
  fc.record({
    kind: fc.constant('incident.undo' as const),
    body: fc.record({ commandId: fc.nat(20).map((number) => `command-${number}`) }),
  }),
);

type Event =
  | { readonly kind: 'alerts'; readonly acts: readonly (readonly [Report, boolean])[] }
  | { readonly kind: 'command'; readonly command: CommandText }
  | {
      readonly kind: 'fail';
      readonly revision: number;
      readonly receiver: string;
      readonly incidentId: string;
    }
  | { readonly kind: 'tick' };

const eventArbitrary: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('alerts' as const),
      acts: fc.array(fc.tuple(reportArbitrary, fc.boolean()), { minLength: 1, maxLength: 3 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('command' as const), command: commandArbitrary }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('fail' as const),
      revision: fc.integer({ min: 1, max: 6 }),
      receiver: fc.constantFrom('on-call', 'all'),
      incidentId,
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'tick' as const }) },
);

const logArbitrary: fc.Arbitrary<LogEntry[]> = fc
  .array(
    fc.record({ gapMs: fc.constantFrom(0, 1000, 5000, 11_000, 31_000, 120_000), event: eventArbitrary }),
    { minLength: 1, maxLength: 30, size: 'max' },
  )
  .map((steps) => {
    let timeMs = startMs;
    const log: LogEntry[] = [{ kind: 'config', timeMs, payload: config }];
    for (const [index, { gapMs, event }] of steps.entries()) {
      timeMs += gapMs;
      log.push(entryOf(event, timeMs, index));
    }
    log.push({ kind: 'tick', timeMs: timeMs + 400_000, payload: null });
    return log;
  });

function entryOf(event: Event, timeMs: number, index: number): LogEntry {
  if (event.kind === 'alerts') {
    const payload = event.acts.map(([report, isResolve]) => alertOf(report, timeMs, { isResolve }));
    return { kind: 'alerts', timeMs, payload };
  }
  if (event.kind === 'command') {
    const payload = { id: `command-${index}`, by: 'alex', ...event.command } as Command;
    return { kind: 'command', timeMs, payload };
  }
  if (event.kind === 'fail') {
    const effectId = `${event.incidentId}/${event.revision}/${event.receiver}`;
    const outcome = { status: 'failed', code: 'TOC_NOTIFY_FAILED', message: '' } as const;
    return { kind: 'fact', timeMs, payload: { effectId, kind: 'notify', outcome } };
  }
  return { kind: 'tick', timeMs, payload: null };
}

function createProduction(): Pipeline {
  const pipeline = createPipeline({ scorer: createInlineScorer(), withHistory: false });
  pipeline.fold.restore(null);
  return pipeline;
}

test('what fires has a next flush, and an acknowledged incident pages only for what is worse, or over', async () => {
  await fc.assert(
    fc.asyncProperty(logArbitrary, async (log) => {
      const { fold, stages } = createProduction();
      const pageIds = new Set<string>();
      for (const [index, entry] of log.entries()) {
        const { effects } = await fold.apply({ firstPosition: index + 1, entries: [entry] });
        for (const effect of effects) {
          if (effect.kind !== 'notify') continue;
          const { incident, status, notificationReason } = (effect as NotifyEffect).payload;
          expect(pageIds.has(effect.id)).toBe(false);
          pageIds.add(effect.id);
          if (incident?.state === 'acknowledged') {
            expect(notificationReason).toMatch(/^(all alerts resolved|(priority|severity) raised from .*)$/);
          }
          if (status === 'firing') expect(incident?.state).not.toMatch(/^(resolved|merged)$/);
        }
        for (const { fingerprint } of stages.intake.alerts()) {
          const { groups } = stages.dispatch.explain(fingerprint);
          expect(groups.map(({ receiver }) => receiver)).toEqual(['all', 'on-call']);
          for (const { nextFlushMs, incidentId: named } of groups) {
            expect(nextFlushMs).toBeGreaterThanOrEqual(entry.timeMs);
            const signal = stages.dedup.signalOf(fingerprint);
            expect(named).toBe(stages.correlate.candidateOfSignal(signal!.id)?.id);
          }
        }
      }
    }),
    { numRuns: 60 },
  );
});

test('an incident that is open, unacknowledged and urgent enough is told of within repeat_interval', async () => {
  await fc.assert(
    fc.asyncProperty(logArbitrary, async (log) => {
      const { fold, stages } = createProduction();
      const effects: NotifyEffect[] = [];
      for (const [index, entry] of log.entries()) {
        const output = await fold.apply({ firstPosition: index + 1, entries: [entry] });
        effects.push(...output.effects.filter((effect): effect is NotifyEffect => effect.kind === 'notify'));
      }
      const endMs = log.at(-1)!.timeMs;
      for (const incident of stages.triage.incidents()) {
        const isFiring = stages.correlate
          .candidate(incident.id)!
          .signalIds.some((id) => stages.dedup.signal(id)?.firingCount);
        if (incident.state !== 'open' || !isFiring || incident.priority > 'P3') continue;
        // The last 400 s were quiet: the clocks alone must have told of it, and told again.
        const recent = effects.filter(
          ({ payload }) =>
            payload.incident?.id === incident.id &&
            payload.receiver === 'on-call' &&
            payload.atMs > endMs - 200_000,
        );
        expect(recent.length).toBeGreaterThan(0);
      }
    }),
    { numRuns: 60 },
  );
});

const createFold = () => createPipeline({ scorer: createInlineScorer(), withHistory: false }).fold;

test('batch cuts do not matter', async () => {
  await fc.assert(
    fc.asyncProperty(
      logArbitrary,
      fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 8 }),
      async (log, sizes) => {
        expect(await runWithCuts(createFold, log, sizes)).toEqual(await runWithCuts(createFold, log));
      },
    ),
    { numRuns: 15 },
  );
});

test('crash anywhere and replay from the checkpoint gives the same', async () => {
  await fc.assert(
    fc.asyncProperty(
      logArbitrary,
      fc.array(fc.record({ checkpointAt: fc.nat(32), crashAt: fc.nat(32) }), { minLength: 1, maxLength: 2 }),
      async (log, points) => {
        expect(await runWithCrashes(createFold, log, points)).toEqual(await runWithCuts(createFold, log));
      },
    ),
    { numRuns: 15 },
  );
});
