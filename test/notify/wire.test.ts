import { describe, expect, test } from 'vitest';
import { cloudEvent, webhookBody, wireIncident } from '../../src/notify/index.ts';
import { wireTime } from '../../src/notify/wire.ts';
import { firing, fixture, incidentOf, notificationIn, notificationOf, resolved } from './scene.ts';

describe("Alertmanager's webhook body", () => {
  test.each(['02a-alertmanager-webhook-v4-firing.json', '02b-alertmanager-webhook-v4-resolved.json'])(
    'is the same as in %s, but for our own key',
    (file) => {
      const theirs = fixture(file);
      const { tocsin, ...ours } = webhookBody('g/1/web', notificationIn(theirs), 0, theirs.externalURL);
      expect(JSON.parse(JSON.stringify(ours))).toEqual(theirs);
      expect(tocsin).toEqual({
        id: 'g/1/web',
        why: [theirs.notification_reason],
        unchangedAlerts: 0,
        incident: null,
      });
    },
  );

  test('tells of the incident and why somebody is paged', () => {
    const { tocsin } = webhookBody('INC-1/1/web', notificationOf({ incident: incidentOf() }), 0, '') as {
      tocsin: { why: string[]; incident: Record<string, unknown> };
    };
    expect(tocsin.why).toEqual([
      'first notification',
      'priority P1, severity critical',
      'probable cause: Disk 97 % full',
      'checkout-api has tier 1',
      'checkout-api calls payments-db',
    ]);
    expect(tocsin.incident).toMatchObject({
      id: 'INC-1',
      revision: 3,
      priority: 'P1',
      severity: 'critical',
      title: 'payments-db runs out of disk; checkout-api and 2 more fail',
      category: 'capacity',
      openedAt: '2026-08-24T09:13:02.118Z',
      resolvedAt: null,
      reasons: ['checkout-api has tier 1', 'checkout-api calls payments-db'],
      probableCauses: [
        {
          text: 'Disk 97 % full',
          score: 0.72,
          labels: { alertname: 'DiskFull', service: 'payments-db' },
          reasons: ['the first signal'],
        },
      ],
      similar: [{ id: 'INC-0', similarity: 0.88, shared: ['payments-db', 'DiskFull'] }],
    });
  });

  test('says in the page what it knows beyond the incident, and what is left out', () => {
    const alerts = [1, 2, 3].map((n) => firing({ alertname: 'Down', instance: `web-${n}` }));
    const notification = { ...notificationOf({ alerts }), notices: ['over the limit: STORM-1'] };
    const { tocsin } = webhookBody('g/1/web', notification, 1, '') as { tocsin: { why: string[] } };
    expect(tocsin.why).toEqual([
      notification.notificationReason,
      'over the limit: STORM-1',
      'over the limit: 2 more alerts are left out, by max_alerts 1',
    ]);
  });

  test('an incident is told with every field that it has', () => {
    const incident = incidentOf();
    const wire = Object.keys(wireIncident(incident)).map((key) => key.replace(/At$/, 'AtMs'));
    expect(wire.toSorted()).toEqual(Object.keys(incident).toSorted());
  });

  test('a limit leaves out only what says nothing new: no end, and no first alert of its name', () => {
    const alerts = [
      firing({ alertname: 'A', zone: '1' }),
      firing({ alertname: 'A', zone: '2' }),
      firing({ alertname: 'A', zone: '3' }),
      firing({ alertname: 'B', zone: '4' }),
      resolved({ alertname: 'A', zone: '5' }),
      resolved({ alertname: 'C', zone: '6' }),
    ];
    const shown = (maxAlerts: number): [string[], unknown] => {
      const body = webhookBody('id', notificationOf({ alerts }), maxAlerts, '') as {
        alerts: { labels: { zone: string } }[];
        truncatedAlerts: number;
      };
      return [body.alerts.map(({ labels }) => labels.zone), body.truncatedAlerts];
    };
    expect(shown(5)).toEqual([['1', '2', '4', '5', '6'], 1]);
    expect(shown(1)).toEqual([['1', '4', '5', '6'], 2]);
    expect(shown(6)).toEqual([['1', '2', '3', '4', '5', '6'], 0]);
    expect(shown(0)).toEqual([['1', '2', '3', '4', '5', '6'], 0]);
  });

  test('a label named __proto__ stays a label', () => {
    const alerts = [firing(JSON.parse('{"__proto__":"x","alertname":"A"}') as Record<string, string>)];
    const text = JSON.stringify(webhookBody('id', notificationOf({ alerts }), 0, ''));
    expect(text).toContain('"labels":{"__proto__":"x","alertname":"A"}');
  });
});

test('times are written as Go writes them, whatever the year', () => {
  expect(wireTime(Date.parse('2026-08-24T09:15:30.000Z'))).toBe('2026-08-24T09:15:30Z');
  expect(wireTime(Date.parse('2026-08-24T09:15:30.500Z'))).toBe('2026-08-24T09:15:30.5Z');
  expect(wireTime(Date.parse('2026-08-24T09:10:00.120Z'))).toBe('2026-08-24T09:10:00.12Z');
  expect(wireTime(8.64e15)).toBe('9999-12-31T23:59:59.999Z');
  expect(wireTime(-8.64e15)).toBe('0000-01-01T00:00:00Z');
});

describe('a CloudEvent', () => {
  test('has the attributes that CloudEvents 1.0 asks for, and tells what the webhook tells', () => {
    const alerts = [firing({ alertname: 'DiskFull' }), resolved({ alertname: 'Slow' })];
    const event = cloudEvent('INC-1/1/bus', notificationOf({ alerts, incident: incidentOf() }), 0);
    expect(event).toMatchObject({
      specversion: '1.0',
      id: 'INC-1/1/bus',
      source: '/tocsin',
      type: 'tocsin.incident.paged.v1',
      subject: 'incident/INC-1',
      time: '2026-08-24T09:15:02.118Z',
      datacontenttype: 'application/json',
      partitionkey: 'shop',
      sequence: '00000000000000000003',
      data: {
        incident: { id: 'INC-1', revision: 3 },
        group: { status: 'firing', firing: 1, resolved: 1, truncated: 0 },
        decision: {
          action: 'page',
          receiver: 'web',
          reason: 'first notification',
          idempotencyKey: 'INC-1/1/bus',
        },
      },
    });
    for (const name of Object.keys(event)) expect(name).toMatch(/^[a-z0-9]{1,20}$/);
  });

  test('of a group that is no incident has no sequence', () => {
    const event = cloudEvent('g/1/bus', notificationOf({ status: 'resolved' }), 0);
    expect(event).toMatchObject({
      type: 'tocsin.group.paged.v1',
      partitionkey: 'shop',
      data: { incident: null },
    });
    expect(event).not.toHaveProperty('sequence');
    expect(event['data']).toMatchObject({ decision: { action: 'resolve' } });
  });
});
