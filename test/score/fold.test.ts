import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LogEntry, TocsinFrame } from '../../src/incident/index.ts';
import { loadScoreModel } from '../../src/score/index.ts';
import { builtinTexts, ownTexts } from './model-scene.ts';
import { alertsAt, commandAt, configAt, minuteMs, mondayMs, Scene, type Report } from './scene.ts';

const model = (await loadScoreModel('builtin'))!;

/** A log in which baselines are known soon, with floods, resolves, changes of model and limit, and pauses. */
const logs: fc.Arbitrary<LogEntry[]> = fc
  .array(
    fc.record({
      pauseMin: fc.oneof(
        { weight: 8, arbitrary: fc.integer({ min: 0, max: 6 }) },
        fc.integer({ min: 60, max: 20_000 }),
      ),
      kind: fc.integer({ min: 0, max: 4 }),
      count: fc.oneof(
        { weight: 6, arbitrary: fc.integer({ min: 1, max: 4 }) },
        fc.integer({ min: 20, max: 60 }),
      ),
      act: fc.constantFrom(
        ...Array.from({ length: 10 }, () => 'fire' as const),
        ...(['resolve', 'resolve', 'config', 'model', 'activate', 'shadow', 'back'] as const),
      ),
    }),
    { minLength: 20, maxLength: 120 },
  )
  .map((steps) => {
    let timeMs = mondayMs;
    return steps.map(({ pauseMin, kind, count, act }, index) => {
      timeMs += pauseMin * minuteMs;
      if (act === 'activate') return commandAt(timeMs, `c${index}`, 'model.activate', ownTexts);
      if (act === 'shadow') return commandAt(timeMs, `c${index}`, 'model.shadow', builtinTexts);
      if (act === 'back') return commandAt(timeMs, `c${index}`, 'model.activate', null);
      if (act === 'config') return configAt(timeMs, { min_samples: 3, max_kinds: 10 }, null);
      if (act === 'model') return configAt(timeMs, { min_samples: 4 }, model);
      const reports: Report[] = Array.from({ length: count }, (_, i) => ({
        labels: { alertname: `Kind${kind + (count > 50 ? i : 0)}`, instance: `i${i % 5}` },
        isResolved: act === 'resolve',
      }));
      return alertsAt(timeMs, reports);
    });
  });

function scoresOf(frames: readonly TocsinFrame[]): unknown[] {
  return frames.map(({ position, timeMs, flow, effects }) => ({
    position,
    timeMs,
    scores: flow.scores,
    effects,
  }));
}

function allRows(scene: Scene): unknown[] {
  return scene.fold
    .takeCheckpoint()
    .changes.filter(({ value }) => value !== undefined)
    .toSorted((a, b) => (a.table + a.key < b.table + b.key ? -1 : 1));
}

test('batch cuts do not matter', async () => {
  await fc.assert(
    fc.asyncProperty(logs, fc.array(fc.integer({ min: 1, max: 30 })), async (log, sizes) => {
      const whole = new Scene();
      const expected = scoresOf(await whole.apply(log));
      const cut = new Scene();
      const frames: TocsinFrame[] = [];
      for (let from = 0, i = 0; from < log.length; i++) {
        const size = sizes[i] ?? 1;
        frames.push(...(await cut.apply(log.slice(from, from + size))));
        from += size;
      }
      expect(scoresOf(frames)).toEqual(expected);
      expect(allRows(cut)).toEqual(allRows(whole));
    }),
    { numRuns: 60 },
  );
});

test('a crash anywhere and going on from the checkpoint gives the same scores', async () => {
  await fc.assert(
    fc.asyncProperty(
      logs,
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
      async (log, sizes) => {
        const expected = scoresOf(await new Scene().apply(log));
        let scene = new Scene();
        const frames: TocsinFrame[] = [];
        for (let from = 0, i = 0; from < log.length; i++) {
          const size = sizes[i] ?? log.length;
          frames.push(...(await scene.apply(log.slice(from, from + size))));
          from += size;
          scene = scene.crash();
        }
        expect(scoresOf(frames)).toEqual(expected);
      },
    ),
    { numRuns: 60 },
  );
});

test('random logs do reach known kinds, so that these properties mean something', async () => {
  let scored = 0;
  for (const log of fc.sample(logs, { numRuns: 20, seed: 1 })) {
    const frames = await new Scene().apply(log);
    scored += frames.flatMap(({ flow }) => flow.scores).filter(({ state }) => state === 'scored').length;
  }
  expect(scored).toBeGreaterThan(100);
});
