import { expect, test } from 'vitest';
import {
  Fold,
  type Entry,
  type Stage,
  type StageContext,
  type StageFactory,
} from '../../src/engine/index.ts';
import { sumOf } from '../support/checkpoint.ts';

type Flow = { readonly seen: string[] };
type PlainStage = Stage<Entry, Flow>;

const tick = (timeMs: number): Entry => ({ kind: 'tick', timeMs, payload: null });
const command = (timeMs: number, payload: unknown): Entry => ({ kind: 'command', timeMs, payload });

function createFold(stages: Readonly<Record<string, StageFactory<Entry, Flow>>>): Fold<Entry, Flow> {
  return new Fold({ stages: Object.entries(stages), createFlow: () => ({ seen: [] }) });
}

/** Sets timers as commands say (`[key, dueMs]`) and tells of those that fire. */
function createAlarmClock({ timers }: StageContext): PlainStage {
  return {
    name: 'clock',
    onFrame({ entry }) {
      if (entry?.kind === 'command') timers.set(...(entry.payload as [string, number]));
    },
    onTimer: (key, { flow }) => void flow.seen.push(key),
  };
}

const createIdle: StageFactory<Entry, Flow> = () => ({ name: 'idle', onFrame: () => undefined });

async function firings(fold: Fold<Entry, Flow>, entries: readonly Entry[]): Promise<string[]> {
  const { frames } = await fold.apply({ firstPosition: fold.position + 1, entries });
  return frames.map(({ timeMs, entry, flow }) => `${timeMs} ${entry ? entry.kind : flow.seen.join()}`);
}

test('a timer fires at its own time, before the first entry whose time is the same or later', async () => {
  const fold = createFold({ clock: createAlarmClock });
  expect(await firings(fold, [command(10, ['b', 30]), command(10, ['a', 20]), tick(19), tick(30)])).toEqual([
    '10 command',
    '10 command',
    '19 tick',
    '20 a',
    '30 b',
    '30 tick',
  ]);
});

test('time never goes back: an entry that is late counts at the time of the one before it, also across a cut', async () => {
  const fold = createFold({ clock: createAlarmClock });
  expect(await firings(fold, [tick(100), command(40, ['a', 90]), tick(120)])).toEqual([
    '100 tick',
    '100 command',
    '100 a',
    '120 tick',
  ]);
  expect(await firings(fold, [tick(110)])).toEqual(['120 tick']);
  expect(fold.timeMs).toBe(120);
});

test('timers of one time fire in the order of their keys', async () => {
  const fold = createFold({ clock: createAlarmClock });
  const commands = ['c', 'a', 'b'].map((key) => command(1, [key, 5]));
  expect(await firings(fold, [...commands, tick(9)])).toEqual([
    ...Array.from({ length: 3 }, () => '1 command'),
    '5 a',
    '5 b',
    '5 c',
    '9 tick',
  ]);
});

test('a timer that is set to a time gone by fires at the time of the log, also across a cut', async () => {
  const fold = createFold({ clock: createAlarmClock });
  expect(await firings(fold, [command(100, ['late', 40])])).toEqual(['100 command']);
  expect(fold.nextDueMs()).toBe(40);
  expect(await firings(fold, [tick(130)])).toEqual(['100 late', '130 tick']);
});

test('a timer that is moved fires once, at its last time; one that is cancelled does not', async () => {
  const fold = createFold({
    clock: (context) => {
      const stage = createAlarmClock(context);
      return {
        ...stage,
        onFrame(frame) {
          if (frame.entry?.timeMs === 3) context.timers.cancel('gone');
          else stage.onFrame(frame);
        },
      };
    },
  });
  const moved = [
    command(1, ['a', 50]),
    command(1, ['a', 20]),
    command(1, ['a', 60]),
    command(1, ['gone', 30]),
  ];
  await firings(fold, moved);
  expect(await firings(fold, [command(3, null), tick(90)])).toEqual(['3 command', '60 a', '90 tick']);
});

test('a timer that is set to now for ever is a defect and not a standstill', async () => {
  const fold = createFold({
    restless: ({ timers }) => ({
      name: 'restless',
      onFrame: ({ timeMs }) => timers.set('again', timeMs),
      onTimer: (key, { timeMs }) => timers.set(key, timeMs),
    }),
  });
  await fold.apply({ firstPosition: 1, entries: [tick(1)] });
  await expect(fold.apply({ firstPosition: 2, entries: [tick(2)] })).rejects.toThrow('fires without end');
}, 60_000);

test('a timer without a finite time is a defect', async () => {
  const fold = createFold({ clock: createAlarmClock });
  await expect(fold.apply({ firstPosition: 1, entries: [command(1, ['a', NaN])] })).rejects.toThrow(
    RangeError,
  );
});

test('rows of a stage that is gone leave the store, so that it begins anew when it is put back', async () => {
  const createCounter: StageFactory<Entry, Flow> = (context) => {
    const counts = context.table<number>('counts');
    return { name: 'counter', onFrame: () => counts.set('all', (counts.get('all') ?? 0) + 1) };
  };
  const deltas = [];
  const first = createFold({ idle: createIdle, counter: createCounter });
  await first.apply({ firstPosition: 1, entries: [tick(1), tick(2)] });
  deltas.push(first.takeCheckpoint());

  const without = createFold({ idle: createIdle });
  without.restore(sumOf(deltas));
  await without.apply({ firstPosition: 3, entries: [tick(3)] });
  deltas.push(without.takeCheckpoint());
  expect(without.takeCheckpoint().changes).toEqual([]);

  const again = createFold({ idle: createIdle, counter: createCounter });
  again.restore(sumOf(deltas));
  await again.apply({ firstPosition: 4, entries: [tick(4)] });
  expect(again.snapshot().rows).toEqual([{ table: 'counter/counts', key: 'all', order: 1, value: 1 }]);
});

test('a slice that does not continue the log is refused, and the fold goes on', async () => {
  const fold = createFold({ idle: createIdle });
  await expect(fold.apply({ firstPosition: 2, entries: [tick(1)] })).rejects.toThrow(RangeError);
  await fold.apply({ firstPosition: 1, entries: [tick(1)] });
  expect(fold.position).toBe(1);
});

test('a fold in the middle of a batch gives no checkpoint and takes no other batch', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const fold = createFold({
    slow: () => ({ name: 'slow', onFrame: () => undefined, settle: () => promise }),
  });
  const applying = fold.apply({ firstPosition: 1, entries: [tick(1)] });
  expect(() => fold.takeCheckpoint()).toThrow('applying');
  await expect(fold.apply({ firstPosition: 1, entries: [tick(1)] })).rejects.toThrow('applying');
  resolve();
  await applying;
  expect(fold.takeCheckpoint().position).toBe(1);
});

test('a fold in which a stage threw is not used again', async () => {
  const fold = createFold({
    fragile: () => ({
      name: 'fragile',
      onFrame() {
        throw new Error('a defect');
      },
    }),
  });
  await expect(fold.apply({ firstPosition: 1, entries: [tick(1)] })).rejects.toThrow('a defect');
  await expect(fold.apply({ firstPosition: 1, entries: [tick(1)] })).rejects.toThrow('failed');
  expect(() => fold.takeCheckpoint()).toThrow('failed');
});

test('an effect is pending until its fact is folded in', async () => {
  const fold = createFold({
    asking: () => ({
      name: 'asking',
      onFrame({ entry, position, effects }) {
        if (entry?.kind === 'command') effects.push({ id: `e${position}`, kind: 'ask', payload: null });
      },
    }),
  });
  const fact = { effectId: 'e1', kind: 'ask', outcome: { status: 'done', result: null } };
  await fold.apply({ firstPosition: 1, entries: [command(1, 0), command(1, 0)] });
  expect(fold.pendingEffects().map(({ id }) => id)).toEqual(['e1', 'e2']);
  await fold.apply({ firstPosition: 3, entries: [{ kind: 'fact', timeMs: 2, payload: fact }] });
  expect(fold.pendingEffects().map(({ id }) => id)).toEqual(['e2']);
});
