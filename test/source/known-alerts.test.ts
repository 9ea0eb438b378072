import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeAlertmanager, decodeJson } from '../../src/source/decode-alertmanager.ts';
import { parseJson, readList, type DecodeContext, type DecodeResult } from '../../src/source/decode.ts';
import { KnownAlerts } from '../../src/source/known-alerts.ts';
import type { KnownTableLimits } from '../../src/source/known-table.ts';
import { readReport } from '../../src/source/report.ts';
import { context } from './scene.ts';

/** A reader that counts what it had to parse. */
function createReader(limits?: KnownTableLimits) {
  let parsedCount = 0;
  const known = new KnownAlerts(
    (item, index, each) => {
      parsedCount++;
      const path = index === null ? 'alert' : `alerts[${index}]`;
      return { report: readReport(item, path, 'json', each), isRepeatable: true };
    },
    { mayStandAlone: true, ...(limits ? { limits } : {}) },
  );
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
  for (let index = 0; index < 5000; index++) {
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
  for (const long of [alert('x'.repeat(300)), alert('A', `2026-08-24T10:00:00.${'0'.repeat(60)}Z`)]) {
    for (let round = 0; round < 3; round++) reader.read(long);
    expect(reader.parsedCount).toBe(1);
  }
});

test('what is used no more makes room for others when all the bytes are taken', () => {
  const long = (index: number): string => alert(`${index}-${'x'.repeat(500)}`);
  const reader = createReader({ count: 1024, bytes: 10 * long(10).length, bytesEach: 1000 });
  const former = list(...Array.from({ length: 40 }, (_, index) => long(index)));
  for (let round = 0; round < 3; round++) reader.read(former);
  const later = list(...Array.from({ length: 10 }, (_, index) => alert(`later-${index}`)));
  for (let round = 0; round < 50; round++) reader.read(later);
  expect(reader.parsedCount).toBe(0);
});

/** Reads bodies with one alert that stays, and before and behind it some that want one place; gives all that was read. */
function crowds(reader: ReturnType<typeof createReader>): readonly WeakRef<readonly string[]>[] {
  const read: WeakRef<readonly string[]>[] = [];
  for (let index = 0; index < 20; index++) {
    // They want one place as their labels are the same. So few that the list is looked at.
    const crowd = Array.from(
      { length: 14 },
      (_, other) => `{"labels":{"a":"b"},"annotations":{"is":"${index}-${other}"}}`,
    );
    const body = list(...crowd.slice(7), alert(`stays-${index % 10}`), ...crowd.slice(0, 7));
    for (let round = 0; round < 6; round++)
      for (const { annotations } of reader.read(body)?.alerts ?? []) read.push(new WeakRef(annotations));
  }
  return read;
}

test('what has lost its place is not held by what came before or behind it', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const reader = createReader({ count: 64, bytes: 1_000_000, bytesEach: 1000 });
  const read = crowds(reader);
  // What is referred to weakly is kept until the end of the turn.
  for (let times = 0; times < 3; times++) {
    await turn();
    collect();
  }
  const held = new Set(read.map((each) => each.deref()).filter((each) => each !== undefined));
  expect(held.size).toBeGreaterThan(0);
  // Ten that stay, and four that have a place where the others want one.
  expect(held.size).toBeLessThanOrEqual(10 + 4);
});

test("what Alertmanager's API takes in a list it refuses alone, however often it came", () => {
  const one = alert('alone');
  for (let round = 0; round < 3; round++)
    expect(decodeAlertmanager(Buffer.from(list(one)), context).alerts).toHaveLength(1);
  expect(decodeAlertmanager(Buffer.from(one), context)).toEqual({
    alerts: [],
    errors: ['body: expected an array of alerts, got object'],
  });
  expect(decodeJson(Buffer.from(one), context).alerts).toHaveLength(1);
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

/** Texts of JSON as senders and attackers may write them: keys of any kind, in any order, twice, with escapes, nested, or no JSON. */
const keys = fc.constantFrom(
  '"labels":{"a":"b"}',
  '"labels":{"a":"b","a":"c"}',
  '"labels" : {"\\u0061":"b"}',
  '"labels":{"labels":"x","startsAt":"2026-08-24T09:00:00Z"}',
  '"labels":{"domain":"shop","a":"}"}',
  '"annotations":{"endsAt":"2026-08-24T10:00:00Z"}',
  '"annotations":{"labels":"{","b":"\\""}',
  '"annotations":null',
  '"annotations":{"x":"\\ud800"}',
  '"startsAt":"2026-08-24T09:00:00Z"',
  '"startsAt":"2026-08-24T11:00:00Z"',
  '"startsAt" :\t"2026-08-24 09:00:01Z"',
  '"startsAt":"2026-08-24T09:00:00.000000001Z"',
  '"startsAt":"0001-01-01T00:00:00Z"',
  '"startsAt":null',
  '"startsAt":["2026-08-24T09:00:00Z"]',
  '"starts\\u0041t":"2026-08-24T08:00:00Z"',
  '"startsAt":"2026-08-24T09:00:00\\u005a"',
  '"endsAt":"2026-08-24T10:00:00Z"',
  '"endsAt":"2026-08-24T12:00:00Z"',
  '"endsAt":"0001-01-01T00:00:00Z"',
  '"endsAt":""',
  '"endsAt":7',
  '"endsAt":{"endsAt":"2026-08-24T10:00:00Z"}',
  '"generatorURL":"http://x/?startsAt=1"',
  '"dedup_key":"k"',
  '"__proto__":{"startsAt":"2026-08-24T09:00:00Z"}',
  '"specversion":"1.0","id":"1","source":"s","type":"t"',
  '"data":{"labels":{"a":"b"},"startsAt":"2026-08-24T09:00:00Z"}',
  '"time":"2026-08-24T09:00:00Z"',
  '"deep":[[{"startsAt":"2026-08-24T09:00:00Z"}],{"labels":{"a":"b"}}]',
);
const objects = fc
  .tuple(fc.array(keys, { maxLength: 6 }), fc.constantFrom(',', ' , ', ',\n'))
  .map(([own, comma]) => `{${own.join(comma)}}`);
const few = fc.array(objects, { minLength: 1, maxLength: 6 });
const shapes = fc.constantFrom(
  (items: readonly string[]) => list(...items),
  (items: readonly string[]) => items[0] ?? '',
  (items: readonly string[]) => `\n[ ${items.join(' ,')} ]\r\n`,
  (items: readonly string[]) => list(...items, ...items),
  (items: readonly string[]) => list(...items, ''),
  (items: readonly string[]) => `${list(...items)}]`,
  (items: readonly string[]) => list(list(...items)),
);
const told = few.chain((items) =>
  fc.array(fc.tuple(fc.shuffledSubarray(items, { minLength: 1 }), shapes, damage, fc.boolean()), {
    minLength: 4,
    maxLength: 24,
  }),
);
const byteOrderMark = Buffer.of(0xef, 0xbb, 0xbf);

test.each([
  ['the API', decodeAlertmanager],
  ['NATS', decodeJson],
])('what %s reads of a body does not depend on what it has read before', (_, decode) => {
  fc.assert(
    fc.property(told, (requests) => {
      for (const [items, shape, damaged, isShop] of requests) {
        const body = Buffer.from(shape(items));
        if (damaged) body[damaged[0] % body.length] = damaged[1];
        const each = { ...context, defaultDomain: isShop ? 'shop' : 'default' };
        // With a mark of byte order it is not looked at for what is known.
        expect(decode(body, each)).toEqual(decode(Buffer.concat([byteOrderMark, body]), each));
      }
    }),
    { numRuns: 500 },
  );
});
