import { expect, test } from 'vitest';
import { retryAfterMs } from '../../src/notify/http-client.ts';

const nowMs = Date.parse('2026-08-24T09:15:00Z');

test.each([
  ['0', 0],
  ['120', 120_000],
  ['Mon, 24 Aug 2026 09:15:30 GMT', 30_000],
  ['Mon, 24 Aug 2026 09:14:00 GMT', 0],
  ['soon', null],
  ['-5', null],
  ['1.5', null],
  ['99999999999999', null],
  ['', null],
  [null, null],
])('Retry-After: %s', (header, expected) => {
  expect(retryAfterMs(header, nowMs)).toBe(expected);
});
