import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { systemClock } from '../../src/app/clock.ts';
import { EffectRunner, Fold, type Effect, type Fact, type Frame } from '../../src/engine/index.ts';
import { runWithCrashes, runWithCuts } from '../support/fold.ts';
import { createToyFlow, toyStages, type ToyEntry, type ToyFlow } from '../support/toy-stages.ts';

const gapMs = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 60 }), fc.constant(500));

/** A log in which numbers arrive, time passes, alarms are answered and the threshold changes. */
const logs = fc
  .array(
    fc.record({
      gapMs,
      act: fc.oneof(
        { weight: 6, arbitrary: fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 4 }) },
        { weight: 2, arbitrary: fc.constant('tick' as const) },
        {
          weight: 2,
          arbitrary: fc.integer({ min: 0, max: 4 }).map((key) => ({ answered: `alarm/k${key}/1` })),
        },
        { weight: 1, arbitrary: fc.integer({ min: 10, max: 80 }).map((threshold) => ({ threshold })) },
      ),
    }),
    { minLength: 1, maxLength: 40 },
  )
  .map((steps) => {
    let timeMs = 1000;
    return steps.map(({ gapMs, act }): ToyEntry => {
      timeMs += gapMs;
      if (act === 'tick') return { kind: 'tick', timeMs, payload: null };
      if (Array.isArray(act)) return { kind: 'alerts', timeMs, payload: act };
      if ('threshold' in act) return { kind: 'config', timeMs, payload: act };
      const outcome = { status: 'done', result: null } as const;
      return { kind: 'fact', timeMs, payload: { effectId: act.answered, kind: 'alarm', outcome } };
    });
  });

const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 10 });

const crashes = fc.array(
  fc
    .tuple(fc.nat(40), fc.nat(40))
    .map(([a, b]) => ({ checkpointAt: Math.min(a, b), crashAt: Math.max(a, b) })),
  { minLength: 1, maxLength: 4 },
);

const createFold =
  (stageCount = toyStages.length) =>
  (): Fold<ToyEntry, ToyFlow> =>
    new Fold({ stages: toyStages.slice(0, stageCount), createFlow: createToyFlow });

test('batch cuts do not matter', async () => {
  await fc.assert(
    fc.asyncProperty(logs, sizes, async (log, sizes) => {
      expect(await runWithCuts(createFold(), log, sizes)).toEqual(await runWithCuts(createFold(), log));
    }),
  );
});

test('crash anywhere and replay gives the same state and the same effects', async () => {
  await fc.assert(
    fc.asyncProperty(logs, crashes, sizes, async (log, crashes, sizes) => {
      expect(await runWithCrashes(createFold(), log, crashes, sizes)).toEqual(
        await runWithCuts(createFold(), log),
      );
    }),
  );
});

test('timers fire in log-time order', async () => {
  await fc.assert(
    fc.asyncProperty(logs, sizes, async (log, sizes) => {
      const { frames } = await runWithCuts(createFold(), log, sizes);
      const times = frames.map(({ timeMs }) => timeMs);
      expect(times).toEqual(times.toSorted((a, b) => a - b));
      // Every alarm is on time: 20 ms after it was set, which its payload tells, although nothing woke the fold then.
      for (const { flow, timeMs } of frames) {
        for (const { dueMs } of flow.alarms) expect(timeMs).toBe(dueMs);
      }
    }),
  );
});

test("no stage reads a later stage's state", async () => {
  const withoutLater = (frames: readonly Frame<ToyEntry, ToyFlow>[]) =>
    frames
      .filter(({ entry, flow }) => entry !== null || flow.sums.length > 0)
      .map(({ position, timeMs, entry, flow }) => ({ position, timeMs, entry, sums: flow.sums }));
  await fc.assert(
    fc.asyncProperty(logs, sizes, async (log, sizes) => {
      const all = await runWithCuts(createFold(), log, sizes);
      const alone = await runWithCuts(createFold(1), log, sizes);
      expect(withoutLater(alone.frames)).toEqual(withoutLater(all.frames));
      expect(alone.state.tables['sums/sums']).toEqual(all.state.tables['sums/sums']);
      expect(alone.state.tables['sums/timers']).toEqual(all.state.tables['sums/timers']);
    }),
  );
});

test('an effect once recorded as done is not carried out again', async () => {
  const lives = fc.array(
    fc.record({
      ids: fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 6 }),
      /** Where the process dies: before the claim is in the log, while the effect is carried out, before it is recorded, before its fact is in the log. */
      diesAt: fc.constantFrom('nowhere', 'claiming', 'carrying', 'recording', 'appending'),
    }),
    { minLength: 1, maxLength: 12 },
  );
  await fc.assert(
    fc.asyncProperty(lives, async (lives) => {
      const recorded = new Map<string, Fact['outcome']>();
      const claimed = new Set<string>();
      const facts = new Map<string, Fact['outcome']>();
      for (const { ids, diesAt } of lives) {
        const endedBefore = new Set([...recorded.keys(), ...facts.keys()]);
        const carried: string[] = [];
        const death = new Promise<never>(() => undefined);
        const runner = new EffectRunner({
          carriers: {
            alarm: async ({ id }) => {
              if (diesAt === 'carrying') return death;
              carried.push(id);
              return id;
            },
          },
          laneOf: ({ id }) => id,
          deliveries: {
            outcomeOf: async (effectId) => recorded.get(effectId),
            record: async (effectId, outcome) => {
              if (diesAt === 'recording') await death;
              recorded.set(effectId, outcome);
            },
          },
          repeatableKinds: new Set(),
          appendClaim: async ({ effectId, isRepeated }) => {
            if (diesAt === 'claiming') await death;
            expect(isRepeated).toBe(claimed.has(effectId));
            claimed.add(effectId);
          },
          appendFact: async ({ effectId, outcome }) => {
            if (diesAt === 'appending') await death;
            facts.set(effectId, outcome);
          },
          clock: systemClock,
        });
        const claimedBefore = new Set(claimed);
        const pending = ids.map((id) => `effect-${id}`).filter((id) => !facts.has(id));
        runner.run(
          pending.map((id): Effect => ({ id, kind: 'alarm', payload: null })),
          (id) => claimedBefore.has(id),
        );
        await new Promise((resolve) => setImmediate(resolve));

        expect(carried.filter((id) => endedBefore.has(id))).toEqual([]);
        expect(carried).toEqual([...new Set(carried)]);
        expect(carried.every((id) => claimed.has(id))).toBe(true);
        if (diesAt === 'nowhere') expect(pending.every((id) => facts.has(id))).toBe(true);
      }
      for (const [effectId, outcome] of facts) expect(outcome).toEqual({ status: 'done', result: effectId });
    }),
  );
});
