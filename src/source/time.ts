/**
 * Reads an RFC 3339 time; NaN when it is none. The zero time of Go (`0001-01-01T00:00:00Z`) stands for absent and gives null.
 * The common shape is read without allocation; anything finer than milliseconds is cut off.
 */
export function parseTime(text: string): number | null {
  if (text === lastText) return lastMs;
  const timeMs = text.startsWith('0001-01-01T00:00:00') ? null : (parseCommon(text) ?? parseRare(text));
  lastText = text;
  lastMs = timeMs;
  return timeMs;
}

/** A batch repeats the same few times: the last one read is kept. */
let lastText = '';
let lastMs: number | null = null;

/** `2026-08-24T09:13:00Z`, with any fraction; null for every other shape. */
function parseCommon(text: string): number | null {
  const length = text.length;
  if (length < 20 || text.charCodeAt(length - 1) !== 90 || text.charCodeAt(10) !== 84) return null;
  if (text.charCodeAt(4) !== 45 || text.charCodeAt(7) !== 45) return null;
  if (text.charCodeAt(13) !== 58 || text.charCodeAt(16) !== 58) return null;
  const year = digits(text, 0, 4);
  const month = digits(text, 5, 2);
  const day = digits(text, 8, 2);
  const hour = digits(text, 11, 2);
  const minute = digits(text, 14, 2);
  const second = digits(text, 17, 2);
  if (year < 100 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return null;
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) return null;
  if (length === 20) return Date.UTC(year, month - 1, day, hour, minute, second);
  if (text.charCodeAt(19) !== 46 || length < 22) return null;
  const ms = fraction(text, 20, length - 1);
  return ms < 0 ? null : Date.UTC(year, month - 1, day, hour, minute, second, ms);
}

const rarePattern = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:[Zz]|[+-]\d{2}:\d{2})$/;

function parseRare(text: string): number {
  return rarePattern.test(text) ? Date.parse(text.replace(' ', 'T').toUpperCase()) : NaN;
}

/** The number that `count` digits from `start` make; negative when one of them is none. */
function digits(text: string, start: number, count: number): number {
  let value = 0;
  for (let i = start; i < start + count; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

/** Milliseconds of the fraction digits in `[start, end)`; negative when one is no digit. */
function fraction(text: string, start: number, end: number): number {
  let ms = 0;
  for (let i = start, weight = 100; i < end; i++, weight /= 10) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return -1;
    if (weight >= 1) ms += digit * weight;
  }
  return ms;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}
