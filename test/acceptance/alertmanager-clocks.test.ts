import { describe, expect, test } from 'vitest';
import { configured, createScene, failed, firing, resolved } from '../support/scene.ts';

const byName = {
  route: {
    receiver: 'web',
    group_by: ['alertname'],
    group_wait: '1s',
    group_interval: '5s',
    repeat_interval: '1m',
  },
  receivers: [{ name: 'web' }],
};
const down = { alertname: 'Down', instance: 'a' };

describe('the three clocks', () => {
  test('a group is paged group_wait after its first alert, with all that came in by then', async () => {
    const scene = createScene(byName)
      .at('1s', firing(down))
      .at('1500ms', firing({ ...down, instance: 'b' }));
    const pages = await scene.run('4s');
    expect(pages.map(({ atMs, reason, alerts }) => [atMs, reason, alerts.length])).toEqual([
      [2000, 'first notification', 2],
    ]);
  });

  test('an alert that is older than group_wait is paged at once', async () => {
    const scene = createScene(byName).at('10s', firing(down, '1s'));
    expect((await scene.run('11s')).map(({ atMs }) => atMs)).toEqual([10_000]);
  });

  test('an alert that joins later is paged at the next group_interval', async () => {
    const scene = createScene(byName)
      .at('1s', firing(down))
      .at('3s', firing({ ...down, instance: 'b' }));
    const pages = await scene.run('20s');
    expect(pages.map(({ atMs, reason }) => [atMs, reason])).toEqual([
      [2000, 'first notification'],
      [7000, 'new alerts added'],
    ]);
  });

  test('nothing new is repeated at the first tick after repeat_interval has passed', async () => {
    const scene = createScene(byName).at('1s', firing(down));
    const pages = await scene.run('140s');
    expect(pages.map(({ atMs }) => atMs)).toEqual([2000, 67_000, 132_000]);
    expect(pages[1]?.reason).toBe('repeat interval elapsed');
  });

  test('what resolves within group_wait pages nobody', async () => {
    const scene = createScene(byName).at('1s', firing(down)).at('1500ms', resolved(down));
    expect(await scene.run('30s')).toEqual([]);
  });

  test('the end of it all is told once, and what fires again is new', async () => {
    const scene = createScene(byName).at('1s', firing(down)).at('3s', resolved(down)).at('30s', firing(down));
    const pages = await scene.run('40s');
    expect(pages.map(({ atMs, status, reason }) => [atMs, status, reason])).toEqual([
      [2000, 'firing', 'first notification'],
      [7000, 'resolved', 'all alerts resolved'],
      [31_000, 'firing', 'new alerts added'],
    ]);
  });

  test('a receiver that does not want resolves hears of none', async () => {
    const config = {
      ...byName,
      receivers: [{ name: 'web', webhook_configs: [{ url: 'http://127.0.0.1:1/', send_resolved: false }] }],
    };
    const scene = createScene(config).at('1s', firing(down)).at('3s', resolved(down));
    expect((await scene.run('30s')).map(({ status }) => status)).toEqual(['firing']);
  });

  test('a page that failed is sent again at the next tick', async () => {
    const scene = createScene(byName).at('1s', firing(down)).at('3s', failed('web'));
    expect((await scene.run('20s')).map(({ atMs, reason }) => [atMs, reason])).toEqual([
      [2000, 'first notification'],
      [7000, 'first notification'],
    ]);
  });

  test('a resolve whose page failed is told again, an interval later', async () => {
    const scene = createScene(byName).at('1s', firing(down)).at('3s', resolved(down)).at('8s', failed('web'));
    expect((await scene.run('30s')).map(({ atMs, status }) => [atMs, status])).toEqual([
      [2000, 'firing'],
      [7000, 'resolved'],
      [13_000, 'resolved'],
    ]);
  });
});

describe('routes', () => {
  const tree = {
    route: {
      receiver: 'all',
      group_by: ['alertname'],
      group_wait: '1s',
      routes: [
        { receiver: 'audit', matchers: ['severity=~"critical|error"'], continue: true },
        {
          receiver: 'db',
          matchers: ['team="db"'],
          routes: [{ receiver: 'db-night', matchers: ['shift="night"'] }],
        },
      ],
    },
    receivers: [{ name: 'all' }, { name: 'audit' }, { name: 'db' }, { name: 'db-night' }],
  };

  test('the first child that matches takes the alert, unless it continues', async () => {
    const scene = createScene(tree)
      .at('1s', firing({ alertname: 'A', team: 'db', severity: 'critical' }))
      .at('1s', firing({ alertname: 'B', team: 'db', shift: 'night' }))
      .at('1s', firing({ alertname: 'C' }));
    const pages = await scene.run('10s');
    expect(
      pages.map(({ receiver, alerts }) => `${receiver}:${alerts[0]?.labels['alertname']}`).toSorted(),
    ).toEqual(['all:C', 'audit:A', 'db-night:B', 'db:A']);
  });

  test("group_by ['...'] makes a group of each alert", async () => {
    const scene = createScene({
      route: { receiver: 'web', group_by: ['...'], group_wait: '1s' },
      receivers: [{ name: 'web' }],
    })
      .at('1s', firing(down))
      .at('1s', firing({ ...down, instance: 'b' }));
    expect(await scene.run('5s')).toHaveLength(2);
  });

  test('a reload repeats no page and loses no group', async () => {
    const slower = { ...byName, route: { ...byName.route, group_interval: '7s' } };
    const scene = createScene(byName)
      .at('1s', firing(down))
      .at('4s', configured(slower))
      .at('5s', firing({ ...down, instance: 'b' }));
    expect((await scene.run('30s')).map(({ atMs, reason }) => [atMs, reason])).toEqual([
      [2000, 'first notification'],
      [7000, 'new alerts added'],
    ]);
  });
});
