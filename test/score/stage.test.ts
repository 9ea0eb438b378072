import { describe, expect, test } from 'vitest';
import type { LogEntry, SignalScore } from '../../src/incident/index.ts';
import { createInlineScorer, loadScoreModel, type MatrixScorer } from '../../src/score/index.ts';
import { alertsAt, configAt, dayMs, hourMs, minuteMs, mondayMs, Scene, type Report } from './scene.ts';

const disk = { alertname: 'DiskFull', service: 'db' };

/** `count` alerts of one kind, each a signal of its own. */
function many(count: number, labels: Readonly<Record<string, string>> = disk): Report[] {
  return Array.from({ length: count }, (_, i) => ({ labels: { ...labels, instance: `i${i}` } }));
}

function resolved(reports: readonly Report[]): Report[] {
  return reports.map(({ labels }) => ({ labels, isResolved: true }));
}

/** Each Monday at 09:00 there are 3 to 6 alerts of `DiskFull`, in each of three periods; on other days one at noon. */
function weeksOf(count: number, fromMs = mondayMs): LogEntry[] {
  const entries: LogEntry[] = [];
  for (let day = 0; day < count * 7; day++) {
    const startMs = fromMs + day * dayMs;
    const periods =
      day % 7 === 0 ? [0, 5, 10].map((minute) => 9 * hourMs + minute * minuteMs) : [12 * hourMs];
    for (const [index, offsetMs] of periods.entries()) {
      const reports = many(day % 7 === 0 ? 3 + ((day + index) % 4) : 1);
      entries.push(
        alertsAt(startMs + offsetMs, reports),
        alertsAt(startMs + offsetMs + minuteMs, resolved(reports)),
      );
    }
  }
  return entries;
}

async function sceneAfter(weeks: number, score: Readonly<Record<string, unknown>> = {}): Promise<Scene> {
  const scene = new Scene();
  await scene.apply([configAt(mondayMs, score), ...weeksOf(weeks)]);
  return scene;
}

async function scoreOne(scene: Scene, entry: LogEntry): Promise<SignalScore> {
  const scores = await scene.scores([entry]);
  expect(scores.length).toBeGreaterThan(0);
  return scores[0]!;
}

describe('a kind of alerts', () => {
  test('has no surprise while it is still learned, and says how much is known', async () => {
    const scene = new Scene();
    const first = await scoreOne(scene, alertsAt(mondayMs, many(1)));
    expect(first).toMatchObject({ surprise: null, state: 'learning' });
    expect(first.reasons[0]).toMatchObject({ stage: 'score', code: 'learning' });
    await scene.apply([alertsAt(mondayMs + hourMs, resolved(many(1)))]);
    const second = await scoreOne(scene, alertsAt(mondayMs + 5 * hourMs, many(2)));
    expect(second.surprise).toBeNull();
    expect(second.reasons[0]!.text).toBe(
      'still learning: seen in 1 of the 8 5 min periods needed, last 5 h before',
    );
  });

  test('is surprising when far more come than usual at that hour of the week, with the numbers', async () => {
    const scene = await sceneAfter(4);
    const at = mondayMs + 28 * dayMs + 9 * hourMs;
    const score = await scoreOne(scene, alertsAt(at, many(41)));
    expect(score.surprise).toBeGreaterThan(0.99);
    expect(score.reasons[0]).toMatchObject({
      code: 'rate',
      text: '41 in 5 min where 3 to 6 is usual on Mondays at 09:00 UTC',
    });
  });

  test('is calm when as many come as usual at that hour', async () => {
    const scene = await sceneAfter(4);
    const score = await scoreOne(scene, alertsAt(mondayMs + 28 * dayMs + 9 * hourMs, many(4)));
    expect(score.state).toBe('scored');
    expect(score.surprise).toBeLessThan(0.9);
  });

  test('is the more surprising the more alerts come', async () => {
    const surprises: number[] = [];
    for (const count of [1, 5, 8, 12, 20, 40, 80]) {
      const scene = await sceneAfter(4);
      const score = await scoreOne(scene, alertsAt(mondayMs + 28 * dayMs + 9 * hourMs, many(count)));
      surprises.push(score.surprise!);
    }
    expect(surprises).toEqual(surprises.toSorted((a, b) => a - b));
    expect(surprises.at(-1)! - surprises[0]!).toBeGreaterThan(0.3);
  });

  test('is surprising when it returns after a long silence', async () => {
    const scene = await sceneAfter(4);
    const score = await scoreOne(scene, alertsAt(mondayMs + 80 * dayMs + 12 * hourMs, many(1)));
    expect(score.surprise).toBeGreaterThan(0.9);
    expect(score.reasons[0]).toMatchObject({ code: 'interval' });
    expect(score.reasons[0]!.text).toMatch(/^not seen for 53 days where \d+ min to \d+ h is usual$/);
  });

  test('is judged by any hour while its own hour has too few samples', async () => {
    const scene = await sceneAfter(4);
    const score = await scoreOne(scene, alertsAt(mondayMs + 30 * dayMs + 3 * hourMs, many(30)));
    expect(score.reasons.find(({ code }) => code === 'rate')!.text).toMatch(
      /^30 in 5 min where 1 to \d is usual$/,
    );
  });

  test('that is new in a well-known domain is news, not something to be learned', async () => {
    const scene = await sceneAfter(9);
    const score = await scoreOne(
      scene,
      alertsAt(mondayMs + 63 * dayMs + 10 * hourMs, many(1, { alertname: 'KernelPanic', service: 'db' })),
    );
    expect(score.state).toBe('scored');
    expect(score.surprise).toBeGreaterThan(0.9);
    expect(score.reasons).toMatchObject([{ code: 'novelty', text: 'first seen in 63 days' }]);
  });

  test('that is new is no news in a domain which shows new kinds all the time', async () => {
    const scene = await sceneAfter(1);
    let at = mondayMs + 8 * dayMs;
    let last: SignalScore | undefined;
    for (let i = 0; i < 200; i++) {
      at += 10 * minuteMs;
      last = await scoreOne(scene, alertsAt(at, many(1, { alertname: `Odd${i}` })));
    }
    expect(last!.reasons[0]!.code).toBe('novelty');
    expect(last!.surprise).toBeLessThan(0.5);
  });

  test('is another one in another domain or service', async () => {
    const scene = new Scene();
    await scene.apply([
      alertsAt(mondayMs, [
        { labels: disk },
        { labels: { ...disk, service: 'web' } },
        { labels: { ...disk, domain: 'other' } },
        { labels: { ...disk, instance: 'x' } },
      ]),
    ]);
    expect(scene.stage.kindCount).toBe(3);
  });

  test('is named by its template where the configuration says so', async () => {
    const scene = new Scene();
    await scene.apply([
      configAt(mondayMs, { kind: 'template' }),
      alertsAt(mondayMs, [{ labels: { alertname: 'A' } }, { labels: { alertname: 'B' } }]),
    ]);
    expect(scene.stage.kindCount).toBe(1);
  });
});

describe('repeats', () => {
  const report = many(1);
  const repeat = (timeMs: number, count: number) =>
    Array.from({ length: count }, () => alertsAt(timeMs, report));

  /** One alert that is resent once a period for half a day, before it floods. */
  async function steadyScene(): Promise<{ scene: Scene; at: number }> {
    const scene = new Scene();
    let at = mondayMs;
    for (; at < mondayMs + 12 * hourMs; at += 5 * minuteMs) await scene.apply(repeat(at, 1));
    return { scene, at };
  }

  test('are not scored as long as they come as usual', async () => {
    const { scene, at } = await steadyScene();
    expect(await scene.scores(repeat(at, 1))).toEqual([]);
  });

  test('are scored once they exceed every comparable period, and again as they grow', async () => {
    const { scene, at } = await steadyScene();
    const scores = await scene.scores(repeat(at, 100));
    expect(scores.length).toBeGreaterThan(4);
    expect(scores.length).toBeLessThan(14);
    const surprises = scores.map(({ surprise }) => surprise!);
    expect(surprises).toEqual(surprises.toSorted((a, b) => a - b));
    expect(surprises.at(-1)).toBeGreaterThan(0.98);
    expect(scores.at(-1)!.reasons[0]!.text).toMatch(/^\d+ in 5 min where 1 is usual$/);
  });

  test('of a kind that is still learned are not scored', async () => {
    const scene = new Scene();
    await scene.apply(repeat(mondayMs, 1));
    expect(await scene.scores(repeat(mondayMs, 500))).toEqual([]);
  });
});

test('a signal that escalates without a report of its own is scored as one alert', async () => {
  const scene = await sceneAfter(4);
  const labels = { ...disk, unreported: 'yes' };
  const score = await scoreOne(scene, alertsAt(mondayMs + 30 * dayMs + 12 * hourMs, [{ labels }]));
  expect(score.state).toBe('scored');
  expect(score.surprise).toBeLessThan(0.9);
});

describe('all signals of one kind in one moment', () => {
  test('get the same score from one row', async () => {
    const rowCounts: number[] = [];
    const inline = createInlineScorer();
    const scorer: MatrixScorer = {
      score(matrix, rows) {
        rowCounts.push(rows);
        return inline.score(matrix, rows);
      },
    };
    const scene = new Scene(scorer);
    await scene.apply(weeksOf(2));
    rowCounts.length = 0;
    const scores = await scene.scores([alertsAt(mondayMs + 14 * dayMs + 9 * hourMs, many(40))]);
    expect(scores).toHaveLength(40);
    expect(new Set(scores.map(({ surprise }) => surprise)).size).toBe(1);
    expect(rowCounts).toEqual([1]);
  });
});

describe('how long a kind fires', () => {
  /** Twelve times it fires for two minutes, some hours apart. */
  async function sceneOfShortOnes(): Promise<Scene> {
    const scene = new Scene();
    for (let time = 0; time < 12; time++) {
      const at = mondayMs + time * 7 * hourMs;
      await scene.apply([alertsAt(at, many(1)), alertsAt(at + (100 + 5 * time) * 1000, resolved(many(1)))]);
    }
    return scene;
  }
  const begins = mondayMs + 12 * 7 * hourMs;

  test('is a reason once it fires for longer than usual and more of it comes, and none when it begins', async () => {
    const scene = await sceneOfShortOnes();
    const first = await scoreOne(scene, alertsAt(begins, many(1)));
    expect(first.reasons.map(({ code }) => code)).not.toContain('duration');
    const later = await scoreOne(scene.crash(), alertsAt(begins + 50 * minuteMs, many(2)));
    expect(later.reasons).toContainEqual(
      expect.objectContaining({ code: 'duration', text: 'firing for 50 min where 2 min is usual' }),
    );
    expect(later.surprise).toBeGreaterThan(first.surprise!);
  });

  test('is told by its baseline', async () => {
    const scene = await sceneOfShortOnes();
    await scene.apply([alertsAt(begins, many(1))]);
    const { usualDurationSeconds } = scene.stage.baseline(firstSignal(scene))!;
    expect(usualDurationSeconds!.low).toBeGreaterThan(99);
    expect(usualDurationSeconds!.high).toBeLessThan(156);
  });
});

describe('what the stage remembers', () => {
  test('a baseline tells what is usual, by signal and by kind', async () => {
    const scene = await sceneAfter(4);
    await scene.apply([alertsAt(mondayMs + 28 * dayMs + 9 * hourMs, [{ labels: disk }])]);
    const signalId = (await scene.apply([])).length === 0 ? firstSignal(scene) : '';
    const view = scene.stage.baseline(signalId)!;
    expect(view).toMatchObject({
      domain: 'default',
      kind: 'DiskFull',
      service: 'db',
      state: 'known',
      count: 1,
    });
    expect(view.usual).toMatchObject({ low: 3, high: 6, scope: 'hour_of_week' });
    expect(scene.stage.baseline(view.kindId)).toEqual(view);
    expect(scene.stage.baseline('nothing')).toBeUndefined();
  });

  test('kinds beyond the limit are forgotten, those unseen for longest first', async () => {
    const scene = new Scene();
    await scene.apply([configAt(mondayMs, { max_kinds: 20 })]);
    for (let i = 0; i < 30; i++) {
      await scene.apply([alertsAt(mondayMs + i * minuteMs, many(1, { alertname: `Kind${i}` }))]);
    }
    expect(scene.stage.kindCount).toBeLessThanOrEqual(21);
    // Kind29 is remembered and repeats; Kind0 is unknown again.
    await scene.apply([alertsAt(mondayMs + hourMs, many(1, { alertname: 'Kind29' }))]);
    expect(tableKeys(scene, 'score/signals').length).toBe(scene.stage.kindCount);
  });

  test('kinds unseen for `forget_after` are forgotten with all their rows', async () => {
    const scene = await sceneAfter(1, { forget_after: '30d' });
    await scene.apply([{ kind: 'tick', timeMs: mondayMs + 60 * dayMs, payload: null }]);
    expect(scene.stage.kindCount).toBe(0);
    expect(scene.fold.nextDueMs()).toBeUndefined();
    expect(
      scene.fold
        .takeCheckpoint()
        .changes.filter(
          ({ table, value }) => table !== 'engine/config' && table !== 'feed/firing' && value !== undefined,
        ),
    ).toEqual([]);
  });

  test('another bucket length starts all learning anew', async () => {
    const scene = await sceneAfter(2);
    await scene.apply([configAt(mondayMs + 15 * dayMs, { bucket: '10m' })]);
    expect(scene.stage.kindCount).toBe(0);
    const score = await scoreOne(scene, alertsAt(mondayMs + 15 * dayMs, many(1)));
    expect(score.state).toBe('learning');
  });
});

test('the model comes with the configuration and adds the behaviour to what is judged', async () => {
  const model = (await loadScoreModel('builtin'))!;
  const scene = new Scene();
  await scene.apply([configAt(mondayMs, {}, model), ...weeksOf(4)]);
  expect(scene.stage.modelHash).toBe(model.hash);
  const at = mondayMs + 28 * dayMs + 9 * hourMs;
  const reports = [...many(60), ...resolved(many(60))];
  await scene.apply([alertsAt(at, reports), alertsAt(at + 1000, reports)]);
  const score = await scoreOne(scene, alertsAt(at + 2000, many(60)));
  expect(score.reasons.map(({ code }) => code)).toContain('behaviour');
  await scene.apply([configAt(at + 3000, {}, { ...model, features: ['other'] })]);
  expect(scene.stage.modelHash).toBeNull();
});

function firstSignal(scene: Scene): string {
  return tableKeys(scene, 'score/signals')[0]!;
}

/** Keys of live rows, by way of a checkpoint. */
function tableKeys(scene: Scene, name: string): string[] {
  const live = new Map<string, unknown>();
  for (const { table, key, value } of scene.fold.takeCheckpoint().changes) {
    if (table === name && value !== undefined) live.set(key, value);
  }
  return [...live.keys()];
}
