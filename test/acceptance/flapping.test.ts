import { describe, expect, test } from 'vitest';
import {
  between,
  createScene,
  firing,
  look,
  resolved,
  restarted,
  type Scene,
  type SeenPage,
} from '../support/scene.ts';

const config = {
  route: {
    receiver: 'on-call',
    group_by: ['incident'],
    group_wait: '1s',
    group_interval: '5s',
    min_priority: 'P5',
  },
  receivers: [{ name: 'on-call' }],
};
const check = {
  alertname: 'HealthCheckFailed',
  service: 'flags',
  severity: 'warning',
  environment: 'prod',
  instance: 'flags-0',
};

/** Fires at each even minute of the scene and resolves at each odd one. */
function flap(scene: Scene, fromMinute: number, toMinute: number, labels = check): Scene {
  for (let minute = fromMinute; minute < toMinute; minute++)
    scene.at(`${minute}m`, minute % 2 === 0 ? firing(labels) : resolved(labels));
  return scene;
}

function told(pages: readonly SeenPage[]): string[] {
  return pages.map(({ atMs, status, reason }) => `${Math.floor(atMs / 60_000)}: ${status}, ${reason}`);
}

describe('an alert that comes and goes', () => {
  test('pages until it flaps, then once, and its end is told once it is quiet', async () => {
    const pages = await flap(createScene(config), 0, 20).run('40m');
    expect(told(pages)).toEqual([
      '0: firing, first notification',
      '1: resolved, all alerts resolved',
      '2: firing, fires again',
      '3: resolved, all alerts resolved',
      '4: firing, fires again',
      '29: resolved, all alerts resolved',
    ]);
    expect(pages[4]).toMatchObject({
      incident: {
        priority: 'P4',
        reasons: expect.arrayContaining([expect.objectContaining({ code: 'flapping' })]),
      },
      notices: ['flapping: 5 changes in 4m, 29 % weighted; it is over once nothing changes for 10m'],
    });
    expect(pages[2]?.notices).toEqual([]);
    expect(pages.at(-1)?.incident?.reasons.map(({ code }) => code)).not.toContain('flapping');
  });

  test('says why nobody is told that it is over', async () => {
    const scene = flap(createScene(config), 0, 12);
    scene.at(
      '12m',
      look(({ dedup, dispatch, triage }) => {
        const [signal] = [...dedup.signals()];
        expect(signal).toMatchObject({ state: 'flapping', firingCount: 0, resolvedAtMs: null });
        const { groups } = dispatch.explain(signal!.fingerprints[0]!);
        expect(groups).toMatchObject([
          {
            isTold: true,
            heldBecause:
              'told once, and its end is not told yet: flapping: 5 changes in 4m, 29 % weighted; it is over once nothing changes for 10m',
          },
        ]);
        expect(triage.incidents()).toMatchObject([{ state: 'open' }]);
      }),
    );
    await scene.run();
  });

  test('does the same when the process restarts meanwhile', async () => {
    const without = await flap(createScene(config), 0, 20).run('40m');
    for (const time of ['210s', '5m', '12m', '20m'])
      expect(await flap(createScene(config), 0, 20).at(time, restarted()).run('40m')).toEqual(without);
  });

  test('that goes on firing is told to be steady, and its end as ever', async () => {
    const scene = flap(createScene(config), 0, 19).at('40m', resolved(check));
    scene.expectNone('on-call', between('5m', '39m'), check, 'resolved');
    scene.expectOne('on-call', between('40m', '41m'), check, 'resolved');
    scene.at(
      '39m',
      look(({ dedup }) => expect([...dedup.signals()]).toMatchObject([{ state: 'firing' }])),
    );
    await scene.run();
  });

  test('pages again when it becomes worse', async () => {
    const scene = flap(createScene(config), 0, 12);
    const worse = { ...check, severity: 'critical' };
    scene.at('12m', firing(worse));
    scene.expectOne('on-call', between('12m', '13m'), worse);
    await scene.run();
  });

  test('flaps for nobody where the operator does not want that', async () => {
    const plain = { ...config, dedup: { flapping: { enabled: false } } };
    const pages = await flap(createScene(plain), 0, 20).run('40m');
    expect(pages).toHaveLength(20);
  });
});

test('a flapping alert that fires but part of its incident ends with it', async () => {
  const other = { ...check, alertname: 'Down', instance: 'flags-1' };
  const scene = createScene(config).at('0m', firing(other));
  flap(scene, 0, 12).at('14m', resolved(other));
  scene.expectNone('on-call', between('12m', '20m'), other, 'resolved');
  scene.expectOne('on-call', between('20m', '22m'), other, 'resolved');
  await scene.run();
});

test("under Alertmanager's rules it is told each time", async () => {
  const strict = {
    ...config,
    dispatch: { strict_alertmanager: true },
    route: { ...config.route, group_by: ['alertname'] },
  };
  const pages = await flap(createScene(strict), 0, 20).run('40m');
  expect(pages.map(({ status }) => status)).toEqual(
    Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? 'firing' : 'resolved')),
  );
  expect(pages.flatMap(({ notices }) => notices)).toEqual([]);
});
