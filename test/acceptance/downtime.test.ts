import { expect, test } from 'vitest';
import { asleep, between, createScene, firing } from '../support/scene.ts';

const config = {
  global: { resolve_timeout: '5m' },
  route: {
    receiver: 'web',
    group_by: ['alertname'],
    group_wait: '10s',
    group_interval: '1m',
    repeat_interval: '20m',
  },
  receivers: [{ name: 'web' }],
};
const disk = { alertname: 'DiskFull', severity: 'critical' };

// Reports of a scene last an hour.

test('after hours of downtime a group is repeated once, not once for each interval that has passed', async () => {
  const scene = createScene(config);
  scene.at('0s', firing(disk));
  scene.at('10m', asleep('8h'));
  scene.at('481m', firing(disk, '0s'));
  const pages = await scene.run('490m');
  expect(pages.map(({ atMs, reason }) => `${atMs / 60_000} ${reason}`)).toEqual([
    expect.stringMatching(/first notification/),
    '480 repeat interval elapsed',
  ]);
});

test('what nobody could repeat while nobody listened is not resolved', async () => {
  const scene = createScene(config);
  scene.at('0s', firing(disk));
  scene.at('10m', asleep('90m'));
  scene.at('94m', firing(disk, '0s'));
  scene.expectNone('web', between('0s', '150m'), disk, 'resolved');
  await scene.run();
});

test('what nobody repeats afterwards either is resolved once senders had their time', async () => {
  const scene = createScene(config);
  scene.at('0s', firing(disk));
  scene.at('10m', asleep('90m'));
  scene.expectNone('web', between('0s', '94m'), disk, 'resolved');
  scene.expectOne('web', between('95m', '97m'), disk, 'resolved');
  await scene.run();
});

test('a short downtime gives no more time than it took', async () => {
  const scene = createScene(config);
  scene.at('0s', firing(disk));
  scene.at('59m', asleep('61m'));
  scene.expectOne('web', between('63m', '65m'), disk, 'resolved');
  await scene.run();
});
