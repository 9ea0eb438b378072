import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseTime } from '../../src/source/time.ts';

describe('times that Alertmanager takes', () => {
  test.each([
    ['2026-01-01T10:00:00Z', '2026-01-01T10:00:00.000Z'],
    ['2026-01-01T10:00:00.1Z', '2026-01-01T10:00:00.100Z'],
    ['2026-01-01T10:00:00.123456789Z', '2026-01-01T10:00:00.123Z'],
    ['2026-01-01T10:00:00,5Z', '2026-01-01T10:00:00.500Z'],
    ['2026-01-01T10:00:00+02:00', '2026-01-01T08:00:00.000Z'],
    ['2026-01-01T10:00:00.25-03:30', '2026-01-01T13:30:00.250Z'],
    ['2026-01-01T10:00:00', '2026-01-01T10:00:00.000Z'],
    ['2026-01-01T10:00Z', '2026-01-01T10:00:00.000Z'],
    ['2026-01-01T10:00', '2026-01-01T10:00:00.000Z'],
    ['2026-01-01 10:00:00', '2026-01-01T10:00:00.000Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
    ['0000-01-01T00:00:00Z', '0000-01-01T00:00:00.000Z'],
    ['0001-01-01T00:00:00.5Z', '0001-01-01T00:00:00.500Z'],
    ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
  ])('%s', (text, expected) => {
    expect(new Date(parseTime(text)!).toISOString()).toBe(expected);
  });
});

test('times as AWS and others write them are taken too', () => {
  expect(parseTime('2026-01-01T10:00:00.000+0000')).toBe(Date.parse('2026-01-01T10:00:00Z'));
  expect(parseTime('2026-01-01t10:00:00z')).toBe(Date.parse('2026-01-01T10:00:00Z'));
});

test("Go's zero time stands for absent, in any zone", () => {
  expect(parseTime('0001-01-01T00:00:00Z')).toBeNull();
  expect(parseTime('0001-01-01T02:00:00+02:00')).toBeNull();
});

test.each([
  '',
  'yesterday',
  '2026-01-01',
  '2026-13-01T00:00:00Z',
  '2026-00-01T00:00:00Z',
  '2026-02-30T00:00:00Z',
  '2025-02-29T00:00:00Z',
  '2026-01-01T24:00:00Z',
  '2026-01-01T23:60:00Z',
  '2026-01-01T23:59:60Z',
  '2026-1-1T1:00:00Z00',
  '10000-01-01T00:00:00Z',
  '-001-01-01T00:00:00Z',
  '2026-01-01T10:00:00.Z',
  '2026-01-01T10:00:00ZZ',
  '2026-01-01T10:00:00+2:00',
  '2026-01-01T10:00:00+02:0',
  '2026-01-01T10:00:00+02:00:00',
  '2026-01-01T10:00:00 +02:00',
  '2026-01-01T10:00:00+24:00',
  '2026-01-01T10:0１:00Z',
  '9999-12-31T23:59:59-01:00',
  '0000-01-01T00:00:00+01:00',
  '1787562870512',
])('%s is no time', (text) => {
  expect(parseTime(text)).toBeNaN();
});

test('it reads what JavaScript writes, and what JavaScript reads', () => {
  const inRange = fc.integer({ min: -62_167_219_200_000, max: 253_402_300_799_999 });
  fc.assert(
    fc.property(inRange, fc.integer({ min: -23 * 60, max: 23 * 60 }), (timeMs, zone) => {
      const text = new Date(timeMs).toISOString();
      expect(parseTime(text) ?? -62_135_596_800_000).toBe(timeMs);
      const sign = zone < 0 ? '-' : '+';
      const minutes = Math.abs(zone);
      const zoned = `${text.slice(0, -1)}${sign}${digits(Math.floor(minutes / 60))}:${digits(minutes % 60)}`;
      const expected = Date.parse(zoned);
      const isWritable = expected >= -62_167_219_200_000 && expected <= 253_402_300_799_999;
      if (isWritable) expect(parseTime(zoned) ?? -62_135_596_800_000).toBe(expected);
      else expect(parseTime(zoned)).toBeNaN();
    }),
  );
});

function digits(value: number): string {
  return String(value).padStart(2, '0');
}
