import { describe, expect, test } from 'vitest';
import {
  createScene,
  failed,
  firing,
  firingUnder,
  look,
  resolved,
  restarted,
  type Scene,
  type SeenPage,
} from '../support/scene.ts';

/** Correlation joins nothing, so that each signal is an incident. */
const config = {
  route: {
    receiver: 'on-call',
    group_by: ['incident'],
    group_wait: '10s',
    group_interval: '5m',
    min_priority: 'P5',
  },
  receivers: [{ name: 'on-call' }],
  correlate: { threshold: 100, merge_threshold: 100 },
};
const disk = { alertname: 'DiskFull', service: 'db', severity: 'warning', environment: 'prod' };
const fan = { alertname: 'FanBroken', service: 'db', severity: 'warning', environment: 'prod' };

function told(pages: readonly SeenPage[]): string[] {
  return pages.map(
    ({ atMs, status, reason, incident }) => `${atMs / 1000}: ${incident?.id} ${status}, ${reason}`,
  );
}

/** It fires under one key, and at 60 s again under another one, before anybody could be told of its end. */
function withAnotherKey(): Scene {
  return createScene(config)
    .at('0s', firingUnder('order-1', disk))
    .at('59s', resolved(disk))
    .at('60s', firingUnder('order-2', disk));
}

describe('an alert that comes back under another key', () => {
  const both = [
    '10: INC-1 firing, first notification',
    '70: INC-2 firing, first notification',
    '310: INC-1 resolved, all alerts resolved',
  ];

  test('is told of under both: that the one is over, and that the other fires', async () => {
    const pages = await withAnotherKey().run('11m');
    expect(told(pages)).toEqual(both);
    expect(pages.at(-1)?.alerts).toEqual([{ labels: disk, status: 'resolved' }]);
  });

  test('is told of the same across a restart', async () => {
    for (const time of ['60s', '100s', '311s'])
      expect(told(await withAnotherKey().at(time, restarted()).run('11m'))).toEqual(both);
  });

  test('is looked up as what fires, with the group that it has left', async () => {
    const scene = withAnotherKey();
    const looked = (isLeft: boolean) =>
      look(({ dispatch, intake }) => {
        const [alert] = [...intake.alerts()];
        const { groups, left } = dispatch.explain(alert!.fingerprint);
        expect(groups.map(({ incidentId }) => incidentId)).toEqual(['INC-2']);
        expect(left.map(({ incidentId }) => incidentId)).toEqual(isLeft ? ['INC-1'] : []);
        expect([...dispatch.groups()]).toHaveLength(1);
      });
    await scene.at('200s', looked(false)).at('400s', looked(true)).run();
  });

  test('and back under the first one is one thing with what was told of that', async () => {
    const pages = await withAnotherKey()
      .at('119s', resolved(disk))
      .at('120s', firingUnder('order-1', disk))
      .run('11m');
    expect(told(pages)).toEqual([...both.slice(0, 2), '370: INC-2 resolved, all alerts resolved']);
  });

  test('has its end told even where the first page of that failed', async () => {
    const pages = await createScene(config)
      .at('0s', firingUnder('order-1', disk))
      .at('50s', resolved(disk))
      .at('310s', failed('on-call'))
      .at('320s', firingUnder('order-2', disk))
      .run('12m');
    expect(told(pages)).toEqual([
      '10: INC-1 firing, first notification',
      '310: INC-1 resolved, all alerts resolved',
      '330: INC-2 firing, first notification',
      '610: INC-1 resolved, all alerts resolved',
    ]);
  });

  test('ends nothing of a group in which another alert fires on', async () => {
    const pages = await createScene(config)
      .at('0s', firingUnder('order-1', disk), firingUnder('order-1', fan))
      .at('59s', resolved(disk))
      .at('60s', firingUnder('order-2', disk))
      .at('400s', resolved(fan))
      .run('12m');
    expect(told(pages)).toEqual([
      '10: INC-1 firing, first notification',
      '70: INC-2 firing, first notification',
      '610: INC-1 resolved, all alerts resolved',
    ]);
  });
});

test('an alert that comes back as another signal without any key leaves no page open', async () => {
  const slow = { ...config, route: { ...config.route, group_interval: '30m' } };
  const pages = await createScene(slow)
    .at('0s', firing(disk))
    .at('60s', resolved(disk))
    .at('10m', firing(disk))
    .at('11m', resolved(disk))
    .run('90m');
  const last = new Map(pages.map(({ incident, status }) => [incident?.id, status]));
  expect([...last.values()]).toEqual([...last.values()].map(() => 'resolved'));
});
