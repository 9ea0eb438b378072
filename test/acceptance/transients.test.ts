import { describe, expect, test } from 'vitest';
import { fingerprint, labelsOf } from '../../src/alert/index.ts';
import { command, createScene, firing, look, resolved, restarted, type Scene } from '../support/scene.ts';

const config = {
  route: {
    receiver: 'on-call',
    group_by: ['incident'],
    group_wait: '10s',
    group_interval: '5m',
    min_priority: 'P5',
  },
  receivers: [{ name: 'on-call' }],
};
const probe = { alertname: 'ProbeFailed', service: 'wiki', severity: 'warning', environment: 'prod' };

/** For ten days, each day at the same time, it comes and goes after `lasts`. */
function history(scene: Scene, lasts: string, labels = probe, days = 10): Scene {
  for (let day = 0; day < days; day++) {
    scene.at(`${day * 24}h`, firing(labels));
    scene.at(`${day * 24}h${lasts}`, resolved(labels));
  }
  return scene;
}

async function pagesSince(scene: Scene, hour: number, until: string): Promise<string[]> {
  const pages = await scene.run(until);
  return pages
    .filter(({ atMs }) => atMs >= hour * 3_600_000)
    .map(({ atMs, status, reason }) => `${atMs / 1000 - hour * 3600}: ${status}, ${reason}`);
}

describe('a signal that has been over within a minute ten times', () => {
  test('pages nobody when it is again', async () => {
    const scene = history(createScene(config), '40s')
      .at('240h', firing(probe))
      .at('240h40s', resolved(probe));
    scene.at(
      '240h30s',
      look(({ intake, dispatch }) => {
        const [alert] = [...intake.alerts()];
        expect(dispatch.explain(alert!.fingerprint).groups).toMatchObject([
          {
            isTold: false,
            heldBecause:
              'has time until 09:01:00 UTC: 10 of the last 10 times it was over by itself within 1m',
          },
        ]);
      }),
    );
    expect(await pagesSince(scene, 240, '241h')).toEqual([]);
  });

  test('pages when it is not, and says that it has waited', async () => {
    const scene = history(createScene(config), '40s').at('240h', firing(probe));
    const pages = await scene.run('241h');
    const last = pages.at(-1)!;
    expect(last).toMatchObject({ atMs: (240 * 3600 + 60) * 1000, reason: 'first notification' });
    expect(last.notices).toEqual([
      'this page was held back for a while: 10 of the last 10 times it was over by itself within 1m',
    ]);
  });

  test('is told of why nobody was paged, once it is over', async () => {
    const scene = history(createScene(config), '40s')
      .at('240h', firing(probe))
      .at('240h40s', resolved(probe));
    scene.at(
      '240h10m',
      look(({ dispatch }) =>
        expect(dispatch.explain(fingerprint(labelsOf(probe))).left).toMatchObject([
          {
            pageId: null,
            heldBecause: expect.stringMatching(
              /^resolved before anybody was told \(has time until/,
            ) as string,
          },
        ]),
      ),
    );
    await scene.run('241h');
  });

  test('does not wait when something else joins its incident', async () => {
    const joined = { ...config, correlate: { threshold: 0, merge_threshold: 0 } };
    const other = { ...probe, alertname: 'Down' };
    const scene = history(createScene(joined), '40s').at('240h', firing(probe)).at('240h20s', firing(other));
    expect(await pagesSince(scene, 240, '240h50s')).toEqual(['20: firing, first notification']);
  });

  test('does not wait once it is urgent', async () => {
    const rules = [{ name: 'urgent', matchers: ['alertname="ProbeFailed"'], priority: 'P2' }];
    const scene = history(createScene({ ...config, triage: { rules } }), '40s').at('240h', firing(probe));
    expect(await pagesSince(scene, 240, '240h50s')).toEqual(['10: firing, first notification']);
  });

  test('is the same after a restart', async () => {
    const told = (scene: Scene) => pagesSince(scene.at('240h', firing(probe)), 240, '241h');
    const without = await told(history(createScene(config), '40s'));
    for (const time of ['100h', '240h5s', '240h30s'])
      expect(await told(history(createScene(config), '40s').at(time, restarted()))).toEqual(without);
  });

  test('waits for nobody where the operator does not want that', async () => {
    const plain = { ...config, transients: { enabled: false } };
    const scene = history(createScene(plain), '40s').at('240h', firing(probe));
    expect(await pagesSince(scene, 240, '240h50s')).toEqual(['10: firing, first notification']);
  });
});

test.each([
  ['4m', '300: firing, first notification'],
  ['30m', '10: firing, first notification'],
])('what usually lasts %s waits no longer than is of use', async (lasts, told) => {
  const scene = history(createScene(config), lasts).at('240h', firing(probe));
  expect(await pagesSince(scene, 240, '241h')).toEqual([told]);
});

test('seven times prove nothing', async () => {
  const scene = history(createScene(config), '40s', probe, 7).at('240h', firing(probe));
  expect(await pagesSince(scene, 240, '240h50s')).toEqual(['10: firing, first notification']);
});

test('what ended because somebody took care of it was no transient', async () => {
  const scene = createScene(config);
  for (let day = 0; day < 10; day++) {
    scene.at(`${day * 24}h`, firing(probe));
    const body = { incidentId: `INC-${day + 1}`, comment: '' };
    scene.at(`${day * 24}h20s`, command({ kind: 'incident.acknowledge', body }));
    scene.at(`${day * 24}h40s`, resolved(probe));
  }
  scene.at('240h', firing(probe));
  expect(await pagesSince(scene, 240, '240h50s')).toEqual(['10: firing, first notification']);
});

test('what flaps is paged in the end, however short each time is', async () => {
  const scene = history(createScene(config), '40s');
  for (let minute = 0; minute < 12; minute += 2) {
    scene.at(`240h${minute}m`, firing(probe));
    scene.at(`240h${minute}m40s`, resolved(probe));
  }
  const told = await pagesSince(scene, 240, '240h30m');
  expect(told[0]).toMatch(/^\d+: firing, first notification$/);
});
