import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { labelsToObject } from '../../src/alert/index.ts';
import { decoders, type DecodeResult, type SourceFormat } from '../../src/source/index.ts';
import { context } from './scene.ts';

const folder = new URL('../../fixtures/outage/', import.meta.url);
const outageMs = Date.parse('2026-08-24T09:15:00Z');
const dayMs = 86_400_000;

function decodeFile(format: SourceFormat, file: string, nowMs = outageMs): DecodeResult {
  return decoders[format](readFileSync(new URL(file, folder)), { ...context, nowMs });
}

function decodeObject(format: SourceFormat, body: unknown): DecodeResult {
  return decoders[format](Buffer.from(JSON.stringify(body)), { ...context, nowMs: outageMs });
}

test('Prometheus posts to the API of Alertmanager', () => {
  const { alerts, errors } = decodeFile('alertmanager', '01a-alertmanager-v2-post-alerts.request.json');
  expect(errors).toEqual([]);
  expect(alerts.length).toBeGreaterThan(0);
  expect(alerts.every(({ source }) => source === 'alertmanager')).toBe(true);
});

describe("Alertmanager's webhook", () => {
  test('fires, under the fingerprints that Alertmanager gave', () => {
    const file = '02a-alertmanager-webhook-v4-firing.json';
    const told = JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as {
      alerts: { fingerprint: string }[];
    };
    const { alerts, errors } = decodeFile('alertmanager-webhook', file);
    expect(errors).toEqual([]);
    expect(alerts.map(({ fingerprint }) => fingerprint)).toEqual(
      told.alerts.map(({ fingerprint }) => fingerprint),
    );
    expect(alerts[0]).toMatchObject({
      startsAtMs: Date.parse('2026-08-24T09:14:30.512Z'),
      endsByTimeout: true,
      source: 'alertmanager-webhook',
    });
  });

  test('is told once: an alert fires on when resolve_timeout has passed', () => {
    const { alerts } = decodeFile('alertmanager-webhook', '02a-alertmanager-webhook-v4-firing.json');
    expect(alerts.map(({ endsAtMs }) => endsAtMs - outageMs)).toEqual([dayMs, dayMs]);
  });

  test('resolves', () => {
    const laterMs = Date.parse('2026-08-24T10:00:00Z');
    const { alerts } = decodeFile(
      'alertmanager-webhook',
      '02b-alertmanager-webhook-v4-resolved.json',
      laterMs,
    );
    expect(alerts.length).toBeGreaterThan(0);
    for (const alert of alerts) {
      expect(alert.endsAtMs).toBeLessThanOrEqual(laterMs);
      expect(alert.endsByTimeout).toBe(false);
    }
  });

  test('resolved is resolved, also by a clock that is ahead of ours', () => {
    const { alerts } = decodeObject('alertmanager-webhook', {
      alerts: [
        {
          status: 'resolved',
          labels: { a: '1' },
          startsAt: '2099-01-01T00:00:00Z',
          endsAt: '2099-01-02T00:00:00Z',
        },
        { status: 'resolved', labels: { a: '2' } },
      ],
    });
    expect(alerts.map(({ startsAtMs, endsAtMs }) => [startsAtMs, endsAtMs])).toEqual([
      [outageMs, outageMs],
      [outageMs, outageMs],
    ]);
  });

  test.each<[unknown, string]>([
    [[], 'body: expected an object, got array'],
    [{}, 'alerts: expected an array of alerts, got nothing'],
    [{ alerts: {} }, 'alerts: expected an array of alerts, got object'],
    [{ alerts: [null] }, 'alerts[0]: expected an object, got null'],
    [{ alerts: [{ labels: { a: 'b' } }] }, 'alerts[0].status: expected "firing" or "resolved", got nothing'],
    [
      { alerts: [{ labels: { a: 'b' }, status: 'on' }] },
      'alerts[0].status: expected "firing" or "resolved", got "on"',
    ],
    [
      { alerts: [{ labels: { a: 'b' }, status: 'firing', startsAt: '2099-01-01T00:00:00Z' }] },
      'alerts[0].startsAt: start time must be before end time',
    ],
  ])('refuses %j', (body, error) => {
    expect(decodeObject('alertmanager-webhook', body)).toEqual({ alerts: [], errors: [error] });
  });
});

describe("Grafana's webhook", () => {
  test('fires, with links to the panel', () => {
    const { alerts, errors } = decodeFile('grafana', '03a-grafana-webhook-firing.json');
    expect(errors).toEqual([]);
    expect(labelsToObject(alerts[0]!.annotations)).toEqual({
      summary: '5xx ratio above 2% for 4m',
      dashboard_url: 'https://grafana.example.net/d/shop-checkout?orgId=1',
      panel_url: 'https://grafana.example.net/d/shop-checkout?orgId=1&viewPanel=7',
    });
    expect(alerts[0]?.endsAtMs).toBe(outageMs + dayMs);
  });

  test('an alert whose data source broke keeps its own name', () => {
    const { alerts, errors } = decodeFile('grafana', '03b-grafana-webhook-nodata-resolved.json');
    expect(errors).toEqual([]);
    expect(labelsToObject(alerts[0]!.labels)).toEqual({
      alertname: 'Checkout 5xx ratio',
      grafana_folder: 'Shop',
    });
    expect(labelsToObject(alerts[0]!.annotations)).toEqual({ grafana_state: 'no data' });
  });

  test('an alert that is really called DatasourceError stays so', () => {
    const { alerts } = decodeObject('grafana', {
      alerts: [{ status: 'firing', labels: { alertname: 'DatasourceError', ref_id: 'A' }, dashboardURL: 5 }],
    });
    expect(labelsToObject(alerts[0]!.labels)).toEqual({ alertname: 'DatasourceError', ref_id: 'A' });
    expect(alerts[0]?.annotations).toEqual([]);
  });
});

describe('CloudEvents', () => {
  test('one event', () => {
    const { alerts, errors } = decodeFile('cloudevents', '15a-cloudevents-structured.json');
    expect(errors).toEqual([]);
    expect(alerts).toMatchObject([
      {
        startsAtMs: Date.parse('2026-08-24T09:14:30.512Z'),
        endsAtMs: outageMs + dayMs,
        source: 'cloudevents',
      },
    ]);
  });

  test('a batch that fires and resolves', () => {
    const laterMs = Date.parse('2026-08-24T10:00:00Z');
    const { alerts, errors } = decodeFile('cloudevents', '15b-cloudevents-batch.json', laterMs);
    expect(errors).toEqual([]);
    expect(alerts.map(({ endsAtMs }) => endsAtMs)).toEqual([
      laterMs + dayMs,
      Date.parse('2026-08-24T09:51:30.512Z'),
    ]);
    expect(alerts[0]?.fingerprint).toBe(alerts[1]?.fingerprint);
  });

  const event = { specversion: '1.0', id: '1', source: '/test', type: 'alert' };

  test("the event's time stands for a time that its data lack", () => {
    const time = '2026-08-24T09:00:00Z';
    const { alerts } = decodeObject('cloudevents', [
      { ...event, time, data: { labels: { a: '1' }, status: 'firing' } },
      { ...event, time, data: { labels: { a: '2' }, status: 'resolved' } },
      { ...event, time, data: { labels: { a: '3' } } },
    ]);
    const timeMs = Date.parse(time);
    expect(alerts.map(({ startsAtMs, endsAtMs }) => [startsAtMs, endsAtMs])).toEqual([
      [timeMs, outageMs + dayMs],
      [timeMs, timeMs],
      [timeMs, outageMs + context.resolveTimeoutMs],
    ]);
  });

  test.each<[unknown, string]>([
    [5, 'event: expected an object, got number'],
    [{ ...event, specversion: '0.3' }, 'event.specversion: expected "1.0", got 0.3'],
    [{ ...event, id: '' }, 'event.id: expected a text, got '],
    [{ ...event, source: undefined }, 'event.source: expected a text, got nothing'],
    [{ ...event, time: 'now' }, 'event.time: expected an RFC 3339 time, got "now"'],
    [{ ...event, data_base64: 'e30=' }, 'event.data: expected an alert as a JSON object, got nothing'],
    [[{ ...event, data: { labels: {} } }], 'events[0].data.labels: at least one label pair required'],
  ])('refuses %j', (body, error) => {
    expect(decodeObject('cloudevents', body)).toEqual({ alerts: [], errors: [error] });
  });

  test('an empty batch is legal', () => {
    expect(decodeObject('cloudevents', [])).toEqual({ alerts: [], errors: [] });
  });
});
