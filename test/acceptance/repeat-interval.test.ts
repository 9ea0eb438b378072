import { describe, expect, test } from 'vitest';
import { createScene, delivered, failed, firing, resolved, type SeenPage } from '../support/scene.ts';

const configOf = (groupInterval: string, repeatInterval: string) => ({
  route: {
    receiver: 'web',
    group_by: ['alertname'],
    group_wait: '10s',
    group_interval: groupInterval,
    repeat_interval: repeatInterval,
  },
  receivers: [{ name: 'web' }],
});
const down = { alertname: 'Down', instance: 'a' };
const told = (pages: readonly SeenPage[]) => pages.map(({ atMs, reason }) => `${atMs / 1000} ${reason}`);

describe('repeat_interval (alertmanager #2320)', () => {
  test('shorter than group_interval: a group is repeated at every tick, and not before', async () => {
    const pages = await createScene(configOf('60s', '20s')).at('0s', firing(down)).run('200s');
    expect(told(pages)).toEqual([
      '10 first notification',
      '70 repeat interval elapsed',
      '130 repeat interval elapsed',
      '190 repeat interval elapsed',
    ]);
  });

  test('equal to group_interval: at every second tick, as it has not passed yet at the first', async () => {
    const pages = await createScene(configOf('60s', '60s')).at('0s', firing(down)).run('300s');
    expect(told(pages)).toEqual([
      '10 first notification',
      '130 repeat interval elapsed',
      '250 repeat interval elapsed',
    ]);
  });

  test('begins anew with each page, whatever that was for', async () => {
    const pages = await createScene(configOf('60s', '150s'))
      .at('0s', firing(down))
      .at('100s', firing({ ...down, instance: 'b' }))
      .run('320s');
    expect(told(pages)).toEqual([
      '10 first notification',
      '130 new alerts added',
      '310 repeat interval elapsed',
    ]);
  });

  test('a repeat that failed is sent again at the next tick, and the interval counts from the one that arrived', async () => {
    const pages = await createScene(configOf('60s', '150s'))
      .at('0s', firing(down))
      .at('11s', delivered('web'))
      .at('195s', failed('web'))
      .at('251s', delivered('web'))
      .run('440s');
    expect(told(pages)).toEqual([
      '10 first notification',
      '190 repeat interval elapsed',
      '250 repeat interval elapsed',
      '430 repeat interval elapsed',
    ]);
  });

  test('what resolved and fires again within it is told: it is no repeat', async () => {
    const pages = await createScene(configOf('60s', '4h'))
      .at('0s', firing(down))
      .at('20s', resolved(down))
      .at('100s', firing(down))
      .run('200s');
    expect(told(pages)).toEqual(['10 first notification', '70 all alerts resolved', '110 new alerts added']);
  });
});
