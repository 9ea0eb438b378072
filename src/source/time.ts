/** Years 0 to 9999 are what RFC 3339 can write. */
const minMs = -62_167_219_200_000;
const maxMs = 253_402_300_799_999;

/** Go's zero time, `0001-01-01T00:00:00Z`. */
const zeroTimeMs = -62_135_596_800_000;

/**
 * Reads an RFC 3339 time; NaN when it is none, null when it is Go's zero time, which stands for absent. Takes what Alertmanager takes
 * (go-openapi/strfmt): a zone may be missing (UTC) or lack its colon, seconds may be missing, and a space may stand for the `T`.
 * Anything finer than milliseconds is cut off. Allocates nothing.
 */
export function parseTime(text: string): number | null {
  if (text === lastText) return lastMs;
  const timeMs = readTimeMs(text);
  lastText = text;
  lastMs = timeMs === zeroTimeMs ? null : timeMs;
  return lastMs;
}

/** A batch repeats the same few times: the last one read is kept. */
let lastText = '';
let lastMs: number | null = NaN;

function readTimeMs(text: string): number {
  if (text.length < 16 || text.charCodeAt(4) !== dash || text.charCodeAt(7) !== dash) return NaN;
  const separator = text.charCodeAt(10);
  if (separator !== 0x54 && separator !== 0x74 && separator !== 0x20) return NaN;
  const year = digits(text, 0, 4);
  const month = digits(text, 5, 2);
  const day = digits(text, 8, 2);
  if (year < 0 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return NaN;
  const hour = digits(text, 11, 2);
  const minute = digits(text, 14, 2);
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || text.charCodeAt(13) !== colon) return NaN;
  let end = 16;
  let ms = 0;
  if (text.charCodeAt(end) === colon) {
    const second = digits(text, 17, 2);
    if (second < 0 || second > 59) return NaN;
    end = fractionEnd(text, 19);
    if (end < 0) return NaN;
    ms = second * 1000 + fractionMs(text, 20, end);
  }
  const zone = zoneMinutes(text, end);
  const timeMs = daysSinceEpoch(year, month, day) * 86_400_000 + (hour * 60 + minute - zone) * 60_000 + ms;
  return timeMs >= minMs && timeMs <= maxMs ? timeMs : NaN;
}

const colon = 0x3a;
const dash = 0x2d;

/** The number that `count` digits from `start` make; negative when one of them is none. */
function digits(text: string, start: number, count: number): number {
  let value = 0;
  for (let i = start; i < start + count; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (!(digit >= 0 && digit <= 9)) return -1;
    value = value * 10 + digit;
  }
  return value;
}

/** Where the fraction that may begin at `start` ends; negative when it has a mark but no digit. */
function fractionEnd(text: string, start: number): number {
  const mark = text.charCodeAt(start);
  if (mark !== 0x2e && mark !== 0x2c) return start;
  let end = start + 1;
  while (digits(text, end, 1) >= 0) end++;
  return end > start + 1 ? end : -1;
}

function fractionMs(text: string, start: number, end: number): number {
  let ms = 0;
  for (let i = start, weight = 100; i < end && weight >= 1; i++, weight /= 10)
    ms += digits(text, i, 1) * weight;
  return ms;
}

/** Minutes east of UTC of the zone at the end of the text, 0 when there is none; NaN when it is something else. */
function zoneMinutes(text: string, start: number): number {
  if (start === text.length) return 0;
  const sign = text.charCodeAt(start);
  if (sign === 0x5a || sign === 0x7a) return start + 1 === text.length ? 0 : NaN;
  if (sign !== 0x2b && sign !== dash) return NaN;
  const minuteStart = text.charCodeAt(start + 3) === colon ? start + 4 : start + 3;
  const hours = digits(text, start + 1, 2);
  const minutes = digits(text, minuteStart, 2);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59 || minuteStart + 2 !== text.length) return NaN;
  return (sign === dash ? -1 : 1) * (hours * 60 + minutes);
}

/** Days from 1970-01-01 in the Gregorian calendar, for years from 0 (Hinnant, "chrono-Compatible Low-Level Date Algorithms"). */
function daysSinceEpoch(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}
