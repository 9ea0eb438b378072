import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  EffectRunner,
  Fold,
  type Checkpoint,
  type Effect,
  type Fact,
  type Frame,
  type TableChange,
} from '../../src/engine/index.ts';
import { createToyFlow, toyStages, type ToyEntry, type ToyFlow } from '../support/toy-stages.ts';

const entries = fc
  .array(
    fc.record({
      gapMs: fc.integer({ min: 0, max: 60 }),
      values: fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 4 }),
    }),
    {
      minLength: 1,
      maxLength: 40,
    },
  )
  .map((steps) => {
    let timeMs = 1000;
    return steps.map(({ gapMs, values }): ToyEntry => {
      timeMs += gapMs;
      return values.length === 0
        ? { kind: 'tick', timeMs, payload: null }
        : { kind: 'alerts', timeMs, payload: values };
    });
  });

const cuts = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 40 });

type ToyFold = Fold<ToyEntry, ToyFlow>;

function createFold(stageCount = toyStages.length): ToyFold {
  const fold: ToyFold = new Fold({ stages: toyStages.slice(0, stageCount), createFlow: createToyFlow });
  fold.restore(null);
  return fold;
}

async function run(
  fold: ToyFold,
  log: readonly ToyEntry[],
  sizes: readonly number[],
): Promise<Frame<ToyEntry, ToyFlow>[]> {
  const frames: Frame<ToyEntry, ToyFlow>[] = [];
  for (let turn = 0; fold.position < log.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    const slice = {
      firstPosition: fold.position + 1,
      entries: log.slice(fold.position, fold.position + size),
    };
    frames.push(...(await fold.apply(slice)).frames);
  }
  return frames;
}

/** Every live row of a fold, in the order in which its stages walk them. */
function rowsOf(fold: ToyFold): TableChange[] {
  return sumUp([fold.takeCheckpoint().changes]).rows.map((row) => ({ ...row }));
}

/** What a store makes of deltas: the last change of each row counts. */
function sumUp(deltas: readonly (readonly TableChange[])[]): Checkpoint {
  const rows = new Map<string, TableChange>();
  for (const change of deltas.flat()) {
    const key = `${change.table}\n${change.key}`;
    if (change.value === undefined) rows.delete(key);
    else rows.set(key, change);
  }
  return {
    position: 0,
    timeMs: 0,
    rows: [...rows.values()].map((row) => structuredClone({ ...row, value: row.value })),
  };
}

test('batch cuts do not matter', async () => {
  await fc.assert(
    fc.asyncProperty(entries, cuts, async (log, sizes) => {
      const whole = createFold();
      const cut = createFold();
      expect(await run(cut, log, sizes)).toEqual(await run(whole, log, [log.length]));
      expect(byKey(rowsOf(cut))).toEqual(byKey(rowsOf(whole)));
    }),
  );
});

test('crash anywhere and replay gives the same state and the same effects', async () => {
  await fc.assert(
    fc.asyncProperty(
      entries,
      cuts,
      fc.integer({ min: 0, max: 40 }),
      fc.integer({ min: 0, max: 40 }),
      async (log, sizes, first, second) => {
        const whole = createFold();
        const expected = await run(whole, log, [log.length]);

        const [checkpointAt, crashAt] = [first % (log.length + 1), second % (log.length + 1)].sort(
          (a, b) => a - b,
        ) as [number, number];
        const before = createFold();
        await run(before, log.slice(0, checkpointAt), sizes);
        const delta = before.takeCheckpoint();
        const checkpoint = { ...sumUp([delta.changes]), position: delta.position, timeMs: delta.timeMs };
        await run(before, log.slice(0, crashAt), sizes);

        const after: ToyFold = new Fold({ stages: toyStages, createFlow: createToyFlow });
        after.restore(checkpoint);
        const replayed = await run(after, log, sizes);
        expect(replayed).toEqual(expected.filter(({ position }) => position > checkpointAt));
        expect(after.pendingEffects()).toEqual(whole.pendingEffects());
        expect(after.nextDueMs()).toEqual(whole.nextDueMs());
      },
    ),
  );
});

test('timers fire in log-time order', async () => {
  await fc.assert(
    fc.asyncProperty(entries, cuts, async (log, sizes) => {
      const frames = await run(createFold(), log, sizes);
      const times = frames.map(({ timeMs }) => timeMs);
      expect(times).toEqual(times.toSorted((a, b) => a - b));
    }),
  );
});

test("no stage reads a later stage's state", async () => {
  await fc.assert(
    fc.asyncProperty(entries, cuts, async (log, sizes) => {
      const all = await run(createFold(), log, sizes);
      const alone = await run(createFold(1), log, sizes);
      const sums = (frames: readonly Frame<ToyEntry, ToyFlow>[]) =>
        frames.map(({ flow }) => flow.sums).filter((list) => list.length > 0);
      expect(sums(alone)).toEqual(sums(all));
    }),
  );
});

test('an effect once recorded as done is not carried out again', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 30 }),
      fc.array(fc.boolean(), { maxLength: 30 }),
      async (ids, crashes) => {
        const recorded = new Map<string, Fact['outcome']>();
        const carried: string[] = [];
        for (const [turn, id] of ids.entries()) {
          const effect: Effect = { id: `effect-${id}`, kind: 'alarm', payload: null };
          const isCrash = crashes[turn] ?? false;
          const runner = new EffectRunner({
            carriers: { alarm: async ({ id: effectId }) => carried.push(effectId) },
            laneOf: () => 'one',
            deliveries: {
              outcomeOf: async (effectId) => recorded.get(effectId),
              record: async (effectId, outcome) => void recorded.set(effectId, outcome),
            },
            repeatableKinds: new Set(),
            appendFact: async () => {
              if (isCrash) throw new Error('the process died before its fact was in the log');
            },
            nowMs: () => 0,
          });
          runner.run([effect]);
          await runner.idle();
        }
        expect(carried.toSorted()).toEqual([...new Set(carried)].toSorted());
        expect(new Set(carried)).toEqual(new Set(recorded.keys()));
      },
    ),
  );
});

function byKey(rows: readonly TableChange[]): TableChange[] {
  return rows.toSorted((a, b) => (`${a.table}/${a.key}` < `${b.table}/${b.key}` ? -1 : 1));
}
