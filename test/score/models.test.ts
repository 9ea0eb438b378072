import { describe, expect, test } from 'vitest';
import { labelsToObject } from '../../src/alert/index.ts';
import type { LogEntry, OwnAlertEffect, TocsinFrame } from '../../src/incident/index.ts';
import { behaviourFeatures, loadScoreModel, sha256, stabilityIndex } from '../../src/score/index.ts';
import { createDice } from '../../models/quiet-weeks.ts';
import { builtinTexts, changedTexts, ownTexts } from './model-scene.ts';
import { alertsAt, commandAt, configAt, dayMs, hourMs, minuteMs, mondayMs, Scene } from './scene.ts';

const builtin = (await loadScoreModel('builtin'))!;
const ownHash = sha256(ownTexts.modelText);

async function answerTo(scene: Scene, entry: LogEntry): Promise<unknown> {
  return (await scene.apply([entry])).at(-1)!.flow.answer;
}

/** Alerts of twelve kinds, each some times a day, for `days`. */
function streamOf(fromMs: number, days: number, seed = 5, perDay = 14): LogEntry[] {
  const dice = createDice(seed);
  const entries: LogEntry[] = [];
  let firing: { labels: { alertname: string; instance: string } }[] = [];
  for (let timeMs = fromMs; timeMs < fromMs + days * dayMs; timeMs += 5 * minuteMs) {
    const resolved = firing.map((report) => ({ ...report, isResolved: true }));
    firing = [];
    for (let kind = 0; kind < 12; kind++) {
      const count = dice.next() < perDay / 288 ? 1 + dice.poisson(0.5) : 0;
      for (let i = 0; i < count; i++)
        firing.push({ labels: { alertname: `Kind${kind}`, instance: `i${i}` } });
    }
    if (resolved.length + firing.length > 0)
      entries.push(alertsAt(timeMs + dice.between(0, 299) * 1000, [...resolved, ...firing]));
  }
  return entries;
}

describe('a command that activates a model', () => {
  test('puts it in force, survives a restart, and is taken back by another', async () => {
    const scene = new Scene();
    await scene.apply([configAt(mondayMs, {}, builtin)]);
    const answer = await answerTo(scene, commandAt(mondayMs + 1, 'a', 'model.activate', ownTexts));
    expect(answer).toEqual({ status: 'done', result: { model: { name: 'own', hash: ownHash } } });
    const restored = scene.crash();
    expect(restored.stage.models().active).toEqual({
      name: 'own',
      hash: ownHash,
      by: 'ann',
      sinceMs: mondayMs + 1,
    });
    await restored.apply([commandAt(mondayMs + 2, 'b', 'model.activate', null)]);
    expect(restored.stage.models().active).toMatchObject({ hash: builtin.hash, by: null });
  });

  test('outlasts a configuration that names the same model as before, and gives way to one that names another', async () => {
    const scene = new Scene();
    await scene.apply([
      configAt(mondayMs, {}, builtin),
      commandAt(mondayMs + 1, 'a', 'model.activate', ownTexts),
    ]);
    await scene.apply([configAt(mondayMs + 2, { min_samples: 4 }, builtin)]);
    expect(scene.stage.modelHash).toBe(ownHash);
    await scene.apply([configAt(mondayMs + 3, { model: 'none' }, null)]);
    expect(scene.stage.modelHash).toBeNull();
  });

  test.for([
    ['another hash', { ...ownTexts, modelText: `${ownTexts.modelText} ` }, 'SHA-256'],
    ['other features', changedTexts({ features: behaviourFeatures.toReversed() }), 'trained on the features'],
    [
      'other features in its manifest',
      changedTexts({}, { features: ['a'] }),
      'it was trained on the features a; this version',
    ],
    ['no model in it', changedTexts({ centroids: [[1]] }), 'model.json is not a model: centroids.0'],
    ['no manifest', { ...ownTexts, manifestText: 'x' }, 'manifest.json is not a manifest'],
  ] as const)('is refused with the reason for %s, and changes nothing', async ([, texts, why]) => {
    const scene = new Scene();
    await scene.apply([configAt(mondayMs, {}, builtin)]);
    const answer = await answerTo(scene, commandAt(mondayMs + 1, 'a', 'model.activate', texts));
    expect(answer).toMatchObject({
      status: 'refused',
      code: 'invalid',
      message: expect.stringContaining(why) as string,
    });
    expect(scene.stage.modelHash).toBe(builtin.hash);
  });
});

describe('a model in the shadow', () => {
  /** Every behaviour is at a distance of all centroids that training never saw. */
  const farTexts = changedTexts({
    name: 'far',
    centroids: [behaviourFeatures.map(() => 40)],
    tail: [
      [0.5, 1],
      [0.001, 2],
    ],
  });

  test('changes no score and reports what it would have changed', async () => {
    const stream = streamOf(mondayMs + 2, 12);
    const begin = configAt(mondayMs, {}, builtin);
    const plain = await new Scene().scores([begin, ...stream]);
    const scene = new Scene();
    const shadowed = await scene.scores([
      begin,
      commandAt(mondayMs + 1, 'a', 'model.shadow', farTexts),
      ...stream,
    ]);
    expect(shadowed).toEqual(plain);
    const { shadow, candidate } = scene.stage.models();
    expect(candidate?.name).toBe('far');
    const scored = plain.filter(({ state }) => state === 'scored').length;
    // Signals of one kind share a score within a frame.
    expect(shadow!.scored).toBeGreaterThan(scored / 3);
    expect(shadow!.bands.flat().reduce((a, b) => a + b)).toBe(shadow!.scored);
    expect(shadow!.raised + shadow!.lowered).toBeGreaterThan(0);
    expect(shadow!.examples.length).toBeGreaterThan(0);
  });

  test('that is the one in force would have changed nothing', async () => {
    const scene = new Scene();
    await scene.apply([
      configAt(mondayMs, {}, builtin),
      commandAt(mondayMs + 1, 'a', 'model.shadow', builtinTexts),
    ]);
    await scene.apply(streamOf(mondayMs + 2, 6));
    expect(scene.stage.models().shadow).toMatchObject({ raised: 0, lowered: 0, meanDifference: 0 });
    expect(scene.stage.models().shadow!.scored).toBeGreaterThan(100);
  });

  test('leaves it when it is put in force, or told to', async () => {
    const scene = new Scene();
    await scene.apply([
      configAt(mondayMs, {}, builtin),
      commandAt(mondayMs + 1, 'a', 'model.shadow', ownTexts),
    ]);
    await scene.apply([commandAt(mondayMs + 2, 'b', 'model.activate', ownTexts)]);
    expect(scene.stage.models()).toMatchObject({ active: { name: 'own' }, candidate: null, shadow: null });
    await scene.apply([commandAt(mondayMs + 3, 'c', 'model.shadow', builtinTexts)]);
    expect(scene.stage.models().candidate?.name).toBe('alert-stream');
    await scene.apply([commandAt(mondayMs + 4, 'd', 'model.shadow', null)]);
    expect(scene.stage.models()).toMatchObject({ candidate: null, shadow: null });
  });
});

describe('drift', () => {
  function ownAlerts(frames: readonly TocsinFrame[]): OwnAlertEffect['payload'][] {
    return frames.flatMap(({ effects }) =>
      effects
        .filter(({ kind }) => kind === 'own-alert')
        .map(({ payload }) => payload as OwnAlertEffect['payload']),
    );
  }

  test('of a stream unlike the training raises an alert of Tocsin itself, repeats it, and ends it with the model', async () => {
    const scene = new Scene();
    await scene.apply([
      configAt(mondayMs, { drift: { min_periods: 100 } }, builtin),
      commandAt(mondayMs + 1, 'a', 'model.activate', ownTexts),
    ]);
    const raised = ownAlerts(await scene.apply(streamOf(mondayMs + 2, 4)));
    expect(raised.length).toBeGreaterThan(2);
    const [first] = raised;
    expect(labelsToObject(first!.labels)).toMatchObject({ alertname: 'TocsinModelDrift', model: 'own' });
    expect(labelsToObject(first!.annotations)['description']).toMatch(
      /stability index [\d.]+ where at most 0.25/,
    );
    expect(new Set(raised.map(({ startsAtMs }) => startsAtMs)).size).toBe(1);
    expect(scene.stage.models().drift.state).toBe('drifting');
    const atMs = mondayMs + 4 * dayMs;
    const ended = ownAlerts(
      await scene.apply([
        configAt(atMs, { drift: { enabled: false } }, builtin),
        { kind: 'tick', timeMs: atMs + 2 * hourMs, payload: null },
      ]),
    );
    expect(ended).toMatchObject([{ startsAtMs: first!.startsAtMs }]);
    expect(ended[0]!.endsAtMs).toBeLessThan(atMs + 2 * hourMs);
  });

  test('from generated data is not watched', async () => {
    const scene = new Scene();
    await scene.apply([configAt(mondayMs, { drift: { min_periods: 100 } }, builtin)]);
    expect(ownAlerts(await scene.apply(streamOf(mondayMs + 2, 4)))).toEqual([]);
    expect(scene.stage.models().drift.state).toBe('unwatched');
  });

  test('is measured by the population stability index', () => {
    expect(stabilityIndex([50, 50], [0.5, 0.5])).toBe(0);
    // (0.8 - 0.5) ln(0.8 / 0.5) + (0.2 - 0.5) ln(0.2 / 0.5)
    expect(stabilityIndex([80_000, 20_000], [0.5, 0.5])).toBeCloseTo(0.4159, 3);
    expect(stabilityIndex([100, 0], [0, 1])).toBeLessThan(20);
  });
});
