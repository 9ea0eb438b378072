import { describe, expect, test } from 'vitest';
import type { Storm } from '../../src/incident/index.ts';
import {
  createScene,
  firing,
  look,
  resolved,
  restarted,
  type Scene,
  type SeenPage,
} from '../support/scene.ts';

/** Correlation is kept from joining anything, so that what a storm summarises is its own doing. */
const config = {
  route: {
    receiver: 'on-call',
    group_by: ['incident'],
    group_wait: '10s',
    group_interval: '1m',
    min_priority: 'P5',
  },
  receivers: [{ name: 'on-call' }],
  correlate: { threshold: 100, merge_threshold: 100 },
  storms: { min_signals: 8, learning_signals: 12 },
  transients: { enabled: false },
  services: [
    { name: 'db', tier: 2 },
    ...Array.from({ length: 30 }, (_, i) => ({ name: `shop-${i}`, tier: 3, depends_on: ['db'] })),
  ],
};

const alert = (alertname: string, service: string, severity = 'warning') => ({
  alertname,
  service,
  severity,
  environment: 'prod',
});

/** An hour and more in which nothing much happens, a signal each ten minutes that goes again. */
function quiet(scene: Scene, minutes = 180): Scene {
  for (let minute = 0; minute < minutes; minute += 10) {
    scene.at(`${minute}m`, firing(alert('CpuHigh', `batch-${minute}`)));
    scene.at(`${minute + 2}m`, resolved(alert('CpuHigh', `batch-${minute}`)));
  }
  return scene;
}

/** At 200 minutes the database falls, and its callers fail one after the other. */
function fall(scene: Scene, callers = 20): Scene {
  scene.at('200m', firing(alert('DatabaseDown', 'db', 'error')));
  for (let i = 0; i < callers; i++) scene.at(`${12_030 + i}s`, firing(alert('Errors', `shop-${i}`)));
  return scene;
}

function calmDown(scene: Scene, callers = 20): Scene {
  for (let i = 0; i < callers; i++) scene.at('210m', resolved(alert('Errors', `shop-${i}`)));
  return scene.at('210m', resolved(alert('DatabaseDown', 'db', 'error')));
}

function since(pages: readonly SeenPage[], minute: number): string[] {
  return pages
    .filter(({ atMs }) => atMs >= minute * 60_000)
    .map(({ alerts, status, reason }) => {
      const [first] = alerts;
      const { service = '', alertname } = first?.labels ?? {};
      return `${status} ${alertname} ${service}: ${reason.replace(/after .*/, 'after ...')}`;
    });
}

describe('a storm', () => {
  test('is paged once for what all else depends on, and told when it is over', async () => {
    const pages = await calmDown(fall(quiet(createScene(config)))).run('240m');
    const told = since(pages, 200);
    expect(told.slice(0, 2)).toEqual([
      'firing DatabaseDown db: first notification',
      'firing Errors shop-0: first notification',
    ]);
    // Those that waited for their first page as it began are covered, and so is each that followed.
    expect(told.filter((line) => line.startsWith('firing'))).toHaveLength(2);
    expect(told).toContain('resolved DatabaseDown db: all alerts resolved');
    expect(told.filter((line) => line.startsWith('resolved Storm'))).toEqual([
      'resolved Storm : STORM-1 is over after ...',
    ]);
  });

  test('says in its pages that it is over the limit, and how many a page stands for', async () => {
    const worse = alert('DatabaseDown', 'db', 'critical');
    const scene = fall(quiet(createScene(config))).at('203m', firing(worse));
    const page = (await scene.run('206m')).at(-1)!;
    expect(page.alerts).toMatchObject([{ labels: worse }]);
    expect(page.notices[0]).toMatch(
      /^over the limit: STORM-1 since 12:20:\d\d UTC, 8 signals in 5m where 0\.\d are usual .* \(probability \de-\d+\); pages are summarised$/,
    );
  });

  test('is described with what it consists of', async () => {
    const storms: Storm[] = [];
    const scene = fall(quiet(createScene(config))).at(
      '204m',
      look(({ calm }) => storms.push(...calm.storms())),
    );
    await scene.run();
    expect(storms).toMatchObject([
      {
        id: 'STORM-1',
        state: 'on',
        signalCount: 21,
        peakCount: 21,
        incidentCount: 21,
        coveredCount: 19,
        usual: { scope: 'any' },
        families: [
          { kind: 'DatabaseDown', signalCount: 1, services: ['db'], severity: 'error' },
          // New in kind, so that it stands for itself.
          { kind: 'Errors', rootId: 'INC-20', signalCount: 1 },
          { kind: 'Errors', rootId: 'INC-19', signalCount: 19, serviceCount: 19 },
        ],
      },
    ]);
    expect(storms[0]!.families[2]!.services).toHaveLength(10);
  });

  test('keeps for each alert why it has no page, and says so', async () => {
    const scene = fall(quiet(createScene(config))).at(
      '204m',
      look(({ intake, dispatch, dedup, correlate }) => {
        for (const { fingerprint, labels } of intake.alerts()) {
          const [group] = dispatch.explain(fingerprint).groups;
          const reasons = dispatch.calmOf(correlate.candidateOfSignal(dedup.signalOf(fingerprint)!.id)!.id);
          if (group!.isTold) expect(group!.heldBecause).not.toMatch(/stands for it/);
          else {
            expect(labels).toContain('Errors');
            expect(group!.heldBecause).toMatch(
              /^STORM-1: the page of INC-\d+ stands for it, since shop-\d+ depends on db, which INC-\d+ is about$/,
            );
            expect(reasons).toMatchObject([{ code: 'storm_cover' }]);
          }
        }
      }),
    );
    await scene.run();
  });

  test('lets pass what is new in kind, and what is worse', async () => {
    const scene = fall(quiet(createScene(config)))
      .at('202m', firing(alert('DataCorrupted', 'shop-3')))
      .at('203m', firing(alert('Errors', 'shop-25', 'critical')))
      .at('204m', firing(alert('CpuHigh', 'shop-4')));
    const told = since(await scene.run('208m'), 202);
    expect(told).toContain('firing DataCorrupted shop-3: first notification');
    expect(told).toContain('firing Errors shop-25: first notification');
    // Known before the storm, and no worse than the database.
    expect(told.some((line) => line.includes('CpuHigh'))).toBe(false);
  });

  test('lets a page go that was held back once what stood for it is over', async () => {
    const scene = fall(quiet(createScene(config))).at('206m', resolved(alert('DatabaseDown', 'db', 'error')));
    const told = since(await scene.run('215m'), 206);
    expect(told).toContain('resolved DatabaseDown db: all alerts resolved');
    expect(told.filter((line) => line === 'firing Errors shop-7: first notification')).toHaveLength(1);
  });

  test('tells of a resolve as ever', async () => {
    const scene = fall(quiet(createScene(config))).at('203m', resolved(alert('Errors', 'shop-0')));
    expect(since(await scene.run('206m'), 203)).toEqual(['resolved Errors shop-0: all alerts resolved']);
  });

  test('is the same after restarts', async () => {
    const without = await calmDown(fall(quiet(createScene(config)))).run('240m');
    for (const time of ['100m', '12040s', '204m', '212m']) {
      const pages = await calmDown(fall(quiet(createScene(config))).at(time, restarted())).run('240m');
      expect(pages).toEqual(without);
    }
  });

  test('does not begin while so much is usual', async () => {
    const busy = { ...config, storms: { ...config.storms, learning_signals: 1000 } };
    const scene = createScene(busy);
    for (let minute = 0; minute < 240; minute++) {
      const labels = [0, 1, 2, 3].map((n) => alert('CpuHigh', `busy-${minute}-${n}`));
      scene.at(`${minute}m`, ...labels.map((label) => firing(label)));
      scene.at(`${minute}m30s`, ...labels.map((label) => resolved(label)));
    }
    scene.at(
      '240m',
      look(({ calm }) => expect([...calm.storms()]).toEqual([])),
    );
    await scene.run('241m');
  });

  test('changes nothing where the operator does not want that', async () => {
    const plain = { ...config, storms: { ...config.storms, enabled: false } };
    const scene = fall(quiet(createScene(plain))).at(
      '204m',
      look(({ calm }) => expect([...calm.storms()]).toEqual([])),
    );
    expect(since(await scene.run('206m'), 200)).toHaveLength(21);
  });

  test("changes nothing under Alertmanager's rules", async () => {
    const strict = {
      ...config,
      dispatch: { strict_alertmanager: true },
      route: { ...config.route, group_by: ['service'] },
    };
    const pages = await calmDown(fall(quiet(createScene(strict)))).run('240m');
    expect(since(pages, 200).filter((line) => line.startsWith('firing'))).toHaveLength(21);
    expect(pages.flatMap(({ notices }) => notices)).toEqual([]);
    expect(since(pages, 200).some((line) => line.includes('Storm'))).toBe(false);
  });
});

describe('alerts without a catalog', () => {
  const bare = { ...config, services: [] };

  test('are summarised by what they say', async () => {
    const scene = quiet(createScene(bare));
    for (let i = 0; i < 20; i++) scene.at(`${12_000 + i}s`, firing(alert('LinkDown', `rack-${i}`)));
    const told = since(await scene.run('206m'), 200);
    expect(told).toEqual(['firing LinkDown rack-0: first notification']);
  });
});

test('what lasts too long for a storm is learned as the new usual', async () => {
  const short = { ...config, storms: { ...config.storms, longest: '30m' } };
  const scene = quiet(createScene(short));
  for (let minute = 200; minute < 330; minute++) {
    const labels = [0, 1, 2].map((n) => alert('CpuHigh', `busy-${minute}-${n}`));
    scene.at(`${minute}m`, ...labels.map((label) => firing(label)));
    scene.at(`${minute}m30s`, ...labels.map((label) => resolved(label)));
  }
  let ended: Storm | undefined;
  scene.at(
    '330m',
    look(({ calm }) => ([ended] = [...calm.storms()])),
  );
  await scene.run();
  expect(ended).toMatchObject({ state: 'over' });
  expect(ended!.reasons.at(-1)?.text).toBe('it lasts longer than 30m: what is usual is learned anew');
});

test('an incident that takes in no more says so in its pages', async () => {
  const full = {
    ...config,
    correlate: { threshold: 0, merge_threshold: 0, max_signals: 2 },
    storms: { enabled: false },
  };
  const scene = createScene(full)
    .at('1s', firing(alert('Errors', 'shop-0')))
    .at('2s', firing(alert('Slow', 'shop-0')))
    .at('3s', firing(alert('Down', 'shop-0')));
  const pages = await scene.run('1m');
  expect(pages.map(({ notices }) => notices)).toEqual([
    [
      'over the limit: INC-1 has 2 signals, the most that one incident takes (correlate.max_signals); what follows is in another one',
    ],
    [],
  ]);
});
