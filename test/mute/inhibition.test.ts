import { describe, expect, test } from 'vitest';
import { labelsOf } from '../../src/alert/index.ts';
import { inhibitRulesConfig } from '../../src/mute/index.ts';
import { Inhibition } from '../../src/mute/inhibition.ts';
import { fingerprintOf, MuteScene, type Report } from './scene.ts';

const byZone = [
  { source_matchers: ['alertname="ZoneDown"'], target_matchers: ['alertname="NodeDown"'], equal: ['zone'] },
];
const zone = { alertname: 'ZoneDown', zone: 'a' };
const node = { alertname: 'NodeDown', zone: 'a', instance: 'n1' };
const inhibitedBy = (...sources: Report[]) => ({
  muted: true,
  silencedBy: [],
  inhibitedBy: sources.map(fingerprintOf),
});

async function sceneOf(rules: unknown): Promise<MuteScene> {
  const scene = new MuteScene();
  await scene.configure(rules);
  return scene;
}

describe('inhibition', () => {
  test('holds while a source with the same values fires, whoever came first', async () => {
    const scene = await sceneOf(byZone);
    await scene.fire(1, node);
    expect(scene.mute.verdict(fingerprintOf(node))).toEqual({ muted: false });
    expect(await scene.fire(2, zone)).toEqual([
      { fingerprint: fingerprintOf(zone), verdict: { muted: false } },
      { fingerprint: fingerprintOf(node), verdict: inhibitedBy(zone) },
    ]);
    const late = { ...node, instance: 'n2' };
    expect(await scene.fire(3, late)).toEqual([
      { fingerprint: fingerprintOf(late), verdict: inhibitedBy(zone) },
    ]);
    await scene.resolve(4, zone);
    for (const alert of [node, late]) {
      expect(scene.mute.verdict(fingerprintOf(alert))).toEqual({ muted: false });
    }
  });

  test('does not reach another zone', async () => {
    const scene = await sceneOf(byZone);
    await scene.fire(1, zone, { ...node, zone: 'b' });
    expect(scene.mute.verdict(fingerprintOf({ ...node, zone: 'b' }))).toEqual({ muted: false });
  });

  test('takes a missing label for an empty one', async () => {
    const scene = await sceneOf(byZone);
    const [source, target] = [{ alertname: 'ZoneDown' }, { alertname: 'NodeDown' }];
    await scene.fire(1, source, target);
    expect(scene.mute.verdict(fingerprintOf(target))).toEqual(inhibitedBy(source));
  });

  test('goes on while one of several sources fires', async () => {
    const scene = await sceneOf([{ ...byZone[0], equal: [] }]);
    const sources = ['a', 'b', 'c'].map((name) => ({ ...zone, zone: name }));
    await scene.fire(1, node, ...sources);
    for (const source of sources) {
      expect(scene.mute.verdict(fingerprintOf(node)).muted).toBe(true);
      await scene.resolve(2, source);
    }
    expect(scene.mute.verdict(fingerprintOf(node))).toEqual({ muted: false });
  });

  test('an alert on both sides inhibits those on one, but neither itself nor its like', async () => {
    const scene = await sceneOf([
      {
        source_matchers: ['severity=~"critical|error"'],
        target_matchers: ['severity=~"error|warning"'],
        equal: ['zone'],
      },
    ]);
    const alert = (severity: string, instance: string) => ({
      alertname: 'Down',
      zone: 'a',
      severity,
      instance,
    });
    await scene.fire(1, alert('error', '1'), alert('error', '2'), alert('warning', '3'));
    const isMuted = (severity: string, instance: string) =>
      scene.mute.verdict(fingerprintOf(alert(severity, instance))).muted;
    expect([isMuted('error', '1'), isMuted('error', '2'), isMuted('warning', '3')]).toEqual([
      false,
      false,
      true,
    ]);
    await scene.fire(2, alert('critical', '4'));
    expect([isMuted('error', '1'), isMuted('error', '2'), isMuted('critical', '4')]).toEqual([
      true,
      true,
      false,
    ]);
    await scene.resolve(3, alert('critical', '4'));
    expect([isMuted('error', '1'), isMuted('error', '2'), isMuted('warning', '3')]).toEqual([
      false,
      false,
      true,
    ]);
  });

  test('never crosses domains', async () => {
    const scene = await sceneOf(byZone);
    const elsewhere = { ...node, domain: 'acme' };
    await scene.fire(1, zone, elsewhere);
    expect(scene.mute.verdict(fingerprintOf(elsewhere))).toEqual({ muted: false });
    await scene.fire(2, { ...zone, domain: 'acme' });
    expect(scene.mute.verdict(fingerprintOf(elsewhere))).toEqual(inhibitedBy({ ...zone, domain: 'acme' }));
  });

  test('a silenced source still inhibits, and both are said of an alert', async () => {
    const scene = await sceneOf(byZone);
    await scene.silence(0, { matchers: ['zone=a'] });
    await scene.fire(1, zone, node);
    expect(scene.mute.verdict(fingerprintOf(node))).toEqual({
      ...inhibitedBy(zone),
      silencedBy: ['quiet'],
    });
  });

  test('a chain inhibits each link by the one before it', async () => {
    const scene = await sceneOf([
      { source_matchers: ['level="1"'], target_matchers: ['level="2"'] },
      { source_matchers: ['level="2"'], target_matchers: ['level="3"'] },
    ]);
    await scene.fire(1, { level: '1' }, { level: '2' }, { level: '3' });
    expect(scene.mute.verdict(fingerprintOf({ level: '3' }))).toEqual(inhibitedBy({ level: '2' }));
    expect(scene.mute.verdict(fingerprintOf({ level: '2' }))).toEqual(inhibitedBy({ level: '1' }));
  });

  test('other rules take hold of what fires already', async () => {
    const scene = await sceneOf([]);
    await scene.fire(1, zone, node);
    expect(await scene.configure(byZone, {}, 2)).toEqual([
      { fingerprint: fingerprintOf(node), verdict: inhibitedBy(zone) },
    ]);
    expect(await scene.configure([], {}, 3)).toEqual([
      { fingerprint: fingerprintOf(node), verdict: { muted: false } },
    ]);
  });
});

describe('the end of an inhibited alert', () => {
  test.each([
    ['the alert first', [node, zone]],
    ['the source first', [zone, node]],
  ])('is told when its source ends in the same batch: %s', async (_, order) => {
    const scene = await sceneOf(byZone);
    await scene.fire(1, node, zone);
    const changes = await scene.resolve(2, ...order);
    expect(changes).toEqual([{ fingerprint: fingerprintOf(node), verdict: { muted: false } }]);
  });

  test('stays muted while its source fires, for an hour', async () => {
    const scene = await sceneOf(byZone);
    await scene.fire(1, node, zone);
    expect(await scene.resolve(2, node)).toEqual([]);
    expect(scene.mute.verdict(fingerprintOf(node))).toEqual(inhibitedBy(zone));
    await scene.tick(3602);
    expect(scene.mute.verdict(fingerprintOf(node))).toEqual({ muted: false });
    expect(await scene.resolve(3700, zone)).toEqual([]);
  });

  test('is forgotten when it fires again', async () => {
    const scene = await sceneOf(byZone);
    await scene.fire(1, node, zone);
    await scene.resolve(2, node);
    expect(await scene.fire(3, node)).toEqual([
      { fingerprint: fingerprintOf(node), verdict: inhibitedBy(zone) },
    ]);
    expect(await scene.tick(3700)).toEqual([]);
    expect(await scene.resolve(3701, zone)).toEqual([
      { fingerprint: fingerprintOf(node), verdict: { muted: false } },
    ]);
  });

  test('of one that was heard needs no verdict', async () => {
    const scene = await sceneOf(byZone);
    await scene.fire(1, node);
    expect(await scene.resolve(2, node)).toEqual([]);
    expect(await scene.fire(3, zone)).toEqual([
      { fingerprint: fingerprintOf(zone), verdict: { muted: false } },
    ]);
  });
});

test('a restart does not change the order in which verdicts are told', async () => {
  const nodes = Array.from({ length: 6 }, (_, index) => ({ ...node, instance: `n${index}` }));
  const tell = async (isRestarted: boolean) => {
    const scene = await sceneOf(byZone);
    await scene.fire(1, zone, ...nodes.slice(0, 3));
    // The first end muted and are still watched when the others begin.
    await scene.resolve(2, ...nodes.slice(0, 3));
    await scene.fire(3, ...nodes.slice(3));
    if (isRestarted) scene.restart();
    return scene.resolve(4, zone);
  };
  const told = await tell(false);
  expect(told).toHaveLength(nodes.length);
  expect(await tell(true)).toEqual(told);
});

test('the cost of sources that come and go does not follow the targets', async () => {
  const scene = await sceneOf([{ ...byZone[0], equal: [] }]);
  const targets = Array.from({ length: 50 }, (_, index) => ({ ...node, instance: `n${index}` }));
  const sources = Array.from({ length: 400 }, (_, index) => ({ ...zone, zone: `z${index}` }));
  await scene.fire(1, ...targets);
  let changeCount = 0;
  for (const [index, source] of sources.entries())
    changeCount += (await scene.fire(2 + index, source)).length;
  for (const [index, source] of sources.entries())
    changeCount += (await scene.resolve(500 + index, source)).length;
  // Each source is judged itself; another is named to the targets about ln(400) = 6 times on the way up, and on the way down.
  expect(changeCount).toBeLessThan(sources.length + 30 * targets.length);
});

test('a source touches each of its targets once, however many they are', () => {
  const inhibition = new Inhibition(inhibitRulesConfig.parse([{ ...byZone[0], equal: [] }]));
  const labels = labelsOf({ alertname: 'NodeDown' });
  for (let i = 0; i < 200_000; i++) inhibition.addTarget({ fingerprint: `t${i}`, domain: 'default', labels });
  const touched = new Set<string>();
  const source = { fingerprint: 's', domain: 'default', labels: labelsOf(zone) };
  inhibition.add(source, (fingerprint) => touched.add(fingerprint));
  expect(touched.size).toBe(200_000);
});

test('all forms of a rule are read', () => {
  const [rule] = inhibitRulesConfig.parse([
    {
      source_matchers: ['a="1"'],
      source_match: { b: '2' },
      source_match_re: { c: '3|4' },
      target_matchers: ['d!="5"'],
      target_match: { e: '6' },
      target_match_re: { f: '7.*' },
      equal: ['zone'],
    },
  ]);
  expect(rule!.source).toEqual([
    { name: 'a', value: '1', isRegex: false, isEqual: true },
    { name: 'b', value: '2', isRegex: false, isEqual: true },
    { name: 'c', value: '3|4', isRegex: true, isEqual: true },
  ]);
  expect(rule!.target.map(({ name, isRegex, isEqual }) => [name, isRegex, isEqual])).toEqual([
    ['d', false, false],
    ['e', false, true],
    ['f', true, true],
  ]);
});

test.each([
  ['a key that is unknown', { source_match: { a: 'b' }, sources: [] }, 'sources'],
  ['a pattern that does not compile', { target_match_re: { a: '(' } }, 'invalid regular expression'],
  ['a matcher that is none', { source_matchers: ['a'] }, 'bad matcher'],
])('a rule with %s is refused', (_, rule, message) => {
  const parsed = inhibitRulesConfig.safeParse([rule]);
  expect(parsed.success ? [] : parsed.error.issues.map((issue) => issue.message).join()).toContain(message);
});
