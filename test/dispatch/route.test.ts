import { describe, expect, test } from 'vitest';
import { labelsOf } from '../../src/alert/index.ts';
import { routeConfig } from '../../src/dispatch/index.ts';
import { groupKey, groupLabels, RouteTree, type Route } from '../../src/dispatch/route.ts';
import type { Report } from './scene.ts';

/** The tree of Alertmanager's own test (dispatch/route_test.go, `TestRouteMatch`). */
const alertmanagersTree = new RouteTree(
  routeConfig.parse({
    receiver: 'notify-def',
    routes: [
      {
        match: { owner: 'team-A' },
        receiver: 'notify-A',
        routes: [
          { match: { env: 'testing' }, receiver: 'notify-testing', group_by: ['...'] },
          {
            match: { env: 'production' },
            receiver: 'notify-productionA',
            group_wait: '1m',
            continue: true,
          },
          {
            match_re: { env: 'produ.*', job: '.*' },
            receiver: 'notify-productionB',
            group_wait: '30s',
            group_interval: '5m',
            repeat_interval: '1h',
            group_by: ['job'],
          },
        ],
      },
      {
        match_re: { owner: 'team-(B|C)' },
        group_by: ['foo', 'bar'],
        group_wait: '2m',
        receiver: 'notify-BC',
      },
      {
        match: { group_by: 'role' },
        group_by: ['role'],
        routes: [
          {
            match: { env: 'testing' },
            receiver: 'notify-testing',
            routes: [{ match: { wait: 'long' }, group_wait: '2m' }],
          },
        ],
      },
    ],
  }),
);

describe('the tree takes alerts as Alertmanager does', () => {
  const def = {
    receiver: 'notify-def',
    groupBy: [] as string[] | null,
    groupWaitMs: 30_000,
    groupIntervalMs: 300_000,
    repeatIntervalMs: 14_400_000,
  };
  const isTaken: [Report, Partial<Route>[]][] = [
    [{ owner: 'team-A' }, [{ ...def, receiver: 'notify-A' }]],
    [{ owner: 'team-A', env: 'unset' }, [{ ...def, receiver: 'notify-A' }]],
    [{ owner: 'team-C' }, [{ ...def, receiver: 'notify-BC', groupBy: ['foo', 'bar'], groupWaitMs: 120_000 }]],
    [{ owner: 'team-A', env: 'testing' }, [{ ...def, receiver: 'notify-testing', groupBy: null }]],
    [
      { owner: 'team-A', env: 'production' },
      [
        { ...def, receiver: 'notify-productionA', groupWaitMs: 60_000 },
        { ...def, receiver: 'notify-productionB', groupBy: ['job'], repeatIntervalMs: 3_600_000 },
      ],
    ],
    [{ group_by: 'role' }, [{ ...def, groupBy: ['role'] }]],
    [{ env: 'testing', group_by: 'role' }, [{ ...def, receiver: 'notify-testing', groupBy: ['role'] }]],
    [
      { env: 'testing', group_by: 'role', wait: 'long' },
      [{ ...def, receiver: 'notify-testing', groupBy: ['role'], groupWaitMs: 120_000 }],
    ],
    [{ unknown: 'label' }, [def]],
  ];

  test.each(isTaken)('%j', (labels, expected) => {
    expect(alertmanagersTree.match(labelsOf(labels))).toMatchObject(expected);
  });

  test('a child that continues is followed by the next that matches', () => {
    const tree = new RouteTree(
      routeConfig.parse({
        receiver: 'root',
        routes: [
          { receiver: 'a', matchers: ['x="1"'], continue: true },
          { receiver: 'b', matchers: ['x=~"1|2"'], continue: true },
          { receiver: 'c', matchers: ['x!="3"'] },
          { receiver: 'd' },
        ],
      }),
    );
    const receivers = (labels: Report): string[] =>
      tree.match(labelsOf(labels)).map(({ receiver }) => receiver);
    expect(receivers({ x: '1' })).toEqual(['a', 'b', 'c']);
    expect(receivers({ x: '2' })).toEqual(['b', 'c']);
    expect(receivers({ x: '3' })).toEqual(['d']);
    expect(receivers({})).toEqual(['c']);
  });
});

describe('group keys are those of Alertmanager', () => {
  const tree = new RouteTree(
    routeConfig.parse({
      receiver: 'root',
      group_by: ['cluster'],
      routes: [
        {
          matchers: ['team="payments"', 'env=~"p.*"', 'env!="pre"'],
          match: { area: 'eu "west"' },
          routes: [{ matchers: ['severity="page"'], group_by: ['a', 'a1', 'missing'] }],
        },
        { matchers: ['everything="yes"'], group_by: ['...'] },
        { matchers: ['empty="yes"'], group_by: [] },
      ],
    }),
  );
  const keyOf = (labels: Report): string => {
    const [route] = tree.match(labelsOf(labels));
    return groupKey(route!, groupLabels(route!, labelsOf(labels), null));
  };
  const payments = { team: 'payments', env: 'prod', area: 'eu "west"' };
  const paymentsKey = '{area="eu \\"west\\"",env=~"p.*",env!="pre",team="payments"}';

  test.each([
    [{}, '{}:{}'],
    [{ cluster: 'eu' }, '{}:{cluster="eu"}'],
    // Matchers are sorted by name and value, whatever form they were written in.
    [{ ...payments, cluster: 'eu' }, `{}/${paymentsKey}:{cluster="eu"}`],
    // Labels are sorted as text with their values, where 1 is before =.
    [
      { ...payments, severity: 'page', a: '"', a1: '\\' },
      `{}/${paymentsKey}/{severity="page"}:{a1="\\\\", a="\\""}`,
    ],
    [{ everything: 'yes', b: '1' }, '{}/{everything="yes"}:{b="1", everything="yes"}'],
    // An empty list leaves the parent's.
    [{ empty: 'yes', cluster: 'eu' }, '{}/{empty="yes"}:{cluster="eu"}'],
  ])('%j', (labels, key) => {
    expect(keyOf(labels)).toBe(key);
  });

  test('the label incident stands for the incident, and for nothing when there is none', () => {
    const [route] = new RouteTree(
      routeConfig.parse({ receiver: 'r', group_by: ['incident', 'cluster'] }),
    ).match([]);
    const key = (incidentId: string | null): string =>
      groupKey(route!, groupLabels(route!, labelsOf({ cluster: 'eu', incident: 'own' }), incidentId));
    expect(route!.isByIncident).toBe(true);
    expect(key('INC-7')).toBe('{}:{cluster="eu", incident="INC-7"}');
    expect(key(null)).toBe('{}:{cluster="eu"}');
  });
});

describe('a route that Alertmanager refuses is refused', () => {
  test.each([
    ['no receiver at the root', {}, 'the root route needs a receiver'],
    [
      'matchers at the root',
      { receiver: 'a', matchers: ['a="b"'] },
      'the root route must not have any matchers',
    ],
    [
      'matchers of the old form at the root',
      { receiver: 'a', match: { a: 'b' } },
      'the root route must not have any matchers',
    ],
    ['a root that continues', { receiver: 'a', continue: true }, 'the root route cannot continue'],
    ['a label named twice', { receiver: 'a', group_by: ['b', 'b'] }, 'a label must not be named twice'],
    ["'...' with others", { receiver: 'a', group_by: ['...', 'b'] }, "'...' must stand alone"],
    ['no group_interval', { receiver: 'a', group_interval: '0s' }, 'must be more than zero'],
    ['no repeat_interval', { receiver: 'a', repeat_interval: '0s' }, 'must be more than zero'],
    ['a matcher that is none', { receiver: 'a', routes: [{ matchers: ['a'] }] }, 'bad matcher'],
    [
      'a pattern that does not compile',
      { receiver: 'a', routes: [{ match_re: { a: '(' } }] },
      'invalid regular expression',
    ],
    ['a key that is unknown', { receiver: 'a', routes: [{ mute_times: ['x'] }] }, 'mute_times'],
    ['a priority that is none', { receiver: 'a', min_priority: 'P0' }, 'P1'],
  ])('%s', (_, route, message) => {
    const parsed = routeConfig.safeParse(route);
    expect(parsed.success ? [] : parsed.error.issues.map((issue) => issue.message).join()).toContain(message);
  });
});
