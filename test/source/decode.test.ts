import { describe, expect, test } from 'vitest';
import { labelsToObject, labelValue } from '../../src/alert/index.ts';
import { decoders, isSourceFormat, webhookFormats, type DecodeResult } from '../../src/source/index.ts';
import { context, minuteMs, nowMs } from './scene.ts';

function post(body: unknown, more: Partial<typeof context> = {}): DecodeResult {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return decoders.alertmanager(Buffer.from(text), { ...context, ...more });
}

const far = '2099-01-01T00:00:00Z';

describe('an alert that is posted to Alertmanager', () => {
  test('keeps its labels, annotations, times and where it comes from', () => {
    const { alerts, errors } = post([
      {
        labels: { severity: 'critical', alertname: 'DiskFull' },
        annotations: { summary: 'full' },
        startsAt: '2026-08-24T09:59:00Z',
        endsAt: far,
        generatorURL: 'http://prometheus/graph',
        unknown: 'passed over',
      },
    ]);
    expect(errors).toEqual([]);
    expect(alerts).toEqual([
      {
        fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/),
        domain: 'default',
        labels: ['alertname', 'DiskFull', 'severity', 'critical'],
        annotations: ['summary', 'full'],
        startsAtMs: nowMs - minuteMs,
        endsAtMs: Date.parse(far),
        endsByTimeout: false,
        receivedAtMs: nowMs,
        generatorUrl: 'http://prometheus/graph',
        source: 'alertmanager',
      },
    ]);
  });

  // Answers of prometheus-alertmanager 0.25.
  test.each([
    [{ alertname: 't0' }, '4be416424a90fe3c'],
    [{ alertname: 'e8', a: 'x\0y' }, '63fac99e70da5bc7'],
    [{ alertname: 'e10', a: '\ud800' }, 'b1d7f3a7c9b64c8e'],
    [{ alertname: 'e3', b: '' }, 'cdcd7d429423a360'],
    [{ alertname: 'e2', '': '' }, 'cdcb7d4294232089'],
    [{ alertname: 'e23', a: null }, 'd1824e21b5a7f556'],
  ])('%j has the fingerprint that Alertmanager gives it', (labels, fingerprint) => {
    expect(post([{ labels }]).alerts.map((alert) => alert.fingerprint)).toEqual([fingerprint]);
  });

  test('a label named __proto__ is a label like any other', () => {
    const { alerts } = post('[{"labels":{"alertname":"e9","__proto__":"x"}}]');
    expect(alerts[0]?.fingerprint).toBe('3309796263c6dccc');
    expect(labelsToObject(alerts[0]!.labels)).toEqual(JSON.parse('{"alertname":"e9","__proto__":"x"}'));
    expect(Object.hasOwn(Object.prototype, 'x')).toBe(false);
  });

  test('a body with __proto__ and constructor changes no prototype and lends no labels', () => {
    const { alerts, errors } = post(
      '[{"__proto__":{"labels":{"alertname":"x"}}},{"constructor":{"prototype":{"a":1}},"labels":{"a":"b"}}]',
    );
    expect(errors).toEqual(['alerts[0].labels: expected an object of texts, got nothing']);
    expect(alerts).toHaveLength(1);
    expect(({} as Record<string, unknown>)['a']).toBeUndefined();
  });
});

describe('times that are missing', () => {
  test.each<[string, object, number, number, boolean]>([
    ['both', {}, nowMs, nowMs + 5 * minuteMs, true],
    ['null and empty', { startsAt: null, endsAt: '' }, nowMs, nowMs + 5 * minuteMs, true],
    ['the zero time', { startsAt: far, endsAt: '0001-01-01T00:00:00Z' }, 0, 0, true],
    [
      'the start, end in the past',
      { endsAt: '2026-08-24T09:00:00Z' },
      nowMs - 60 * minuteMs,
      nowMs - 60 * minuteMs,
      false,
    ],
    ['the start, end in the future', { endsAt: far }, nowMs, Date.parse(far), false],
  ])('%s', (_name, times, startsAtMs, endsAtMs, endsByTimeout) => {
    const { alerts, errors } = post([{ labels: { a: 'b' }, ...times }]);
    if (endsAtMs === 0) expect(errors).toEqual(['alerts[0].startsAt: start time must be before end time']);
    else expect(alerts[0]).toMatchObject({ startsAtMs, endsAtMs, endsByTimeout });
  });

  test('years 0 and 9999 are taken', () => {
    const { alerts } = post([
      { labels: { a: 'b' }, startsAt: '0000-01-01T00:00:00Z', endsAt: '9999-12-31T23:59:59Z' },
    ]);
    expect(alerts[0]).toMatchObject({ startsAtMs: -62_167_219_200_000, endsAtMs: 253_402_300_799_000 });
  });

  test('an alert may start and end in the same moment', () => {
    expect(post([{ labels: { a: 'b' }, startsAt: far, endsAt: far }]).alerts).toHaveLength(1);
  });
});

describe('what is refused, with the field and what was expected', () => {
  test.each<[unknown, string]>([
    ['', 'body: expected JSON, got nothing'],
    ['[{"labels":', 'body: expected JSON: Unexpected end of JSON input'],
    ['{"labels":{"a":"b"}}', 'body: expected an array of alerts, got object'],
    ['"x"', 'body: expected an array of alerts, got string'],
    [[null], 'alerts[0]: expected an object, got null'],
    [[[]], 'alerts[0]: expected an object, got array'],
    [['x'], 'alerts[0]: expected an object, got string'],
    [[{}], 'alerts[0].labels: expected an object of texts, got nothing'],
    [[{ labels: null }], 'alerts[0].labels: expected an object of texts, got null'],
    [[{ labels: ['a'] }], 'alerts[0].labels: expected an object of texts, got array'],
    [[{ labels: {} }], 'alerts[0].labels: at least one label pair required'],
    [[{ labels: { a: '' } }], 'alerts[0].labels: at least one label pair required'],
    [[{ labels: { '': 'x' } }], 'alerts[0].labels: expected names that are not empty, got ""'],
    [[{ labels: { severity: 5 } }], 'alerts[0].labels.severity: expected a string, got number'],
    [[{ labels: { severity: {} } }], 'alerts[0].labels.severity: expected a string, got object'],
    [[{ labels: { severity: true } }], 'alerts[0].labels.severity: expected a string, got boolean'],
    [
      [{ labels: { a: 'b' }, annotations: 'x' }],
      'alerts[0].annotations: expected an object of texts, got string',
    ],
    [
      [{ labels: { a: 'b' }, annotations: { c: 1 } }],
      'alerts[0].annotations.c: expected a string, got number',
    ],
    [[{ labels: { a: 'b' }, startsAt: 5 }], 'alerts[0].startsAt: expected an RFC 3339 time, got number'],
    [[{ labels: { a: 'b' }, endsAt: 'soon' }], 'alerts[0].endsAt: expected an RFC 3339 time, got "soon"'],
    [[{ labels: { a: 'b' }, generatorURL: 5 }], 'alerts[0].generatorURL: expected a string, got number'],
    [
      [{ labels: { a: 'b' }, startsAt: '2026-01-02T00:00:00Z', endsAt: '2026-01-01T00:00:00Z' }],
      'alerts[0].startsAt: start time must be before end time',
    ],
  ])('%j', (body, error) => {
    expect(post(body)).toEqual({ alerts: [], errors: [error] });
  });

  test('long names and values are cut in errors', () => {
    const { errors } = post([
      { labels: { ['n'.repeat(10_000)]: 5 } },
      { labels: { a: 'b' }, startsAt: 'x'.repeat(10_000) },
    ]);
    expect(errors.every((error) => error.length < 200)).toBe(true);
  });

  test('the valid alerts of a request are kept, and every error is told', () => {
    const { alerts, errors } = post([
      { labels: {} },
      { labels: { alertname: 'kept' } },
      { labels: { alertname: 'late' }, startsAt: far },
      { labels: { alertname: 'kept too' } },
    ]);
    expect(alerts.map(({ labels }) => labelValue(labels, 'alertname'))).toEqual(['kept', 'kept too']);
    expect(errors).toEqual([
      'alerts[0].labels: at least one label pair required',
      'alerts[2].startsAt: start time must be before end time',
    ]);
  });
});

describe('what is taken, however odd', () => {
  test('no alerts at all', () => {
    expect(post([])).toEqual({ alerts: [], errors: [] });
  });

  test('the same alert twice is kept twice, in order', () => {
    const { alerts } = post([
      { labels: { a: 'b' }, annotations: { v: '1' } },
      { labels: { a: 'b' }, annotations: { v: '2' } },
    ]);
    expect(alerts.map(({ annotations }) => annotations)).toEqual([
      ['v', '1'],
      ['v', '2'],
    ]);
    expect(alerts[0]?.fingerprint).toBe(alerts[1]?.fingerprint);
  });

  test('1,000 labels, in any order', () => {
    const names = Array.from({ length: 1000 }, (_, i) => `label${(i * 7) % 1000}`);
    const { alerts } = post([{ labels: Object.fromEntries(names.map((name) => [name, `${name}!`])) }]);
    expect(alerts[0]?.labels).toEqual(names.toSorted().flatMap((name) => [name, `${name}!`]));
  });

  test('a hundred thousand labels in the worst order', () => {
    const names = Array.from({ length: 100_000 }, (_, i) => `l${String(999_999 - i)}`);
    const { alerts } = post([{ labels: Object.fromEntries(names.map((name) => [name, 'x'])) }]);
    expect(alerts[0]?.labels).toHaveLength(200_000);
  });

  test('a label of ten million characters', () => {
    expect(post([{ labels: { a: 'x'.repeat(10_000_000) } }]).alerts).toHaveLength(1);
  });

  test('ten million opening brackets are an error, not a crash', () => {
    expect(post('['.repeat(10_000_000)).errors).toHaveLength(1);
  });

  test('lone surrogates are replaced, in names too, where two may become one', () => {
    const { alerts } = post('[{"labels":{"\\ud800":"first","\\ud801":"second","a":"\\udc00"}}]');
    expect(alerts[0]?.labels).toEqual(['a', '\ufffd', '\ufffd', 'second']);
  });

  test('bytes that are no UTF-8 are replaced', () => {
    const body = Buffer.concat([Buffer.from('[{"labels":{"a":"'), Buffer.from([0xff]), Buffer.from('"}}]')]);
    expect(decoders.alertmanager(body, context).alerts[0]?.labels).toEqual(['a', '\ufffd']);
  });

  test('names are sorted by code point, in whatever order they come', () => {
    const { alerts } = post([{ labels: { '\u{1f642}': '3', '\uffee': '2', b: '1', a: '0' } }]);
    expect(alerts[0]?.labels).toEqual(['a', '0', 'b', '1', '\uffee', '2', '\u{1f642}', '3']);
  });
});

describe('the domain of an alert', () => {
  test('is its own label, before that of the request', () => {
    const { alerts } = post([{ labels: { alertname: 'x', domain: 'shop' } }], { defaultDomain: 'other' });
    expect(alerts[0]).toMatchObject({ domain: 'shop', labels: ['alertname', 'x', 'domain', 'shop'] });
  });

  test('of a request for another domain than the default becomes a label, so that fingerprints differ', () => {
    const [here] = post([{ labels: { alertname: 'x' } }]).alerts;
    const [there] = post([{ labels: { alertname: 'x' } }], { defaultDomain: 'shop' }).alerts;
    expect(here).toMatchObject({ domain: 'default', labels: ['alertname', 'x'] });
    expect(there).toMatchObject({ domain: 'shop', labels: ['alertname', 'x', 'domain', 'shop'] });
    expect(here?.fingerprint).not.toBe(there?.fingerprint);
  });

  test('is read from the label that the configuration names', () => {
    const { alerts } = post([{ labels: { tenant: 'shop' } }], { domainLabel: 'tenant' });
    expect(alerts[0]).toMatchObject({ domain: 'shop', labels: ['tenant', 'shop'] });
  });
});

test('a message holds one alert or an array of them', () => {
  expect(decode({ labels: { a: 'b' } }).alerts).toMatchObject([{ labels: ['a', 'b'], source: 'json' }]);
  expect(decode([{ labels: { a: 'b' } }, { labels: {} }])).toMatchObject({
    alerts: [{ labels: ['a', 'b'] }],
    errors: ['alerts[1].labels: at least one label pair required'],
  });
  expect(decode(5).errors).toEqual(['alert: expected an object, got number']);
});

function decode(body: unknown): DecodeResult {
  return decoders.json(Buffer.from(JSON.stringify(body)), context);
}

test('formats are known by their names', () => {
  expect(isSourceFormat('alertmanager')).toBe(true);
  expect(isSourceFormat('constructor')).toBe(false);
  expect(webhookFormats.every(isSourceFormat)).toBe(true);
});

test('of a body of a million mistakes the first are told, and how many more there are', () => {
  const body = Buffer.from(`[${Array.from({ length: 5000 }, () => '{}').join(',')}]`);
  for (const decode of [decoders.alertmanager, decoders.json]) {
    const { alerts, errors } = decode(body, context);
    expect(alerts).toEqual([]);
    expect(errors).toHaveLength(1001);
    expect(errors[0]).toContain('alerts[0].labels: expected an object of texts');
    expect(errors.at(-1)).toBe('alerts: expected alerts, got 4000 more that are none');
  }
});
