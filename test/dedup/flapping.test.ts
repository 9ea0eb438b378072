import { describe, expect, test } from 'vitest';
import { flapShare, isFlapping, quietTime } from '../../src/dedup/flapping.ts';
import { at, changesOf, reasonsOf, Scene, type Happening, type Report } from './scene.ts';

const flaps: Report = { alertname: 'LinkDown', host: 'edge-1', summary: 'Link is down' };
const look = { changes: 20, window: 60 * 60_000 };

describe('the share of changes', () => {
  test('is 1 when all of the last 20 are there and 0 when none is', () => {
    const all = Array.from({ length: 20 }, (_, i) => at(i));
    expect(flapShare(all, at(20), look)).toBeCloseTo(1, 9);
    expect(flapShare([], at(20), look)).toBe(0);
  });

  test('weighs new changes more', () => {
    expect(flapShare([at(0)], at(0), look)).toBeCloseTo(1.2 / 20, 9);
    const all = Array.from({ length: 20 }, (_, i) => at(i));
    // The oldest change leaves the window.
    const rest = flapShare(all, at(60) + 1, look);
    expect(flapShare(all, at(60), look) - rest).toBeCloseTo(0.8 / 20, 9);
  });
});

test('the thresholds are a hysteresis', () => {
  const thresholds = { start: 0.5, stop: 0.25 };
  expect([0.2, 0.25, 0.4, 0.5, 0.51].map((share) => isFlapping(false, share, thresholds))).toEqual([
    false,
    false,
    false,
    false,
    true,
  ]);
  expect([0.2, 0.25, 0.4, 0.5].map((share) => isFlapping(true, share, thresholds))).toEqual([
    false,
    true,
    true,
    true,
  ]);
});

/** Fires at even and resolves at odd minutes; gives what happened at each minute that brought a change. */
async function flap(scene: Scene, from: number, to: number): Promise<Map<number, Happening[]>> {
  const changed = new Map<number, Happening[]>();
  for (let minute = from; minute < to; minute++) {
    const happened = minute % 2 === 0 ? await scene.fire(minute, flaps) : await scene.resolve(minute, flaps);
    if (changesOf(happened).length > 0) changed.set(minute, happened);
  }
  return changed;
}

function timeline(changed: ReadonlyMap<number, Happening[]>): string[] {
  return [...changed].map(([minute, happened]) => `${minute}: ${changesOf(happened).join(', ')}`);
}

test('what changes slowly must be quiet for longer, up to the window', () => {
  const time = { quiet: 10 * 60_000, window: 60 * 60_000 };
  expect(quietTime([at(0), at(1), at(2)], at(2), time)).toBe(10 * 60_000);
  expect(quietTime([at(0), at(12), at(24)], at(24), time)).toBe(24 * 60_000);
  expect(quietTime([at(0), at(50)], at(50), time)).toBe(60 * 60_000);
  // What is outside of the window does not count, and one change has no gap.
  expect(quietTime([at(0), at(70)], at(70), time)).toBe(10 * 60_000);
});

test('without flapping a signal resolves as often as its alerts do', async () => {
  const scene = new Scene();
  await scene.configure({ flapping: { enabled: false } });
  const changed = await flap(scene, 0, 30);
  expect([...changed.values()].flatMap(changesOf)).toEqual(
    Array.from({ length: 30 }, (_, i) => (i === 0 ? 'opened' : i % 2 === 0 ? 'reopened' : 'resolved')),
  );
});

describe('a signal that comes and goes', () => {
  test('flaps from the third time on that it fires within the window, and says nothing while it does', async () => {
    const scene = new Scene();
    const changed = await flap(scene, 0, 30);
    expect(timeline(changed)).toEqual([
      '0: opened',
      '1: resolved',
      '2: reopened',
      '3: resolved',
      '4: reopened, flapping',
    ]);
    expect(reasonsOf(changed.get(4)!).at(-1)).toBe(
      'flapping: 5 changes in 4m, 29 % weighted; it is over once nothing changes for 10m',
    );
    expect(scene.dedup.signal('sig-1-0')).toMatchObject({
      state: 'flapping',
      alertCount: 30,
      resolvedAtMs: null,
    });
  });

  test('resolves only once it has been quiet', async () => {
    const scene = new Scene();
    await flap(scene, 0, 20);
    expect(scene.dedup.signal('sig-1-0')).toMatchObject({ state: 'flapping', firingCount: 0 });
    expect(changesOf(await scene.wait(28.9))).toEqual([]);
    const quiet = await scene.wait(29);
    expect(changesOf(quiet)).toEqual(['resolved']);
    expect(reasonsOf(quiet)).toEqual(['no change for 10m']);
    expect(quiet[0]!.changes[0]!.signal.resolvedAtMs).toBe(at(29));
  });

  test('is steady once it has fired long enough', async () => {
    const scene = new Scene();
    await flap(scene, 0, 19);
    const steady = await scene.wait(28);
    expect(changesOf(steady)).toEqual(['steady']);
    expect(scene.dedup.signal('sig-1-0')).toMatchObject({ state: 'firing', firingCount: 1 });
    // What was before does not count any more.
    expect(changesOf(await scene.resolve(29, flaps))).toEqual(['resolved']);
  });

  test('is steady once its changes have become rare, but not at the share that it began to flap at', async () => {
    const scene = new Scene();
    await scene.configure({ flapping: { start: 0.5, stop: 0.25, quiet: '30m' } });
    await flap(scene, 0, 10);
    const told: string[] = [];
    for (const [minute, isFiring] of [
      [30, true],
      [50, false],
      [66, true],
      [82, false],
      [111, true],
    ] as const) {
      const happened = isFiring ? await scene.fire(minute, flaps) : await scene.resolve(minute, flaps);
      told.push(`${minute}: ${changesOf(happened).join(', ')}`);
    }
    // At 66 the changes since minute 6 count (7 of 20), at 82 those since 22 (4 of 20).
    expect(told).toEqual(['30: ', '50: ', '66: ', '82: steady, resolved', '111: opened']);
  });

  test('more slowly than it would reopen flaps too, over its successive signals', async () => {
    const scene = new Scene();
    await scene.configure({ retention: '3h', flapping: { start: 0.5, window: '2h', quiet: '15m' } });
    const happened: string[] = [];
    for (let round = 0; round < 6; round++) {
      happened.push(...changesOf(await scene.fire(round * 12, flaps)));
      happened.push(...changesOf(await scene.resolve(round * 12 + 2, flaps)));
    }
    expect(happened.filter((change) => change === 'opened')).toHaveLength(5);
    expect(happened.at(-1)).toBe('flapping');
  });

  test('is counted by its alerts: one that fires on keeps the signal from flapping', async () => {
    const scene = new Scene();
    await scene.fire(0, { ...flaps, ip: '10.0.0.1' });
    const changes: string[] = [];
    for (let minute = 1; minute < 40; minute++) {
      const other = { ...flaps, ip: '10.0.0.2' };
      const happened =
        minute % 2 === 1 ? await scene.fire(minute, other) : await scene.resolve(minute, other);
      changes.push(...changesOf(happened));
    }
    expect(changes).toEqual(['grown']);
  });
});
