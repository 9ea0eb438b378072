import { expect, test } from 'vitest';
import { fingerprint, labelsOf, type Alert } from '../../src/alert/index.ts';
import { tocsinConfig } from '../../src/app/config-schema.ts';
import { createPipeline } from '../../src/app/pipeline.ts';
import { createReadModel } from '../../src/app/read-model.ts';
import { renderExplanation } from '../../src/app/render-explanation.ts';
import { createInlineScorer } from '../../src/score/index.ts';

const startMs = Date.UTC(2026, 0, 5, 9);

function alertOf(service: string, atMs: number): Alert {
  const labels = labelsOf({ alertname: 'LinkDown', service, severity: 'warning', environment: 'prod' });
  return {
    fingerprint: fingerprint(labels),
    domain: 'default',
    labels,
    annotations: labelsOf({ summary: `${service} lost its link` }),
    startsAtMs: atMs,
    endsAtMs: atMs + 3_600_000,
    endsByTimeout: true,
    receivedAtMs: atMs,
    generatorUrl: '',
    source: 'test',
  };
}

test('a storm, and what it keeps back, can be asked for and read', async () => {
  const { fold, stages } = createPipeline({ scorer: createInlineScorer(), withHistory: false });
  fold.restore(null);
  const payload = JSON.parse(
    JSON.stringify(
      tocsinConfig.parse({
        route: { receiver: 'console', group_by: ['incident'], group_wait: '10s', min_priority: 'P5' },
        correlate: { threshold: 100, merge_threshold: 100 },
        storms: { min_signals: 4, learning_signals: 5 },
      }),
    ),
  ) as Readonly<Record<string, unknown>>;
  const alerts = Array.from({ length: 12 }, (_, i) => alertOf(`rack-${i}`, startMs + i * 1000));
  const tickMs = startMs + 40_000;
  await fold.apply({
    firstPosition: 1,
    entries: [
      { kind: 'config', timeMs: startMs, payload },
      ...alerts.map((alert) => ({ kind: 'alerts' as const, timeMs: alert.receivedAtMs, payload: [alert] })),
      { kind: 'tick', timeMs: tickMs, payload: null },
    ],
  });
  const read = createReadModel(stages, { integrations: () => [] });
  expect(await read.storms()).toMatchObject([
    { id: 'STORM-1', state: 'on', signalCount: 12, coveredCount: 11 },
  ]);
  const storm = renderExplanation(await read.explain('STORM-1'));
  expect(storm).toContain('5 signals in 5m while it is still being learned what is usual');
  expect(storm).toContain('LinkDown');
  const [root, covered] = [...stages.triage.incidents()];
  expect(await read.incident(root!.id)).toMatchObject({
    calm: [{ code: 'storm_root', text: expect.stringMatching(/^stands for 11 more incidents/) as string }],
  });
  const told = renderExplanation(await read.explain(covered!.id));
  expect(told).toContain(`STORM-1: ${root!.id} stands for it, since ${root!.id} says the same: LinkDown`);
  const held = renderExplanation(await read.explain(alerts[1]!.fingerprint));
  expect(held).toContain(`STORM-1: the page of ${root!.id} stands for it`);
});
