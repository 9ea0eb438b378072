import { expect, test } from 'vitest';
import type { StageFactory } from '../../src/engine/index.ts';
import { stateOf } from '../support/fold.ts';
import { toyStages, type ToyEntry, type ToyFlow } from '../support/toy-stages.ts';
import { Fold } from '../../src/engine/index.ts';
import { Scene, settled } from './scene.ts';

test('who waits for an entry hears when it is applied', async () => {
  const scene = new Scene();
  const { owner, fold } = scene.open();
  await owner.start();
  const position = await scene.report(7);
  expect(await owner.applied(position)).toBe(true);
  expect(fold.position).toBe(position);
  expect(owner.lagCount).toBe(0);
  await owner.stop();
  expect(await owner.applied(position + 1)).toBe(false);
});

test('who still waits when the partition stops hears that it was not applied', async () => {
  const scene = new Scene();
  const { owner } = scene.open();
  await owner.start();
  const waiting = owner.applied(99);
  await owner.stop();
  expect(await waiting).toBe(false);
});

test('a timer that falls due while nothing arrives costs one tick, at its time', async () => {
  const scene = new Scene();
  const { owner } = scene.open();
  await owner.start();
  await scene.report(1);
  await scene.clock.goTo(5000);
  // The one timer of the sums: forgotten 50 ms after it was last touched.
  expect(scene.log.entries.map(({ kind, timeMs }) => `${kind} ${timeMs}`)).toEqual([
    'alerts 1000',
    'tick 1050',
  ]);
  await owner.stop();
});

test('a clock that fires early does not make ticks before the time', async () => {
  const scene = new Scene();
  const clock = {
    nowMs: () => scene.clock.nowMs() - 1,
    setTimer: (dueMs: number, fire: () => void) => scene.clock.setTimer(dueMs, fire),
  };
  const { owner } = scene.open({ clock });
  await owner.start();
  await scene.report(1);
  await scene.clock.goTo(5000);
  expect(scene.log.entries.filter(({ kind }) => kind === 'tick').map(({ timeMs }) => timeMs)).toEqual([1050]);
  await owner.stop();
});

test('there is one tick for a time, however much arrives while it is on its way', async () => {
  const scene = new Scene();
  const { owner } = scene.open();
  await owner.start();
  await scene.report(1);
  await settled();
  const append = scene.log.append.bind(scene.log);
  const { promise: diskIsSlow, resolve } = Promise.withResolvers<void>();
  scene.log.append = async (draft) => {
    if (draft.kind === 'tick') await diskIsSlow;
    return append(draft);
  };
  const going = scene.clock.goTo(1050);
  await settled();
  for (let turn = 0; turn < 5; turn++) {
    await append({ kind: 'config', timeMs: 1010 + turn, payload: { threshold: 40 } });
    await settled();
  }
  resolve();
  await going;
  await settled();
  expect(scene.log.entries.filter(({ kind }) => kind === 'tick')).toHaveLength(1);
  await owner.stop();
});

test('a tick that the log refuses comes a second later', async () => {
  const scene = new Scene();
  const { owner } = scene.open();
  await owner.start();
  await scene.report(1);
  await settled();
  scene.log.isFull = true;
  await scene.clock.goTo(2500);
  scene.log.isFull = false;
  await scene.clock.goTo(9000);
  expect(scene.log.entries.map(({ kind, timeMs }) => `${kind} ${timeMs}`)).toEqual([
    'alerts 1000',
    'tick 3050',
  ]);
  await owner.stop();
});

test('effects of the log are carried out once it is caught up, and only those that it does not know to have ended', async () => {
  const scene = new Scene();
  const first = scene.open();
  scene.carry = () => new Promise(() => undefined);
  await first.owner.start();
  await scene.report(45);
  await scene.clock.goTo(1020);
  // The process dies while it carries the first alarm out.
  scene.carry = async ({ id }) => void scene.carried.push(id);
  const second = scene.open();
  await second.owner.start();
  await settled();
  expect(scene.carried).toEqual(['alarm/k0/1']);
  expect(scene.log.entries.at(-1)).toMatchObject({ kind: 'fact', payload: { effectId: 'alarm/k0/1' } });
  await second.owner.stop();

  const third = scene.open();
  await third.owner.start();
  await settled();
  expect(scene.carried).toEqual(['alarm/k0/1']);
  expect(third.fold.pendingEffects()).toEqual([]);
  await third.owner.stop();
});

test('a new owner is where the last one was, from its checkpoint and the entries after it', async () => {
  const scene = new Scene();
  const first = scene.open({ checkpointIntervalMs: 30 });
  await first.owner.start();
  for (let turn = 0; turn < 20; turn++) {
    await scene.clock.goTo(1000 + 10 * turn);
    await scene.report(turn, turn + 11);
  }
  await settled();
  expect(scene.checkpoints.length).toBeGreaterThan(3);
  const second = scene.open();
  await second.owner.start();
  expect(stateOf(second.fold)).toEqual(stateOf(first.fold));
});

test('a checkpoint waits for the rows before it, while folding goes on', async () => {
  const scene = new Scene();
  const { owner, fold } = scene.open({ checkpointIntervalMs: 10 });
  await owner.start();
  scene.sink.isDown = true;
  await scene.report(45);
  await scene.clock.goTo(1500);
  const position = await scene.report(1);
  expect(await owner.applied(position)).toBe(true);
  await settled();
  expect(scene.checkpoints).toEqual([]);
  scene.sink.comeUp();
  await settled();
  expect(scene.checkpoints).toHaveLength(1);
  await scene.report(2);
  await scene.clock.goTo(1600);
  expect(scene.checkpoints.at(-1)).toBe(fold.position);
  await owner.stop();
});

test('what a store that was away did not take is in the next checkpoint', async () => {
  const scene = new Scene();
  const { owner, fold } = scene.open({ checkpointIntervalMs: 10 });
  await owner.start();
  scene.store.isAway = true;
  for (const turn of [1, 2, 3]) {
    await scene.report(turn);
    await scene.clock.goTo(1000 + 12 * turn);
    await scene.report(4);
    await settled();
  }
  expect(scene.checkpointErrors.length).toBeGreaterThan(1);
  expect(scene.checkpoints).toEqual([]);
  scene.store.isAway = false;
  await scene.report(5);
  await settled();
  await owner.stop();
  expect(Object.keys(Object.fromEntries(stateOf(fold).tables['sums/sums'] ?? []))).toHaveLength(5);
  const next = scene.open();
  await next.owner.start();
  expect(stateOf(next.fold)).toEqual(stateOf(fold));
});

test('stopping does not wait for ever for a history that is down, and the checkpoint is left out', async () => {
  const scene = new Scene();
  const { owner } = scene.open({ checkpointIntervalMs: 10 });
  await owner.start();
  await scene.report(45);
  await scene.clock.goTo(1500);
  const before = scene.checkpoints.length;
  scene.sink.isDown = true;
  await scene.report(1);
  await settled();
  await settled();
  const stopping = owner.stop();
  await scene.clock.goTo(60_000);
  await stopping;
  // What the writer gives up when it closes must not count as written.
  scene.sink.comeUp();
  await settled();
  expect(scene.checkpoints).toHaveLength(before);
});

test('a stage that throws stops the partition and nothing else', async () => {
  const scene = new Scene();
  const fragile: StageFactory<ToyEntry, ToyFlow> = () => ({
    name: 'fragile',
    onFrame({ entry }) {
      if (entry?.kind === 'alerts' && entry.payload.includes(13)) throw new Error('a defect');
    },
  });
  const fold = new Fold<ToyEntry, ToyFlow>({
    stages: [...toyStages, ['fragile', fragile]],
    createFlow: () => ({ sums: [], alarms: [], settled: [] }),
  });
  const { owner } = scene.open({ fold });
  await owner.start();
  await scene.report(1);
  const position = await scene.report(13);
  expect(await owner.applied(position)).toBe(false);
  expect(owner.isFailed).toBe(true);
  expect(scene.failures).toMatchObject([
    {
      code: 'TOC_PARTITION_FAILED',
      message: expect.stringContaining('position'),
      cause: { message: 'a defect' },
    },
  ]);
  await scene.report(2);
  await scene.clock.goTo(9000);
  expect(scene.failures).toHaveLength(1);
  expect(scene.log.entries).toHaveLength(3);
  await owner.stop();
  expect(scene.checkpoints).toEqual([]);
});

test('a log that ends before the checkpoint is told, and nothing is folded', async () => {
  const scene = new Scene();
  const { owner } = scene.open();
  await owner.start();
  await scene.report(1);
  await scene.report(2);
  await settled();
  await owner.stop();
  scene.log.entries.length = 1;
  await expect(scene.open().owner.start()).rejects.toMatchObject({ code: 'TOC_LOG_CORRUPT' });
});

test('entries that did not fit into memory are read from the log, each once', async () => {
  const scene = new Scene();
  const { owner, fold } = scene.open();
  await owner.start();
  // Each of these is more than the inbox takes.
  const values = Array.from({ length: 60_000 }, () => 5);
  const positions = await Promise.all(Array.from({ length: 6 }, () => scene.report(...values)));
  expect(await owner.applied(positions.at(-1)!)).toBe(true);
  expect(scene.log.reads).toBeGreaterThan(0);
  expect(stateOf(fold).tables['sums/sums']).toEqual([['k0', { total: 6 * 60_000 * 5, lastMs: 1000 }]]);
  await owner.stop();
});

test('others get the thread while a long queue is folded', async () => {
  const scene = new Scene();
  for (let turn = 0; turn < 5000; turn++)
    scene.log.entries.push({ kind: 'alerts', timeMs: 1000, payload: [1] });
  const { owner } = scene.open();
  let turns = 0;
  const others = setInterval(() => turns++, 0);
  await owner.start();
  clearInterval(others);
  expect(turns).toBeGreaterThan(3);
  await owner.stop();
});

test('stopping ends a replay in the middle', async () => {
  const scene = new Scene();
  for (let turn = 0; turn < 20_000; turn++)
    scene.log.entries.push({ kind: 'alerts', timeMs: 1000, payload: [1] });
  const { owner, fold } = scene.open();
  const starting = owner.start();
  await new Promise((resolve) => setImmediate(resolve));
  await owner.stop();
  await starting;
  expect(fold.position).toBeLessThan(20_000);
  await scene.report(1);
  await settled();
  expect(await owner.applied(scene.log.lastPosition)).toBe(false);
});

test('a replay waits for a history that lags, but not for one that is down', async () => {
  const scene = new Scene();
  const chatty: StageFactory<ToyEntry, ToyFlow> = () => ({
    name: 'chatty',
    onFrame({ rows, position }) {
      for (let index = 0; index < 1000; index++)
        rows.push({ table: 'rows', id: `${position}/${index}`, row: {} });
    },
  });
  const fold = new Fold<ToyEntry, ToyFlow>({
    stages: [['chatty', chatty]],
    createFlow: () => ({ sums: [], alarms: [], settled: [] }),
  });
  for (let turn = 0; turn < 300; turn++)
    scene.log.entries.push({ kind: 'tick', timeMs: 1000, payload: null });
  scene.sink.isDown = true;
  const { owner } = scene.open({ fold });
  const starting = owner.start();
  await settled();
  expect(scene.sink.rows.length).toBeLessThan(100_000);
  await scene.clock.goTo(20_000);
  await starting;
  expect(scene.sink.rows).toHaveLength(1000 * scene.log.entries.length);
  expect(scene.log.entries.length).toBeGreaterThanOrEqual(300);
});

test('the log is told when nobody followed it: before anything falls due, and only then', async () => {
  const scene = new Scene();
  const first = scene.open().owner;
  await first.start();
  await scene.report(1);
  await first.stop();
  await scene.clock.goTo(60_000);
  const second = scene.open().owner;
  await second.start();
  const told = (): string[] => scene.log.entries.map(({ kind, timeMs }) => `${kind} ${timeMs}`);
  expect(told()).toEqual(['alerts 1000', 'resume 1000']);
  expect(scene.log.entries[1]?.payload).toEqual({ atMs: 60_000 });
  await scene.clock.goTo(61_000);
  await second.stop();

  const third = scene.open().owner;
  await third.start();
  await third.stop();
  expect(told().filter((text) => text.startsWith('resume'))).toHaveLength(1);
});

test('who takes over from an owner that followed an idle log to its end does not say that nobody did', async () => {
  const scene = new Scene();
  const first = scene.open().owner;
  await first.start();
  await scene.report(1);
  await first.stop();
  await scene.clock.goTo(60_000);
  const told = (): string[] => scene.log.entries.map(({ kind, timeMs }) => `${kind} ${timeMs}`);
  const second = scene.open({ leads: false }).owner;
  await second.start();
  await second.lead(55_000);
  expect(told().filter((text) => text.startsWith('resume'))).toEqual([]);
  await second.stop();
  const entriesBefore = scene.log.entries.length;
  await scene.clock.goTo(120_000);
  const third = scene.open({ leads: false }).owner;
  await third.start();
  await third.lead(100_000);
  expect(told().slice(entriesBefore)).toEqual(['resume 100000']);
  await third.stop();
});

test('an owner that waits for a log which does not answer is stopped all the same', async () => {
  const scene = new Scene();
  await scene.log.append({ kind: 'config', timeMs: 1000, payload: { threshold: 40 } });
  const { promise: answers, resolve: answer } = Promise.withResolvers<void>();
  const read = scene.log.read.bind(scene.log);
  scene.log.read = async (...from) => {
    await answers;
    return read(...from);
  };
  const { owner, fold } = scene.open({ stopGraceMs: 500 });
  const starting = owner.start();
  await settled();
  const stopping = owner.stop();
  await scene.clock.goTo(1500);
  await stopping;
  answer();
  await starting;
  expect([fold.position, owner.isFailed]).toEqual([1, false]);
});

test('a machine that slept tells so before its overdue timers fire', async () => {
  const scene = new Scene();
  let sleptMs = 0;
  const clock = {
    nowMs: () => scene.clock.nowMs() + sleptMs,
    setTimer: (dueMs: number, fire: () => void) => scene.clock.setTimer(dueMs, fire),
  };
  const { owner } = scene.open({ clock });
  await owner.start();
  await scene.report(1);
  await settled();
  sleptMs = 3_600_000;
  await scene.clock.goTo(2000);
  expect(scene.log.entries.map(({ kind, timeMs }) => `${kind} ${timeMs}`).slice(0, 3)).toEqual([
    'alerts 1000',
    'resume 1050',
    'tick 3601050',
  ]);
  await owner.stop();
});

test('a log that is not the one that was folded is refused, though it is as long: its last owner stands elsewhere', async () => {
  const scene = new Scene();
  const first = scene.open().owner;
  await first.start();
  await scene.report(1);
  await scene.log.append({
    kind: 'owner',
    timeMs: 1000,
    payload: { name: 'a', fencingToken: 7, log: 'a log' },
  });
  await scene.report(2);
  await first.stop();
  const again = scene.open().owner;
  await again.start();
  await again.stop();
  // It has lost its first entry, and has gone on.
  scene.log.entries.shift();
  await scene.report(3);
  const code = 'TOC_LOG_REPLACED';
  await expect(scene.open().owner.start()).rejects.toMatchObject({
    code,
    message:
      'the checkpoint is of a log whose entry at position 2 is of the owner a; that of this log is not',
  });
  scene.log.firstPosition = 3;
  const trimmed = scene.open().owner;
  await trimmed.start();
  await trimmed.stop();
});
