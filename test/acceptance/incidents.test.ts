import { describe, expect, test } from 'vitest';
import { firing, resolved, Scene } from '../support/scene.ts';

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

describe('pages of incidents', () => {
  test('a database and its caller are one incident and one page', async () => {
    const scene = new Scene(byIncident).at('1s', firing(disk)).at('1500ms', firing(errors));
    const pages = await scene.run('30s');
    expect(pages).toHaveLength(1);
    expect(pages[0]?.alerts).toHaveLength(2);
    expect(scene.effects[0]?.payload.incident).toMatchObject({
      priority: 'P1',
      services: expect.arrayContaining(['db', 'shop']),
    });
    expect(scene.effects[0]?.payload.incident?.probableCauses[0]?.labels).toContain('db');
  });

  test('more alerts of the same incident page nobody again', async () => {
    const scene = new Scene(byIncident)
      .at('1s', firing(disk))
      .at('10s', firing(errors))
      .at('12s', firing({ ...errors, alertname: 'HighLatency' }));
    expect((await scene.run('50s')).map(({ reason }) => reason)).toEqual(['first notification']);
  });

  test('an acknowledged incident is not repeated, its end is told', async () => {
    const scene = new Scene(byIncident)
      .at('1s', firing(disk))
      .at('10s', {
        kind: 'command',
        command: { kind: 'incident.acknowledge', body: { incidentId: 'INC-1', comment: '' } },
      })
      .at('200s', resolved(disk));
    const pages = await scene.run('260s');
    expect(scene.answers[0]?.status).toBe('done');
    expect(pages.map(({ status }) => status)).toEqual(['firing', 'resolved']);
  });

  test('an incident that nobody acknowledges is repeated', async () => {
    const scene = new Scene(byIncident).at('1s', firing(disk));
    expect((await scene.run('140s')).length).toBeGreaterThanOrEqual(3);
  });

  test('what is below min_priority waits, and says so', async () => {
    const wiki = { alertname: 'Slow', service: 'wiki', severity: 'warning', environment: 'prod' };
    const scene = new Scene(byIncident).at('1s', firing(wiki));
    expect(await scene.run('60s')).toEqual([]);
    const [alert] = [...scene.pipeline.stages.intake.alerts()];
    const { groups } = scene.pipeline.stages.dispatch.explain(alert?.fingerprint ?? '');
    expect(groups[0]?.heldBecause).toMatch(/P[45] is below P3/);
  });

  test('a raised priority pages at once', async () => {
    const scene = new Scene(byIncident)
      .at('1s', firing({ ...errors, severity: 'warning' }))
      .at('20s', firing(disk, '20s'));
    const pages = await scene.run('40s');
    expect(pages.at(-1)).toMatchObject({
      atMs: 20_000,
      reason: expect.stringMatching(/^priority raised/) as string,
    });
  });

  test('merged incidents page once more at most, and a resolve of both is told once', async () => {
    const wiki = {
      alertname: 'WikiDown',
      service: 'wiki',
      severity: 'critical',
      environment: 'prod',
      instance: 'wiki-0',
    };
    const scene = new Scene(byIncident)
      .at('1s', firing(disk))
      .at('2s', firing(wiki))
      .at('10s', {
        kind: 'command',
        command: { kind: 'incident.merge', body: { intoId: 'INC-1', fromIds: ['INC-2'] } },
      })
      .at('20s', resolved(disk), resolved(wiki));
    const pages = await scene.run('50s');
    expect(scene.answers[0]?.status).toBe('done');
    expect(pages.filter(({ status }) => status === 'resolved')).toHaveLength(1);
  });
});
