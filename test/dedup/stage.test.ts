import { describe, expect, test } from 'vitest';
import { alertOf, at, changesOf, reasonsOf, Scene, type Happening, type Report } from './scene.ts';

const crash: Report = {
  alertname: 'PodCrashLooping',
  severity: 'warning',
  namespace: 'shop',
  pod: 'checkout-7d9f8b6c5-x2x1z',
  summary: 'Pod checkout-7d9f8b6c5-x2x1z restarted 12 times',
};
const sameCrash: Report = {
  ...crash,
  pod: 'checkout-7d9f8b6c5-k8s9b',
  summary: 'Pod checkout-7d9f8b6c5-k8s9b restarted 7 times',
};

function sighting(happenings: readonly Happening[]) {
  return happenings.at(-1)!.sightings[0]!;
}

describe('exact duplicates', () => {
  test('are counted and cause no change', async () => {
    const scene = new Scene();
    const [opened] = await scene.fire(0, crash);
    expect(opened!.sightings).toEqual([
      { fingerprint: alertOf(crash, 0).fingerprint, signalId: 'sig-1-0', how: 'new', similarity: 1 },
    ]);
    const repeated = await scene.fire(1, crash);
    expect(sighting(repeated)).toMatchObject({ signalId: 'sig-1-0', how: 'exact', similarity: 1 });
    expect(changesOf(repeated)).toEqual([]);
    expect(scene.dedup.signal('sig-1-0')).toMatchObject({
      alertCount: 2,
      firingCount: 1,
      fingerprintCount: 1,
      firstAtMs: at(0),
      lastAtMs: at(1),
      state: 'firing',
      severity: 'warning',
    });
  });

  test('within one batch go into one signal', async () => {
    const scene = new Scene();
    const [{ sightings, changes } = { sightings: [], changes: [] }] = await scene.fire(0, crash, crash);
    expect(sightings.map(({ how }) => how)).toEqual(['new', 'exact']);
    expect(changes.map(({ change }) => change)).toEqual(['opened']);
  });

  test('with other annotations stay in their signal', async () => {
    const scene = new Scene();
    await scene.fire(0, crash);
    const updated = await scene.fire(1, { ...crash, summary: 'Something else altogether happened here' });
    expect(sighting(updated)).toMatchObject({ signalId: 'sig-1-0', how: 'exact' });
    expect([...scene.dedup.signals()]).toHaveLength(1);
  });
});

describe('near-duplicates', () => {
  test('join, with the similarity and what differs', async () => {
    const scene = new Scene();
    await scene.fire(0, crash);
    const grown = await scene.fire(1, sameCrash);
    expect(sighting(grown)).toMatchObject({ signalId: 'sig-1-0', how: 'similar', similarity: 1 });
    expect(changesOf(grown)).toEqual(['grown']);
    expect(reasonsOf(grown)).toEqual([
      'similar text 1.00 to "Pod checkout-7d9f8b6c5-x2x1z restarted 12 times"; ' +
        'differs in checkout-7d9f8b6c5-x2x1z -> checkout-7d9f8b6c5-k8s9b, 12 -> 7, ' +
        'pod: checkout-7d9f8b6c5-x2x1z -> checkout-7d9f8b6c5-k8s9b',
    ]);
    const { signal } = grown[0]!.changes[0]!;
    expect(signal).toMatchObject({ fingerprintCount: 2, firingCount: 2, alertCount: 2 });
    expect(signal.fingerprints).toHaveLength(2);
    expect(signal.template).toBe('Pod checkout-<pod> restarted <num> times');
    expect(signal.signature).toHaveLength(128);
  });

  test('say of each alert why it is in its signal', async () => {
    const scene = new Scene();
    await scene.fire(0, crash, sameCrash);
    const [first, second] = [crash, sameCrash].map((report) => scene.dedup.explain(alertOf(report, at(0))));
    expect(first).toEqual([{ stage: 'dedup', code: 'own_signal', text: 'the first alert of sig-1-0' }]);
    expect(second).toEqual([
      {
        stage: 'dedup',
        code: 'similar_text',
        text:
          'similar text 1.00 to "Pod checkout-7d9f8b6c5-x2x1z restarted 12 times"; ' +
          'differs in checkout-7d9f8b6c5-x2x1z -> checkout-7d9f8b6c5-k8s9b, 12 -> 7, ' +
          'pod: checkout-7d9f8b6c5-x2x1z -> checkout-7d9f8b6c5-k8s9b',
        weight: 1,
      },
    ]);
    expect(scene.dedup.explain(alertOf({ alertname: 'Other' }, at(0)))).toEqual([]);
  });

  test('of a storm each say what differs, however many there are', async () => {
    const scene = new Scene();
    const pods = Array.from({ length: 300 }, (_, i) => ({
      ...crash,
      pod: `checkout-7d9f8b6c5-${1000 + i}z`,
    }));
    const [storm] = await scene.fire(0, ...pods);
    for (const { how, signalId, similarity, differing } of storm!.sightings.slice(1)) {
      expect({ how, signalId, similarity }).toEqual({ how: 'similar', signalId: 'sig-1-0', similarity: 1 });
      expect(differing).toMatch(/^pod: checkout-7d9f8b6c5-1000z -> checkout-7d9f8b6c5-1\d+z$/);
    }
  });

  test('are found by what was learned in the meantime, and the signal shows it', async () => {
    const scene = new Scene();
    const login = (user: string, id: number) => ({
      alertname: 'Login',
      id: `${1000 + id}`,
      summary: `login of user ${user} to the gate was noted`,
    });
    const users = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank'];
    const hows: string[] = [];
    for (const [i, user] of users.entries()) hows.push(sighting(await scene.fire(i, login(user, i))).how);
    expect(hows).toEqual(['new', 'new', 'new', 'similar', 'similar', 'similar']);
    expect(scene.dedup.signal('sig-1-0')).toMatchObject({
      text: 'login of user alice to the gate was noted',
      template: 'login of user <*> to the gate was noted',
      fingerprintCount: 4,
    });
    expect(sighting(await scene.fire(7, login('gina', 7))).signalId).toBe('sig-1-0');
    // A domain learns from its own alerts alone.
    const elsewhere = await scene.fire(8, { ...login('alice', 8), ofDomain: 'other' });
    expect(sighting(elsewhere).how).toBe('new');
    expect(sighting(await scene.fire(9, { ...login('bob', 9), ofDomain: 'other' })).how).toBe('new');
  });

  test('that say more than their like are apart, however similar, and it is said', async () => {
    const scene = new Scene();
    const failure =
      'authentication failure of the remote service; logname= uid=0 euid=0 tty=ssh ruser= rhost=10.0.0.1';
    await scene.configure({ similarity: 0.7 });
    await scene.fire(0, { alertname: 'Auth', id: '1000', summary: failure });
    const more = await scene.fire(1, { alertname: 'Auth', id: '2000', summary: `${failure} user=root` });
    expect(sighting(more).how).toBe('new');
    expect(reasonsOf(more)[0]).toMatch(
      /^most similar text 0\.\d\d, but more differs than words, to "authentication/,
    );
  });

  test('may differ in a word of a long text', async () => {
    const scene = new Scene();
    const words =
      'the nightly report of the finance department about the orders of this quarter and of the same one a year ago, which the board of the company has asked for since the beginning of this year, could be written neither to the shared folder of';
    await scene.fire(0, {
      alertname: 'Report',
      id: '1000',
      summary: `${words} alice nor to her own one in the archive`,
    });
    const grown = await scene.fire(1, {
      alertname: 'Report',
      id: '5000',
      summary: `${words} robert nor to her own one in the archive`,
    });
    expect(sighting(grown).how).toBe('similar');
    expect(sighting(grown).similarity).toBeGreaterThanOrEqual(0.9);
    expect(sighting(grown).similarity).toBeLessThan(1);
    expect(sighting(grown).differing).toBe('alice -> robert, id: 1000 -> 5000');
  });

  test('a text that is not similar enough opens a signal that says so', async () => {
    const scene = new Scene();
    await scene.fire(0, {
      alertname: 'Report',
      summary: 'the report of alice has a problem that nobody in this department has ever seen before today',
    });
    const opened = await scene.fire(1, {
      alertname: 'Report',
      id: '7',
      summary: 'the report of bob has a problem that nobody in this department has ever seen before today',
    });
    expect(sighting(opened).how).toBe('new');
    const close = await scene.fire(2, {
      alertname: 'Report',
      id: '8',
      summary: 'the report of eve has a problem that nobody in this department has ever seen before today',
    });
    expect(sighting(close).how).toBe('new');
    expect(reasonsOf(close)[0]).toMatch(/^most similar text 0\.\d\d, less than 0\.9, to "the report of bob/);
  });

  test('can be turned off', async () => {
    const scene = new Scene();
    await scene.configure({ near_duplicates: false });
    await scene.fire(0, crash);
    expect(sighting(await scene.fire(1, sameCrash)).how).toBe('new');
  });

  test('with similarity 1 must have equal texts', async () => {
    const scene = new Scene();
    await scene.configure({ similarity: 1 });
    await scene.fire(0, crash);
    expect(sighting(await scene.fire(1, sameCrash)).how).toBe('similar');
  });

  test('do not join a resolved signal', async () => {
    const scene = new Scene();
    await scene.fire(0, crash);
    await scene.resolve(1, crash);
    expect(sighting(await scene.fire(2, sameCrash)).how).toBe('new');
  });

  test('join the oldest of equally similar signals', async () => {
    const scene = new Scene();
    await scene.fire(0, crash);
    await scene.resolve(1, crash);
    await scene.fire(2, sameCrash);
    await scene.fire(3, crash);
    const third = { ...crash, pod: 'checkout-7d9f8b6c5-zz9zz' };
    expect(sighting(await scene.fire(4, third))).toMatchObject({ signalId: 'sig-1-0', how: 'similar' });
  });

  test('a storm of one family is one signal that is news less and less often', async () => {
    const scene = new Scene();
    const pods = Array.from({ length: 1000 }, (_, i) => ({
      ...crash,
      pod: `checkout-7d9f8b6c5-${1000 + i}z`,
    }));
    const storm = await scene.fire(0, ...pods);
    const signals = [...scene.dedup.signals()];
    expect(signals).toHaveLength(1);
    expect(signals[0]).toMatchObject({ fingerprintCount: 1000, firingCount: 1000, alertCount: 1000 });
    expect(signals[0]!.fingerprints).toHaveLength(20);
    expect(changesOf(storm).length).toBeLessThan(80);
  });

  test('a crowd of different texts in one scope keeps finding its own', async () => {
    const scene = new Scene();
    const words = 'alpha bravo charlie delta echo foxtrot golf hotel india juliet kilo lima'.split(' ');
    const text = (i: number, n: string) =>
      `${words[i % 12]} ${words[(i >> 1) % 12]} ${words[(i >> 2) % 12]} ${words[(i >> 3) % 12]} took ${n} rows`;
    const count = 200;
    const first = Array.from({ length: count }, (_, i) => ({
      alertname: 'Log',
      line: `${i}`,
      summary: text(i, '5000'),
    }));
    await scene.fire(0, ...first);
    const again = first.map(({ summary }, i) => ({
      alertname: 'Log',
      line: `${count + i}`,
      summary: summary.replace('5000', '7123'),
    }));
    const [found] = await scene.fire(1, ...again);
    for (const [i, { how, signalId, similarity }] of found!.sightings.entries()) {
      expect({ how, similarity }).toEqual({ how: 'similar', similarity: 1 });
      const { summary } = first[i]!;
      expect(scene.dedup.signal(signalId!)!.text).toBe(summary);
    }
  });
});

describe('resolves', () => {
  test('end their fingerprint, and the signal with its last one', async () => {
    const scene = new Scene();
    await scene.fire(0, crash, sameCrash);
    const one = await scene.resolve(1, crash);
    expect(sighting(one)).toMatchObject({ signalId: 'sig-1-0', how: 'exact' });
    expect(changesOf(one)).toEqual([]);
    expect(scene.dedup.signal('sig-1-0')).toMatchObject({ firingCount: 1, state: 'firing', alertCount: 3 });
    const last = await scene.resolve(2, sameCrash);
    expect(changesOf(last)).toEqual(['resolved']);
    expect(reasonsOf(last)).toEqual(['all 2 alerts resolved']);
    expect(last[0]!.changes[0]!.signal).toMatchObject({
      firingCount: 0,
      state: 'resolved',
      resolvedAtMs: at(2),
      alertCount: 4,
    });
    expect([...scene.dedup.signals()]).toEqual([]);
  });

  test('of what does not fire are ignored', async () => {
    const scene = new Scene();
    const never = await scene.resolve(0, crash);
    expect(sighting(never)).toMatchObject({ signalId: null, how: 'ignored' });
    await scene.fire(1, crash);
    await scene.resolve(2, crash);
    expect(sighting(await scene.resolve(3, crash)).how).toBe('ignored');
    expect(scene.dedup.signal('sig-2-0')!.alertCount).toBe(2);
  });

  test('by nobody repeating the alert are no report', async () => {
    const scene = new Scene();
    await scene.send(0, [alertOf(crash, at(0))]);
    const expired = await scene.wait(6);
    expect(changesOf(expired)).toEqual(['resolved']);
    expect(reasonsOf(expired)).toEqual(['its alert resolved, the last because nobody repeated it']);
    expect(scene.dedup.signal('sig-1-0')).toMatchObject({ alertCount: 1, resolvedAtMs: at(5) });
  });
});

describe('a fingerprint that fires again', () => {
  test('within the window reopens its signal', async () => {
    const scene = new Scene();
    await scene.fire(0, crash);
    await scene.resolve(1, crash);
    const reopened = await scene.fire(6, crash);
    expect(sighting(reopened)).toMatchObject({ signalId: 'sig-1-0', how: 'exact' });
    expect(changesOf(reopened)).toEqual(['reopened']);
    expect(reasonsOf(reopened)).toEqual(['fired again 5m after it resolved']);
    expect(scene.dedup.signalOf(alertOf(crash, 0).fingerprint)).toMatchObject({
      state: 'firing',
      resolvedAtMs: null,
    });
  });

  test('later opens a new one', async () => {
    const scene = new Scene();
    await scene.fire(0, crash);
    await scene.resolve(1, crash);
    const opened = await scene.fire(6.1, crash);
    expect(changesOf(opened)).toEqual(['opened']);
    expect(scene.dedup.signalOf(alertOf(crash, 0).fingerprint)!.id).toBe('sig-3-0');
    expect(scene.dedup.signal('sig-1-0')!.state).toBe('resolved');
  });

  test('goes back to its signal while that is open for others', async () => {
    const scene = new Scene();
    await scene.fire(0, crash, sameCrash);
    await scene.resolve(1, crash);
    const again = await scene.fire(30, crash);
    expect(sighting(again)).toMatchObject({ signalId: 'sig-1-0', how: 'exact' });
    expect(scene.dedup.signal('sig-1-0')).toMatchObject({ firingCount: 2, fingerprintCount: 2 });
  });
});

test('a resolved signal is forgotten after the retention, with its fingerprints', async () => {
  const scene = new Scene();
  const { fingerprint } = alertOf(crash, 0);
  await scene.fire(0, crash);
  await scene.resolve(1, crash);
  await scene.wait(60);
  expect(scene.dedup.signalOf(fingerprint)?.id).toBe('sig-1-0');
  await scene.wait(61);
  expect(scene.dedup.signalOf(fingerprint)).toBeUndefined();
  expect(scene.dedup.signal('sig-1-0')).toBeUndefined();
});

test('a fingerprint that moved on outlives its old signal', async () => {
  const scene = new Scene();
  await scene.fire(0, crash);
  await scene.resolve(1, crash);
  await scene.fire(20, crash);
  await scene.wait(62);
  expect(scene.dedup.signal('sig-1-0')).toBeUndefined();
  expect(scene.dedup.signalOf(alertOf(crash, 0).fingerprint)!.id).toBe('sig-3-0');
});

test('what later stages were given does not change', async () => {
  const scene = new Scene();
  const [opened] = await scene.fire(0, crash);
  const before = structuredClone(opened);
  await scene.fire(1, crash, sameCrash);
  await scene.resolve(2, crash, sameCrash);
  expect(opened).toEqual(before);
});

test('hostile labels and texts are signals like others', async () => {
  const scene = new Scene();
  const [happened] = await scene.fire(
    0,
    { ['__proto__']: 'x', constructor: 'y' },
    { alertname: '\u0000', summary: '\ud800\udfff \ud800' },
    { summary: 'nothing but a text' },
    { alertname: 'x'.repeat(100_000), summary: '1:'.repeat(50_000) },
  );
  expect(happened!.sightings.map(({ how }) => how)).toEqual(['new', 'new', 'new', 'new']);
});
