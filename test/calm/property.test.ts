import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fingerprint, labelsOf, type Alert } from '../../src/alert/index.ts';
import { tocsinConfig } from '../../src/app/config-schema.ts';
import { createPipeline, type Pipeline } from '../../src/app/pipeline.ts';
import type { LogEntry, NotifyEffect, TocsinFrame } from '../../src/incident/index.ts';
import { createInlineScorer } from '../../src/score/index.ts';
import { runWithCrashes, runWithCuts, stateOf } from '../support/fold.ts';

const startMs = Date.UTC(2026, 0, 5, 9);
const secondMs = 1000;

/** So small that a handful of signals is a storm, and three times make a habit. */
const config = JSON.parse(
  JSON.stringify(
    tocsinConfig.parse({
      route: {
        receiver: 'on-call',
        group_by: ['incident'],
        group_wait: '10s',
        group_interval: '1m',
        min_priority: 'P4',
        routes: [{ receiver: 'all', min_priority: 'P5', continue: true }, {}],
      },
      receivers: [{ name: 'on-call' }, { name: 'all' }],
      correlate: { threshold: 8, merge_threshold: 12 },
      dedup: { retention: '1h', flapping: { window: '6m', quiet: '2m' } },
      storms: { window: '1m', min_signals: 4, learning_signals: 6, learning_windows: 5, calm_for: '2m' },
      transients: { min_episodes: 3, share: 0.5 },
      services: [
        { name: 'db', tier: 2 },
        ...[0, 1, 2, 3].map((n) => ({ name: `shop-${n}`, tier: 3, depends_on: ['db'] })),
      ],
    }),
  ),
) as Readonly<Record<string, unknown>>;

interface Report {
  readonly alertname: string;
  readonly service: string;
  readonly severity: string;
  readonly key: string;
}

const report: fc.Arbitrary<Report> = fc.record({
  alertname: fc.constantFrom('Errors', 'Errors', 'Errors', 'Down'),
  service: fc.constantFrom('db', 'shop-0', 'shop-1', 'shop-2', 'shop-3', 'wiki', 'mail'),
  severity: fc.constantFrom('warning', 'warning', 'warning', 'warning', 'critical'),
  // The sender of one alert may give it another key each time.
  key: fc.constantFrom('', '', '', '', 'a', 'b'),
});

function alertOf({ key, ...names }: Report, isResolve: boolean, timeMs: number): Alert {
  const labels = labelsOf({ ...names, environment: 'prod' });
  return {
    fingerprint: fingerprint(labels),
    domain: 'default',
    labels,
    annotations: labelsOf({ summary: `${names.alertname} on ${names.service}` }),
    startsAtMs: timeMs - 1,
    endsAtMs: isResolve ? timeMs : timeMs + 40 * 60 * secondMs,
    endsByTimeout: !isResolve,
    receivedAtMs: timeMs,
    generatorUrl: '',
    source: 'test',
    ...(key === '' ? {} : { key }),
  };
}

const step = fc.record({
  gapSeconds: fc.constantFrom(0, 1, 2, 5, 20, 61, 200, 700),
  reports: fc.array(fc.tuple(report, fc.boolean()), { maxLength: 5 }),
  /** An incident that a person merges into another one. */
  merge: fc.option(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })), { freq: 6 }),
});

const logs = fc.array(step, { minLength: 1, maxLength: 28, size: 'max' }).map((steps) => {
  let timeMs = startMs;
  const log: LogEntry[] = [{ kind: 'config', timeMs, payload: config }];
  for (const [i, { gapSeconds, reports, merge }] of steps.entries()) {
    timeMs += gapSeconds * secondMs;
    if (merge) {
      const [intoId, fromId] = merge.map((number) => `INC-${number}`) as [string, string];
      const body = { intoId, fromIds: [fromId] };
      const payload = { id: `command-${i}`, by: 'alex', kind: 'incident.merge', body } as const;
      log.push({ kind: 'command', timeMs, payload });
    }
    if (reports.length === 0) log.push({ kind: 'tick', timeMs, payload: null });
    else {
      const payload = reports.map(([report, isResolve]) => alertOf(report, isResolve, timeMs));
      log.push({ kind: 'alerts', timeMs, payload });
    }
  }
  return log;
});

const createFold = () => createPipeline({ scorer: createInlineScorer(), withHistory: false }).fold;

function create(): Pipeline {
  const pipeline = createPipeline({ scorer: createInlineScorer(), withHistory: false });
  pipeline.fold.restore(null);
  return pipeline;
}

async function foldOne({ fold }: Pipeline, entry: LogEntry): Promise<readonly TocsinFrame[]> {
  return (await fold.apply({ firstPosition: fold.position + 1, entries: [entry] })).frames;
}

describe('with storms, transients, flapping and keys', () => {
  test('batch cuts do not matter', async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(logs, sizes, async (log, sizes) => {
        expect(await runWithCuts(createFold, log, sizes)).toEqual(await runWithCuts(createFold, log));
      }),
      { numRuns: 10 },
    );
  });

  test('crash anywhere and replay from the checkpoint gives the same', async () => {
    const point = fc.record({ checkpointAt: fc.nat(42), crashAt: fc.nat(42) });
    await fc.assert(
      fc.asyncProperty(logs, fc.array(point, { minLength: 1, maxLength: 2 }), async (log, points) => {
        expect(await runWithCrashes(createFold, log, points)).toEqual(await runWithCuts(createFold, log));
      }),
      { numRuns: 10 },
    );
  });

  test('each alert that fires has its signal and its incident, and was told or says why not', async () => {
    await fc.assert(
      fc.asyncProperty(logs, async (log) => {
        const pipeline = create();
        const { stages } = pipeline;
        for (const entry of log) {
          await foldOne(pipeline, entry);
          for (const { fingerprint } of stages.intake.alerts()) {
            const signal = stages.dedup.signalOf(fingerprint);
            const candidate = stages.correlate.candidateOfSignal(signal?.id ?? '');
            expect(stages.triage.incident(candidate?.id ?? '')).toBeDefined();
            const { groups } = stages.dispatch.explain(fingerprint);
            expect(groups.map(({ receiver }) => receiver)).toEqual(['all', 'on-call']);
            for (const { isTold, heldBecause, nextFlushMs, lastPageId, receiver } of groups) {
              expect(nextFlushMs).toBeGreaterThanOrEqual(entry.timeMs);
              if (!isTold && lastPageId === null) expect(heldBecause).not.toBe('');
              // What stands for it was told to the same receiver, and is open.
              const [, rootId = ''] = /the page of (INC-\d+) stands/.exec(heldBecause) ?? [];
              if (rootId === '') continue;
              const pages = stages.dispatch.pages(rootId);
              expect(pages.some((page) => page.receiver === receiver)).toBe(true);
            }
          }
        }
      }),
      { numRuns: 15 },
    );
  });

  test('whoever was told that something fires is told of its end, and everything is forgotten', async () => {
    const isDelivered = fc.infiniteStream(fc.constantFrom(true, true, true, false));
    await fc.assert(
      fc.asyncProperty(logs, isDelivered, async (log, delivered) => {
        const pipeline = create();
        const pending: NotifyEffect[] = [];
        const last = new Map<string, string>();
        const merged = new Set<string>();
        const fold = async (entry: LogEntry) => {
          for (const { flow, effects } of await foldOne(pipeline, entry)) {
            for (const { id, state } of flow.incidents) if (state === 'merged') merged.add(id);
            pending.push(...effects.filter((effect): effect is NotifyEffect => effect.kind === 'notify'));
          }
        };
        const deliver = async (timeMs: number, isDone: () => boolean) => {
          for (const { id: effectId, payload } of pending.splice(0)) {
            const outcome = isDone()
              ? ({ status: 'done', result: null } as const)
              : ({ status: 'failed', code: 'TOC_NOTIFY_FAILED', message: '' } as const);
            const { receiver, groupKey, status, alerts } = payload;
            if (outcome.status === 'done' && alerts.length > 0) last.set(`${receiver}|${groupKey}`, status);
            await fold({ kind: 'fact', timeMs, payload: { effectId, kind: 'notify', outcome } });
          }
        };
        for (const entry of log) {
          await fold(entry);
          await deliver(entry.timeMs, () => delivered.next().value!);
        }
        let timeMs = log.at(-1)!.timeMs;
        for (const gapMs of [...Array.from({ length: 70 }, () => 60 * secondMs), 3 * 24 * 3_600_000, 1]) {
          await fold({ kind: 'tick', timeMs: (timeMs += gapMs), payload: null });
          await deliver(timeMs, () => true);
        }
        // What was told of an incident that went into another one is told on there.
        const open = [...last].filter(
          ([group, status]) => status !== 'resolved' && !merged.has(/INC-\d+/.exec(group)?.[0] ?? ''),
        );
        expect(open).toEqual([]);
        const { tables } = stateOf(pipeline.fold);
        // What is learned stays, up to a limit, and so does why the last 10,000 alerts left without a page.
        const isLearned =
          /^(calm\/(counted|rates|kinds|past|counters)|dispatch\/(counters|departures)|dedup\/families)$/;
        const left = Object.keys(tables).filter(
          (name) => /^(calm|dispatch|dedup)\//.test(name) && !isLearned.test(name),
        );
        expect(left.filter((name) => tables[name]!.length > 0)).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });

  test('these logs have storms, covers, holds and flapping in them', async () => {
    const seen = new Set<string>();
    const sample = fc.sample(logs, { numRuns: 40, seed: 4 });
    for (const log of sample) {
      const pipeline = create();
      for (const entry of log) {
        for (const { flow } of await foldOne(pipeline, entry)) {
          for (const { change } of flow.stormChanges) seen.add(`storm ${change}`);
          if (flow.covers.some(({ rootId }) => rootId !== null)) seen.add('cover');
          if (flow.holds.length > 0) seen.add('hold');
          if (flow.sightings.some(({ how }) => how === 'key')) seen.add('key');
          for (const { change } of flow.signalChanges) seen.add(change);
        }
      }
    }
    expect([...seen]).toEqual(
      expect.arrayContaining(['storm began', 'storm ended', 'cover', 'hold', 'key', 'flapping', 'escalated']),
    );
  });
});
