import { describe, expect, test } from 'vitest';
import {
  configured,
  createScene,
  failed,
  firing,
  resolved,
  restarted,
  type SeenPage,
} from '../support/scene.ts';

/** What `--alertmanager-config` sets, with clocks that are easily counted. */
const strict = {
  dispatch: { strict_alertmanager: true },
  route: {
    receiver: 'web',
    group_by: ['alertname'],
    group_wait: '10s',
    group_interval: '60s',
    repeat_interval: '4h',
  },
  receivers: [{ name: 'web' }],
};
const down = { alertname: 'Down', instance: 'a' };
const told = (pages: readonly SeenPage[]) =>
  pages.map(({ atMs, reason, alerts }) => [atMs / 1000, reason, alerts.length]);

describe('a reload', () => {
  test('starts the clocks anew: groups flush at once, and then every group_interval', async () => {
    const pages = await createScene(strict)
      .at('0s', firing(down))
      .at('30s', configured(strict))
      .at('40s', firing({ ...down, instance: 'b' }))
      .run('200s');
    expect(told(pages)).toEqual([
      [10, 'first notification', 1],
      [90, 'new alerts added', 2],
    ]);
  });

  test('tells what waited at once, all of it in one page, and repeats nothing', async () => {
    const pages = await createScene(strict)
      .at('0s', firing(down))
      .at('20s', firing({ ...down, instance: 'b' }), firing({ ...down, instance: 'c' }))
      .at('25s', resolved(down))
      .at('30s', configured(strict), configured(strict))
      .run('300s');
    expect(told(pages)).toEqual([
      [10, 'first notification', 1],
      [30, 'new alerts added', 3],
    ]);
  });

  test('does not cut the first wait of a group short, so that its page is whole', async () => {
    const pages = await createScene(strict)
      .at('0s', firing(down))
      .at('5s', configured(strict))
      .at('8s', firing({ ...down, instance: 'b' }))
      .run('30s');
    expect(told(pages)).toEqual([[10, 'first notification', 2]]);
  });

  test('pages nothing that is inhibited, however old it is', async () => {
    const config = {
      ...strict,
      inhibit_rules: [{ source_matchers: ['alertname="Zone"'], target_matchers: ['alertname="Down"'] }],
    };
    const pages = await createScene(config)
      .at('60s', firing({ alertname: 'Zone' }, '0s'))
      .at('60s', firing(down, '0s'))
      .at('100s', configured(config))
      .at('101s', firing({ ...down, instance: 'b' }, '0s'))
      .at('150s', configured(config))
      .run('600s');
    expect(pages.map(({ alerts }) => alerts[0]?.labels['alertname'])).toEqual(['Zone']);
  });
});

describe('a restart', () => {
  const config = {
    ...strict,
    inhibit_rules: [{ source_matchers: ['alertname="Zone"'], target_matchers: ['alertname="Down"'] }],
  };

  test('pages nothing that is inhibited, whoever is the first to be sent again', async () => {
    const pages = await createScene(config)
      .at('60s', firing({ alertname: 'Zone' }, '0s'), firing(down, '0s'))
      .at('100s', restarted())
      .at('101s', firing(down, '0s'), firing({ ...down, instance: 'b' }, '0s'))
      .at('160s', firing({ alertname: 'Zone' }, '0s'))
      .run('600s');
    expect(pages.map(({ alerts }) => alerts[0]?.labels['alertname'])).toEqual(['Zone']);
  });

  test('repeats no page, and tells the end of what it had told', async () => {
    const pages = await createScene(config)
      .at('0s', firing(down))
      .at('30s', restarted())
      .at('40s', firing(down, '0s'))
      .at('100s', resolved(down))
      .run('600s');
    expect(pages.map(({ atMs, status }) => [atMs / 1000, status])).toEqual([
      [10, 'firing'],
      [130, 'resolved'],
    ]);
  });
});

describe('alerts', () => {
  test('that are older than group_wait are told at once', async () => {
    const pages = await createScene(strict).at('100s', firing(down, '80s')).run('120s');
    expect(told(pages)).toEqual([[100, 'first notification', 1]]);
  });

  test('are repeated at the first tick after repeat_interval, not at the one that falls on it', async () => {
    const config = { ...strict, route: { ...strict.route, repeat_interval: '120s' } };
    const pages = await createScene(config).at('0s', firing(down)).run('400s');
    expect(pages.map(({ atMs }) => atMs / 1000)).toEqual([10, 190, 370]);
  });
});

describe('a label named incident', () => {
  test('is one like any other', async () => {
    const config = { ...strict, route: { ...strict.route, group_by: ['incident'] } };
    const pages = await createScene(config)
      .at('0s', firing({ ...down, incident: '1' }), firing({ ...down, incident: '2' }))
      .run('30s');
    expect(pages.map(({ alerts, incident }) => [alerts.length, incident])).toEqual([
      [1, null],
      [1, null],
    ]);
  });
});

describe('a flapping alert and its near-duplicates', () => {
  test('are told as often as Alertmanager tells them', async () => {
    const scene = createScene({
      ...strict,
      route: { ...strict.route, group_wait: '1s', group_interval: '5s' },
    });
    for (let minute = 0; minute < 20; minute++) {
      scene.at(`${minute}m`, firing({ ...down, pod: `web-${minute % 2}` }));
      scene.at(`${minute}m30s`, resolved({ ...down, pod: `web-${minute % 2}` }));
    }
    const pages = await scene.run('20m');
    expect(pages.filter(({ status }) => status === 'firing')).toHaveLength(20);
    expect(pages.filter(({ status }) => status === 'resolved')).toHaveLength(20);
  });
});

describe('several integrations of one receiver', () => {
  const config = {
    ...strict,
    receivers: [{ name: 'web', console_configs: [{ send_resolved: true }, { send_resolved: false }] }],
  };

  test('hear what each wants to hear', async () => {
    const pages = await createScene(config)
      .at('0s', firing(down), firing({ ...down, instance: 'b' }))
      .at('20s', resolved(down))
      .run('100s');
    expect(told(pages)).toEqual([
      [10, 'first notification', 2],
      [10, 'first notification', 2],
      [70, 'some alerts resolved', 2],
    ]);
  });

  test('of which one failed: only that one is told again', async () => {
    const pages = await createScene(config).at('0s', firing(down)).at('20s', failed('web')).run('200s');
    expect(told(pages)).toEqual([
      [10, 'first notification', 1],
      [10, 'first notification', 1],
      [70, 'first notification', 1],
    ]);
  });
});

/** A scene begins on Monday, 2026-01-05, at 09:00 UTC. */
describe('time intervals', () => {
  const withIntervals = (route: object) => ({
    ...strict,
    route: { ...strict.route, routes: [{ matchers: ['alertname="Down"'], ...route }] },
    time_intervals: [
      { name: 'first-hour', time_intervals: [{ times: [{ start_time: '09:00', end_time: '10:00' }] }] },
    ],
  });

  test('mute a route while one of them holds, and its alerts are told at the first interval afterwards', async () => {
    const pages = await createScene(withIntervals({ mute_time_intervals: ['first-hour'] }))
      .at('1m', firing(down), firing({ alertname: 'Other' }))
      .run('60m30s');
    expect(pages.map(({ atMs, alerts }) => [atMs / 1000, alerts[0]?.labels['alertname']])).toEqual([
      [70, 'Other'],
      [3610, 'Down'],
    ]);
  });

  test('let a route speak only while one of them holds', async () => {
    const config = withIntervals({ active_time_intervals: ['first-hour'] });
    const pages = await createScene(config)
      .at('1m', firing(down))
      .at('61m', firing({ ...down, instance: 'b' }))
      .run('3h');
    expect(told(pages)).toEqual([[70, 'first notification', 1]]);
  });

  test('what resolves while a route is muted is told once it may speak, to those who were told that it fires', async () => {
    const pages = await createScene(withIntervals({ active_time_intervals: ['first-hour'] }))
      .at('58m', firing(down))
      .at('61m', resolved(down))
      .at('62m', firing({ ...down, instance: 'never told' }))
      .at('63m', resolved({ ...down, instance: 'never told' }))
      .run('25h');
    expect(pages.map(({ atMs, status, alerts }) => [atMs / 1000, status, alerts.length])).toEqual([
      [3490, 'firing', 1],
      [86_410, 'resolved', 1],
    ]);
  });
});
