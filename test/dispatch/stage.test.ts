import { describe, expect, test } from 'vitest';
import { DispatchScene, fingerprintOf, startMs, type ConfigText } from './scene.ts';

const byName: ConfigText = {
  route: {
    receiver: 'web',
    group_by: ['alertname'],
    group_wait: '10s',
    group_interval: '30s',
    repeat_interval: '100s',
  },
  receivers: [{ name: 'web' }],
};
const [one, two, three] = ['1', '2', '3'].map((instance) => ({ alertname: 'Down', instance })) as [
  { alertname: string; instance: string },
  { alertname: string; instance: string },
  { alertname: string; instance: string },
];

async function sceneOf(config: ConfigText): Promise<DispatchScene> {
  const scene = new DispatchScene();
  await scene.configure(config);
  return scene;
}

describe('a page that could not be delivered', () => {
  test('was never told: the next interval tells it again', async () => {
    const scene = await sceneOf(byName);
    await scene.fire(0, one);
    await scene.tick(10);
    await scene.fail(12, scene.effects[0]!.id);
    await scene.tick(40);
    expect(scene.pages()).toEqual([
      '10 web firing: first notification [1] []',
      '40 web firing: first notification [1] []',
    ]);
    expect(scene.effects[0]!.id).not.toBe(scene.effects[1]!.id);
  });

  test('brings resolved alerts back to its own group and to no other', async () => {
    const scene = await sceneOf({
      route: {
        ...(byName.route as object),
        routes: [{ receiver: 'audit', continue: true, group_interval: '20s' }, { receiver: 'web' }],
      },
      receivers: [{ name: 'web' }, { name: 'audit' }],
    });
    await scene.fire(0, one);
    await scene.tick(10);
    await scene.resolve(15, one);
    await scene.tick(30);
    // The end was told to audit at 30; web flushes at 40 and still holds the alert.
    await scene.fail(35, scene.effects.at(-1)!.id);
    await scene.tick(100);
    expect(scene.pages().slice(2)).toEqual([
      '30 audit resolved: all alerts resolved [] [1]',
      '40 web resolved: all alerts resolved [] [1]',
      '55 audit resolved: all alerts resolved [] [1]',
    ]);
  });

  test('does not bring back what fires again', async () => {
    const scene = await sceneOf(byName);
    await scene.fire(0, one, two);
    await scene.tick(10);
    await scene.resolve(15, one);
    await scene.tick(40);
    await scene.fire(50, one);
    await scene.fail(60, scene.effects.at(-1)!.id);
    await scene.tick(70);
    expect(scene.pages().slice(1)).toEqual(['40 web firing: some alerts resolved [2] [1]']);
    expect(scene.dispatch.explain(fingerprintOf(one)).groups[0]).toMatchObject({
      isTold: true,
      memberCount: 2,
    });
  });

  test('that fails after the next was sent brings back what only it told', async () => {
    const scene = await sceneOf(byName);
    await scene.fire(0, one, two);
    await scene.tick(10);
    await scene.resolve(15, one);
    await scene.tick(40);
    await scene.fire(50, three);
    await scene.tick(70);
    await scene.fail(80, scene.effects[1]!.id);
    await scene.tick(100);
    expect(scene.pages()).toEqual([
      '10 web firing: first notification [1,2] []',
      '40 web firing: some alerts resolved [2] [1]',
      '70 web firing: new alerts added [2,3] []',
      '100 web firing: some alerts resolved [2,3] [1]',
    ]);
  });

  test('and its successor too leave what was told before both', async () => {
    const scene = await sceneOf(byName);
    await scene.fire(0, one);
    await scene.tick(10);
    await scene.fire(20, two);
    await scene.tick(40);
    await scene.fire(50, three);
    await scene.tick(70);
    const [, second, third] = scene.effects;
    await scene.fail(75, second!.id);
    await scene.fail(76, third!.id);
    expect(scene.dispatch.explain(fingerprintOf(one)).groups[0]).toMatchObject({
      isTold: true,
      lastPageId: scene.effects[0]!.id,
    });
    expect(scene.dispatch.explain(fingerprintOf(two)).groups[0]?.isTold).toBe(false);
    await scene.tick(100);
    expect(scene.pages().at(-1)).toBe('100 web firing: new alerts added [1,2,3] []');
  });

  test('says so to who asks', async () => {
    const scene = await sceneOf(byName);
    await scene.fire(0, one);
    await scene.tick(10);
    const { id } = scene.effects[0]!;
    await scene.fail(12, id);
    expect(scene.dispatch.explain(fingerprintOf(one)).groups[0]).toMatchObject({
      isTold: false,
      heldBecause: `page ${id} could not be delivered: TOC_NOTIFY_FAILED`,
      nextFlushMs: startMs + 40_000,
    });
  });

  test('of a route that is gone is let go', async () => {
    const scene = await sceneOf(byName);
    await scene.fire(0, one);
    await scene.tick(10);
    await scene.resolve(20, one);
    await scene.tick(40);
    await scene.configure({ route: { receiver: 'other' }, receivers: [{ name: 'other' }] }, 50);
    await scene.fail(60, scene.effects[1]!.id);
    await scene.tick(1000);
    expect(scene.effects).toHaveLength(2);
  });

  test('is forgotten once it was delivered', async () => {
    const scene = await sceneOf(byName);
    await scene.fire(0, one);
    await scene.tick(10);
    await scene.done(12, scene.effects[0]!.id);
    await scene.fail(13, scene.effects[0]!.id);
    await scene.tick(100);
    expect(scene.effects).toHaveLength(1);
  });
});

describe('what a receiver was told', () => {
  test.each([
    [205, 'new alerts added'],
    [260, 'first notification'],
  ])('is kept for two repeat_intervals: at %d s the next page is for "%s"', async (second, reason) => {
    const scene = await sceneOf(byName);
    await scene.fire(0, one);
    await scene.tick(10);
    await scene.resolve(20, one);
    await scene.tick(40);
    await scene.fire(second, one);
    await scene.tick(second + 10);
    expect(scene.pages().at(-1)).toBe(`${second + 10} web firing: ${reason} [1] []`);
  });

  test('is kept longer while its group lives', async () => {
    const scene = await sceneOf(byName);
    await scene.fire(0, one);
    await scene.tick(10);
    await scene.silence(15, 'instance', '1', 600);
    await scene.tick(614);
    expect(scene.effects).toHaveLength(1);
    await scene.tick(650);
    expect(scene.pages().at(-1)).toMatch(/repeat interval elapsed \[1\] \[\]$/);
  });
});

describe('a reload', () => {
  test('moves alerts to their new routes and tells no receiver again what it knows', async () => {
    const scene = await sceneOf(byName);
    await scene.fire(0, one);
    await scene.fire(0, { alertname: 'Slow', instance: '9' });
    await scene.tick(10);
    expect(scene.effects).toHaveLength(2);
    const route = {
      ...(byName.route as object),
      routes: [{ receiver: 'db', matchers: ['alertname="Slow"'] }],
    };
    await scene.configure({ route, receivers: [{ name: 'web' }, { name: 'db' }] }, 20);
    await scene.tick(70);
    expect(scene.pages().slice(2)).toEqual(['20 db firing: first notification [9] []']);
    expect(scene.dispatch.receivers()).toEqual(['web', 'db']);
    expect(scene.dispatch.receiversOf(fingerprintOf({ alertname: 'Slow', instance: '9' }))).toEqual(['db']);
  });

  test('keeps the end of an alert that has resolved but was not told yet', async () => {
    const scene = await sceneOf(byName);
    await scene.fire(0, one);
    await scene.tick(10);
    await scene.resolve(20, one);
    await scene.configure({ ...byName, route: { ...(byName.route as object), repeat_interval: '1h' } }, 25);
    await scene.tick(40);
    expect(scene.pages().at(-1)).toBe('40 web resolved: all alerts resolved [] [1]');
  });
});

describe('who asks why there was no page', () => {
  test('hears of routes, groups, and what they wait for', async () => {
    const scene = await sceneOf(byName);
    await scene.fire(0, one, two);
    expect(scene.dispatch.explain(fingerprintOf(one))).toEqual({
      verdict: { muted: false },
      routes: [{ key: '{}', receiver: 'web' }],
      groups: [
        {
          key: '{}:{alertname="Down"}',
          receiver: 'web',
          incidentId: null,
          memberCount: 2,
          isTold: false,
          heldBecause: 'group_wait has not passed',
          lastPageId: null,
          lastPageAtMs: null,
          nextFlushMs: startMs + 10_000,
        },
      ],
      left: [],
    });
    await scene.tick(10);
    await scene.tick(40);
    expect(scene.dispatch.explain(fingerprintOf(one)).groups[0]).toMatchObject({
      isTold: true,
      heldBecause: 'nothing has changed since the last page',
      lastPageId: scene.effects[0]!.id,
      lastPageAtMs: startMs + 10_000,
      nextFlushMs: startMs + 70_000,
    });
  });

  test('hears that every alert is muted, and by what', async () => {
    const scene = await sceneOf(byName);
    await scene.silence(0, 'alertname', 'Down');
    await scene.fire(0, one);
    await scene.tick(10);
    const explanation = scene.dispatch.explain(fingerprintOf(one));
    expect(explanation.verdict).toEqual({ muted: true, silencedBy: ['silence-1'], inhibitedBy: [] });
    expect(explanation.groups[0]?.heldBecause).toBe('every alert is muted');
  });

  test.each([
    ['resolved too early', 5, 'resolved before anybody was told'],
    ['was muted', 15, 'muted when it resolved'],
  ])('hears of an alert that is gone: it %s', async (_, second, heldBecause) => {
    const scene = await sceneOf(byName);
    if (second > 10) await scene.silence(0, 'alertname', 'Down');
    await scene.fire(0, one);
    await scene.resolve(second, one);
    await scene.tick(40);
    const { groups, left, verdict } = scene.dispatch.explain(fingerprintOf(one));
    expect(groups).toEqual([]);
    expect(left).toMatchObject([{ receiver: 'web', pageId: null, heldBecause }]);
    expect(verdict).toEqual({ muted: false });
  });

  test('hears which page told the end of an alert, until it fires again', async () => {
    const scene = await sceneOf(byName);
    await scene.fire(0, one);
    await scene.tick(10);
    await scene.resolve(15, one);
    await scene.tick(40);
    expect(scene.dispatch.explain(fingerprintOf(one)).left).toMatchObject([
      { pageId: scene.effects[1]!.id, heldBecause: '', atMs: startMs + 40_000 },
    ]);
    await scene.fire(50, one);
    expect(scene.dispatch.explain(fingerprintOf(one)).left).toEqual([]);
  });

  test('hears that the receiver does not want to know', async () => {
    const scene = await sceneOf({
      ...byName,
      receivers: [{ name: 'web', console_configs: [{ send_resolved: false }] }],
    });
    await scene.fire(0, one, two);
    await scene.tick(10);
    await scene.resolve(15, one);
    await scene.tick(40);
    await scene.resolve(45, two);
    await scene.tick(70);
    expect(scene.effects).toHaveLength(1);
    for (const alert of [one, two]) {
      expect(scene.dispatch.explain(fingerprintOf(alert)).left[0]).toMatchObject({ pageId: null });
    }
    expect(scene.dispatch.explain(fingerprintOf(two)).left[0]?.heldBecause).toBe(
      'the receiver does not want to hear of resolved alerts',
    );
  });

  test('hears nothing of what never was', async () => {
    const scene = await sceneOf(byName);
    expect(scene.dispatch.explain('0123456789abcdef')).toEqual({
      verdict: { muted: false },
      routes: [],
      groups: [],
      left: [],
    });
    expect(scene.dispatch.receiversOf('0123456789abcdef')).toEqual([]);
  });
});

test('groups show what fires in them', async () => {
  const scene = await sceneOf(byName);
  await scene.fire(0, one, two, { alertname: 'Slow', instance: '9' });
  await scene.tick(10);
  await scene.resolve(12, two, { alertname: 'Slow', instance: '9' });
  expect([...scene.dispatch.groups()]).toEqual([
    { labels: ['alertname', 'Down'], receiver: 'web', fingerprints: [fingerprintOf(one)] },
  ]);
});

test('an old alert hurries a group that waits, but none that has flushed', async () => {
  const scene = await sceneOf(byName);
  await scene.fire(0, one);
  await scene.fireOld(2, two);
  await scene.tick(3);
  expect(scene.pages()).toEqual(['2 web firing: first notification [1,2] []']);
  await scene.fireOld(5, three);
  await scene.tick(31);
  expect(scene.pages()).toHaveLength(1);
  await scene.tick(32);
  expect(scene.pages().at(-1)).toBe('32 web firing: new alerts added [1,2,3] []');
});

describe('a page that was superseded before its turn', () => {
  test('and of which only the end waits to be told, takes that along: nobody knew that it fires', async () => {
    const scene = await sceneOf(byName);
    await scene.fire(0, one);
    await scene.tick(10);
    await scene.resolve(20, one);
    await scene.tick(40);
    const [first, second] = scene.effects;
    await scene.fail(41, first!.id, 'TOC_EFFECT_SUPERSEDED');
    const withdrawal = scene.effects.at(-1)!;
    expect(withdrawal).toMatchObject({ id: `${second!.id}/withdrawn`, payload: { alerts: [] } });
    await scene.fail(42, second!.id, 'TOC_EFFECT_SUPERSEDED');
    await scene.done(43, withdrawal.id);
    await scene.tick(500);
    expect(scene.effects).toHaveLength(3);
    // And it is news again when it fires the next time.
    await scene.fire(600, one);
    await scene.tick(610);
    expect(scene.pages().at(-1)).toBe('610 web firing: first notification [1] []');
  });

  test('leaves the end to be told where somebody knew', async () => {
    const scene = await sceneOf(byName);
    await scene.fire(0, one);
    await scene.tick(10);
    await scene.done(11, scene.effects[0]!.id);
    await scene.fire(20, two);
    await scene.tick(40);
    await scene.resolve(50, one, two);
    await scene.tick(70);
    await scene.fail(71, scene.effects[1]!.id, 'TOC_EFFECT_SUPERSEDED');
    expect(scene.pages().at(-1)).toBe('70 web resolved: all alerts resolved [] [1,2]');
    expect(scene.effects).toHaveLength(3);
  });
});

describe('an integration that wants to hear of changes only (alertmanager #2686)', () => {
  const changes: ConfigText = {
    ...byName,
    receivers: [
      {
        name: 'web',
        webhook_configs: [{ url: 'http://127.0.0.1:1/', alerts: 'changed' }, { url: 'http://127.0.0.1:2/' }],
      },
    ],
  };
  const told = (scene: DispatchScene, integration: string): string[] =>
    scene.effects.flatMap((effect, index) =>
      effect.payload.integration === integration
        ? [`${scene.pages()[index]} and ${effect.payload.unchangedCount} as before`]
        : [],
    );

  test('is told what began and what ended, and how many are as before; when nothing changed, of all', async () => {
    const scene = await sceneOf(changes);
    await scene.fire(0, one, two);
    await scene.tick(10);
    await scene.fire(20, three);
    await scene.tick(40);
    await scene.resolve(50, one);
    await scene.tick(70);
    await scene.tick(200);
    expect(told(scene, 'webhook[0]')).toEqual([
      '10 web firing: first notification [1,2] [] and 0 as before',
      '40 web firing: new alerts added [3] [] and 2 as before',
      '70 web firing: some alerts resolved [] [1] and 2 as before',
      expect.stringMatching(/firing: repeat interval elapsed \[2,3\] \[\] and 0 as before$/),
    ]);
    expect(told(scene, 'webhook[1]')[2]).toBe(
      '70 web firing: some alerts resolved [2,3] [1] and 0 as before',
    );
  });

  test('is told again what it could not be told', async () => {
    const scene = await sceneOf(changes);
    await scene.fire(0, one);
    await scene.tick(10);
    await scene.fire(20, two);
    await scene.tick(40);
    const missed = scene.effects.filter(({ payload }) => payload.integration === 'webhook[0]').at(-1)!;
    await scene.fail(41, missed.id);
    await scene.tick(80);
    expect(told(scene, 'webhook[0]').at(-1)).toBe('70 web firing: new alerts added [2] [] and 1 as before');
  });
});
