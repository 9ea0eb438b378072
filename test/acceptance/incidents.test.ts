import { describe, expect, test } from 'vitest';
import { between, command, createScene, delivered, firing, look, resolved } from '../support/scene.ts';

const byIncident = {
  route: {
    receiver: 'on-call',
    group_by: ['incident'],
    group_wait: '1s',
    group_interval: '5s',
    repeat_interval: '1m',
    min_priority: 'P3',
  },
  receivers: [{ name: 'on-call' }],
  services: [
    { name: 'shop', tier: 1, depends_on: ['db'] },
    { name: 'db', tier: 1, sla: 99.95 },
    { name: 'wiki', tier: 4 },
  ],
};
const disk = {
  alertname: 'DiskFull',
  service: 'db',
  severity: 'critical',
  environment: 'prod',
  instance: 'db-0',
};
const errors = { alertname: 'HighErrorRate', service: 'shop', severity: 'critical', environment: 'prod' };

const wiki = {
  alertname: 'WikiDown',
  service: 'wiki',
  severity: 'critical',
  environment: 'prod',
  instance: 'wiki-0',
};
const acknowledge = command({
  kind: 'incident.acknowledge',
  body: { incidentId: 'INC-1', comment: '' },
});
const merge = command({ kind: 'incident.merge', body: { intoId: 'INC-1', fromIds: ['INC-2'] } });
/** Pages for everything, whatever its priority. */
const forAll = { ...byIncident, route: { ...byIncident.route, min_priority: 'P5' } };

describe('pages of incidents', () => {
  test('a database and its caller are one incident and one page', async () => {
    const scene = createScene(byIncident).at('1s', firing(disk)).at('1500ms', firing(errors));
    const pages = await scene.run('30s');
    expect(pages).toHaveLength(1);
    expect(pages[0]?.alerts).toHaveLength(2);
    expect(pages[0]?.incident).toMatchObject({
      priority: 'P1',
      services: expect.arrayContaining(['db', 'shop']) as string[],
    });
    expect(pages[0]?.incident?.probableCauses[0]?.labels).toContain('db');
  });

  test('more alerts of the same incident page nobody again', async () => {
    const scene = createScene(byIncident)
      .at('1s', firing(disk))
      .at('10s', firing(errors))
      .at('12s', firing({ ...errors, alertname: 'HighLatency' }));
    expect((await scene.run('50s')).map(({ reason }) => reason)).toEqual(['first notification']);
  });

  test('an incident that nobody acknowledges is repeated', async () => {
    const scene = createScene(byIncident).at('1s', firing(disk)).at('3s', delivered('on-call'));
    expect((await scene.run('140s')).map(({ reason }) => reason)).toEqual([
      'first notification',
      'repeat interval elapsed',
      'repeat interval elapsed',
    ]);
  });

  test('what is below min_priority waits, and says so', async () => {
    const slow = { alertname: 'Slow', service: 'wiki', severity: 'warning', environment: 'prod' };
    const scene = createScene(byIncident)
      .at('1s', firing(slow))
      .at(
        '60s',
        look(({ intake, dispatch }) => {
          const [alert] = [...intake.alerts()];
          const { groups } = dispatch.explain(alert!.fingerprint);
          expect(groups[0]).toMatchObject({
            incidentId: 'INC-1',
            isTold: false,
            heldBecause: expect.stringMatching(/P[45] is below P3/) as string,
          });
        }),
      );
    expect(await scene.run()).toEqual([]);
  });

  test('a raised priority pages at once', async () => {
    const scene = createScene(byIncident)
      .at('1s', firing({ ...errors, severity: 'warning' }))
      .at('20s', firing(disk, '20s'));
    expect((await scene.run('40s')).at(-1)).toMatchObject({
      atMs: 20_000,
      reason: expect.stringMatching(/^priority raised/) as string,
    });
  });
});

describe('an acknowledged incident', () => {
  test('is not repeated, its end is told', async () => {
    const scene = createScene(byIncident)
      .at('1s', firing(disk))
      .at('10s', acknowledge)
      .at('200s', resolved(disk));
    const pages = await scene.run('260s');
    expect(scene.answers[0]?.status).toBe('done');
    expect(pages.map(({ status }) => status)).toEqual(['firing', 'resolved']);
  });

  test('does not page for the first time, when that came before the page', async () => {
    const scene = createScene(byIncident).at('1s', firing(disk)).at('1500ms', acknowledge);
    expect(await scene.run('200s')).toEqual([]);
  });

  test('pages when it becomes worse than it was', async () => {
    const scene = createScene(forAll)
      .at('1s', firing({ ...errors, severity: 'warning' }))
      .at('10s', acknowledge)
      .at('20s', firing({ ...errors, instance: 'shop-2' }));
    const reasons = (await scene.run('60s')).map(({ reason }) => reason);
    expect(reasons).toEqual(['first notification', expect.stringMatching(/^(priority|severity) raised/)]);
  });

  test('is open again once it is more urgent than what was acknowledged, until somebody takes that on', async () => {
    const scene = createScene(forAll)
      .at('1s', firing({ ...errors, severity: 'warning' }))
      .at('10s', acknowledge)
      .at('20s', firing({ ...errors, instance: 'shop-2' }))
      .at(
        '30s',
        look(({ triage }) =>
          expect(triage.incident('INC-1')).toMatchObject({ state: 'open', acknowledgedBy: null }),
        ),
      )
      .at('200s', acknowledge)
      .at(
        '201s',
        look(({ triage }) => expect(triage.incident('INC-1')).toMatchObject({ state: 'acknowledged' })),
      );
    scene.expectOne('on-call', between('70s', '100s'), errors);
    scene.expectNone('on-call', between('200s', '400s'), errors);
    await scene.run();
  });

  test('that has resolved and comes back is open again, and pages', async () => {
    const scene = createScene(byIncident)
      .at('1s', firing(disk))
      .at('10s', acknowledge)
      .at('20s', resolved(disk))
      .at('40s', firing(disk));
    scene.expectOne('on-call', between('40s', '60s'), disk);
    await scene.run();
  });
});

test('an alert that resolves and returns within a group interval pages nobody', async () => {
  const scene = createScene(byIncident)
    .at('1s', firing(disk))
    .at('7500ms', resolved(disk))
    .at('8s', firing(disk));
  const pages = await scene.run('30s');
  expect(pages.map(({ reason }) => reason)).toEqual(['first notification']);
});

describe('an incident that was closed by hand', () => {
  const close = command({ kind: 'incident.resolve', body: { incidentId: 'INC-1', comment: 'fixed' } });
  const host = (index: number) => ({ ...disk, instance: `db-${index}` });

  test('pages at once when a similar alert follows', async () => {
    const scene = createScene(byIncident)
      .at('1s', firing(host(0)))
      .at('10s', close)
      .at('12s', firing(host(1)));
    scene.expectNone('on-call', between('10s', '11900ms'), disk);
    scene.expectOne('on-call', between('12s', '18s'), host(1));
    const pages = await scene.run('50s');
    expect(pages.map(({ reason }) => reason)).toEqual([
      'first notification',
      'fires again after it was closed',
    ]);
  });

  test('pages at once when one more alert of a signal fires that never stopped', async () => {
    const pod = (index: number) => ({
      alertname: 'PodCrash',
      service: 'db',
      severity: 'critical',
      environment: 'prod',
      pod: `db-7d9f8c6b5-x2k9${index}`,
    });
    const text = { summary: 'the pod crashed and does not come back' };
    const crash = (index: number) => ({ ...firing(pod(index)), annotations: text });
    const scene = createScene(byIncident).at('1s', crash(1)).at('10s', close).at('40m', crash(2));
    scene.at(
      '41m',
      look(({ triage, intake, dedup }) => {
        const [first, second] = [...intake.alerts()].map(
          ({ fingerprint }) => dedup.signalOf(fingerprint)?.id,
        );
        expect(first).toBe(second);
        expect(triage.incident('INC-1')?.state).toBe('open');
      }),
    );
    scene.expectOne('on-call', between('40m', '40m10s'), pod(2));
    await scene.run();
  });

  test('stays quiet while nothing new fires, and its end is told', async () => {
    const scene = createScene(byIncident)
      .at('1s', firing(host(0)))
      .at('10s', close)
      .at('3m', resolved(host(0)));
    scene.expectNone('on-call', between('10s', '3m'), disk);
    scene.expectOne('on-call', between('3m', '4m'), disk, 'resolved');
    await scene.run();
  });
});

describe('merged incidents', () => {
  test('page once more at most, and a resolve of both is told once', async () => {
    const scene = createScene(byIncident)
      .at('1s', firing(disk))
      .at('2s', firing(wiki))
      .at('10s', merge)
      .at('20s', resolved(disk), resolved(wiki));
    scene.expectOne('on-call', between('20s', '50s'), disk, 'resolved');
    scene.expectOne('on-call', between('20s', '50s'), wiki, 'resolved');
    const pages = await scene.run('50s');
    expect(scene.answers[0]?.status).toBe('done');
    expect(pages.filter(({ status }) => status === 'resolved')).toHaveLength(1);
  });

  test('stay quiet when both were told of, and the next page shows all of it', async () => {
    const scene = createScene(forAll).at('1s', firing(disk)).at('2s', firing(wiki)).at('10s', merge);
    const pages = await scene.run('100s');
    expect(pages.map(({ reason }) => reason)).toEqual([
      'first notification',
      'first notification',
      'repeat interval elapsed',
    ]);
    expect(pages.at(-1)?.alerts).toHaveLength(2);
    expect(pages.at(-1)?.incident?.id).toBe('INC-1');
  });
});

test('a page says how telling its receiver ended', async () => {
  const seen: unknown[] = [];
  const note = look(({ dispatch }) => seen.push(dispatch.pages('INC-1').map(({ deliveries }) => deliveries)));
  const scene = createScene(byIncident).at('1s', firing(disk)).at('2500ms', note);
  await scene.at('3s', delivered('on-call')).at('4s', note).run('10s');
  expect(seen).toMatchObject([[[]], [[{ integration: '', status: 'delivered', code: null }]]]);
});
