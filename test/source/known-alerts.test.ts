import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseJson, readList, type DecodeContext, type DecodeResult } from '../../src/source/decode.ts';
import { KnownAlerts } from '../../src/source/known-alerts.ts';
import { readReport } from '../../src/source/report.ts';
import { context } from './scene.ts';

/** A reader that counts what it had to parse. */
function createReader(limits?: ConstructorParameters<typeof KnownAlerts>[1]) {
  let parsedCount = 0;
  const known = new KnownAlerts((item, index, each) => {
    parsedCount++;
    const path = index === null ? 'alert' : `alerts[${index}]`;
    return { report: readReport(item, path, 'json', each), isRepeatable: true };
  }, limits);
  return {
    read(body: string | Uint8Array, each: DecodeContext = context) {
      parsedCount = 0;
      return known.read(typeof body === 'string' ? Buffer.from(body) : body, each);
    },
    get parsedCount() {
      return parsedCount;
    },
  };
}

/** What the same bytes say when all of them are read. */
function fresh(body: string | Uint8Array, each: DecodeContext = context): DecodeResult {
  const json = parseJson(typeof body === 'string' ? Buffer.from(body) : body);
  if (!json.ok) return { alerts: [], errors: [json.error] };
  if (Array.isArray(json.value))
    return readList(json.value, 'alerts', (item, path) => readReport(item, path, 'json', each));
  const report = readReport(json.value, 'alert', 'json', each);
  return report.ok ? { alerts: [report.alert], errors: [] } : { alerts: [], errors: [report.error] };
}

const alert = (name: string, endsAt = '2026-08-24T10:00:00.000Z'): string =>
  `{"labels":{"alertname":"${name}"},"annotations":{"summary":"\\"}{\\" is ${name}"},"startsAt":"2026-08-24T09:00:00Z","endsAt":"${endsAt}"}`;
const list = (...alerts: readonly string[]): string => `[${alerts.join(',')}]`;

test('what was said twice is not parsed a third time, in whatever order, with whatever times', () => {
  const reader = createReader();
  for (let round = 0; round < 2; round++) {
    reader.read(list(alert('A'), alert('B'), alert('C')));
    expect(reader.parsedCount).toBe(3);
  }
  for (const body of [
    list(alert('A'), alert('B'), alert('C')),
    list(alert('C', '2026-08-24T11:00:00.000Z'), alert('A', '2026-08-24T12:00:00.000Z'), alert('A')),
    ` [ ${alert('B')} ,\n${alert('C')}\t] `,
    alert('B', '2026-08-24T11:30:00.000Z'),
  ]) {
    expect(reader.read(body)).toEqual(fresh(body));
    expect(reader.parsedCount).toBe(0);
  }
});

test('what differs in one byte is another alert', () => {
  const reader = createReader();
  for (let round = 0; round < 3; round++) reader.read(list(alert('A1'), alert('A2')));
  const body = list(alert('A1'), alert('A3'), alert('A2'));
  expect(reader.read(body)).toEqual(fresh(body));
  expect(reader.parsedCount).toBe(1);
});

test('times that are missing are filled anew each time', () => {
  const reader = createReader();
  const body =
    '[{"labels":{"a":"b"},"endsAt":"","startsAt":null},{"labels":{"a":"c"},"startsAt":"0001-01-01T00:00:00Z"}]';
  for (let round = 0; round < 4; round++) {
    const later = { ...context, nowMs: context.nowMs + round * 60_000, resolveTimeoutMs: 1000 * (round + 1) };
    expect(reader.read(body, later)).toEqual(fresh(body, later));
  }
  expect(reader.parsedCount).toBe(0);
});

test('each domain has its own', () => {
  const reader = createReader();
  const domains = [context, { ...context, defaultDomain: 'shop' }, { ...context, domainLabel: 'alertname' }];
  for (let round = 0; round < 4; round++) {
    for (const each of domains) expect(reader.read(alert('A'), each)).toEqual(fresh(alert('A'), each));
  }
  for (let index = 0; index < 1000; index++) {
    const each = { ...context, defaultDomain: `d${index}` };
    expect(reader.read(alert('A'), each)).toEqual(fresh(alert('A'), each));
  }
});

test.each([
  [
    'a time said twice',
    '{"labels":{"a":"b"},"endsAt":"2026-08-24T10:00:00Z","endsAt":"2026-08-24T11:00:00Z"}',
  ],
  ['a time said and taken back', '{"labels":{"a":"b"},"endsAt":"2026-08-24T10:00:00Z","endsAt":null}'],
  [
    'a key with escapes',
    '{"labels":{"a":"b"},"endsAt":"2026-08-24T10:00:00Z","ends\\u0041t":"2026-08-24T11:00:00Z"}',
  ],
  ['a time with escapes', '{"labels":{"a":"b"},"endsAt":"2026-08-24T10\\u003a00:00Z"}'],
  ['a time among the labels', '{"labels":{"startsAt":"b","endsAt":"c"},"annotations":{"endsAt":"x"}}'],
  ['a time in a list', '{"labels":{"a":"b"},"more":["endsAt","2026-08-24T10:00:00Z",{"endsAt":"x"}]}'],
  ['an escaped quote', '{"labels":{"a":"\\"","b":"\\\\"},"endsAt":"2026-08-24T10:00:00Z"}'],
  ['a mark of byte order within', '{"labels":{"a":"\ufeffb"}}'],
])('%s is read as it is meant', (_, body) => {
  const reader = createReader();
  for (let round = 0; round < 4; round++) {
    expect(reader.read(body)).toEqual(fresh(body));
    const other = body.replaceAll('T10', 'T12');
    expect(reader.read(other)).toEqual(fresh(other));
  }
});

test('a time that is none, or before the start, is told as it would have been', () => {
  const reader = createReader();
  for (let round = 0; round < 3; round++) reader.read(list(alert('A'), alert('B')));
  for (const endsAt of [
    '2026-08-24T08:00:00.000Z',
    '2026-08-24T10:00:00.000"',
    '2026-08-24 is no time.Z',
    '2026-08-24T10:00:00.000\\',
  ]) {
    const body = list(alert('A', endsAt), alert('B'));
    expect(reader.read(body) ?? fresh(body)).toEqual(fresh(body));
  }
});

test('senders that repeat nothing are hardly looked at, until they do', () => {
  const reader = createReader();
  const names = (round: number): string =>
    list(...Array.from({ length: 20 }, (_, index) => alert(`${round}-${index}`)));
  const looked = (round: (index: number) => number): number => {
    let count = 0;
    for (let index = 0; index < 90; index++) {
      const body = names(round(index));
      const result = reader.read(body);
      if (result) expect(result).toEqual(fresh(body));
      if (result) count++;
    }
    return count;
  };
  expect(looked((index) => index)).toBeLessThan(20);
  looked(() => 1000);
  expect(looked(() => 1000)).toBe(90);
});

test('what it keeps is bounded, and what repeats keeps its place against what does not', () => {
  const reader = createReader({ count: 16, bytes: 16 * alert('name-00').length, bytesEach: 200 });
  const repeated = list(...['a', 'b', 'c', 'd'].map((name) => alert(`name-${name}0`)));
  for (let round = 0; round < 4; round++) reader.read(repeated);
  expect(reader.parsedCount).toBe(0);
  let parsed = 0;
  for (let round = 0; round < 200; round++) {
    const strangers = list(...Array.from({ length: 15 }, (_, index) => alert(`${round % 9}-${index}`)));
    expect(reader.read(strangers)).toEqual(fresh(strangers));
    expect(reader.read(repeated)).toEqual(fresh(repeated));
    parsed += reader.parsedCount;
  }
  expect(parsed).toBeLessThan(400);
  const long = alert('x'.repeat(300));
  for (let round = 0; round < 3; round++) reader.read(long);
  expect(reader.parsedCount).toBe(1);
});

/** Bodies whose parts come again and again, some of them damaged by a byte. */
const parts = fc.constantFrom(
  ...['A', 'B', 'Ä\u2028', '😀'].flatMap((name) =>
    [
      '2026-08-24T10:00:00.000Z',
      '2026-08-24T11:00:00.000Z',
      '0001-01-01T00:00:00.000Z',
      'no time at all, not Z',
    ].map((endsAt) => alert(name, endsAt)),
  ),
  '{"labels":{"a":"b"}}',
  '{"labels":{}}',
  '{"annotations":{"a":"b"}}',
  '7',
  'null',
);
const damage = fc.option(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { freq: 3 });
const bodies = fc.array(fc.tuple(fc.array(parts, { maxLength: 5 }), fc.boolean(), damage), { maxLength: 30 });

test('with what it knows it reads any body as it would without', () => {
  fc.assert(
    fc.property(bodies, (told) => {
      const reader = createReader({ count: 8, bytes: 2000, bytesEach: 500 });
      for (const [items, isAlone, damaged] of told) {
        const body = Buffer.from(isAlone ? (items[0] ?? '') : list(...items));
        if (damaged && body.length > 0) body[damaged[0] % body.length] = damaged[1];
        expect(reader.read(body) ?? fresh(body)).toEqual(fresh(body));
      }
    }),
    { numRuns: 300 },
  );
});
