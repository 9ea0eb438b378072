/** Times and quantities that are written with spaces between their parts. All of them look at a text from one place on, once. */

import { isDecimal } from './mask-shapes.ts';

const weekdays = codesOf('sun mon tue wed thu fri sat');
const months = codesOf('jan feb mar apr may jun jul aug sep oct nov dec');

/**
 * The end of a date with the name of its month at `start`, such as `Fri Jun 17 07:07:00 2005`, `Thu Aug 04 15:29:45 PDT 2005`,
 * `Fri, 17 Jun 2005 07:07:00 GMT` or `Jun 17 07:07:00`; -1 when there is none. A month and a day alone are none.
 */
export function matchCalendar(text: string, start: number): number {
  let position = start;
  let parts = 0;
  const weekday = nameEnd(text, position, weekdays);
  if (weekday > 0) {
    position = spaceEnd(text, text.charCodeAt(weekday) === comma ? weekday + 1 : weekday);
    parts++;
  }
  const date = dayAndMonthEnd(text, position);
  if (date < 0) return -1;
  let end = date;
  for (const part of [clockEnd, zoneEnd, yearEnd, clockEnd, zoneEnd]) {
    const from = spaceEnd(text, text.charCodeAt(end) === comma ? end + 1 : end);
    const next = from > end ? part(text, from) : -1;
    if (next < 0 || (part === zoneEnd && parts === 0)) continue;
    end = next;
    if (part !== zoneEnd) parts++;
  }
  return parts > 0 ? end : -1;
}

const calendarLetters = new Uint8Array(128);
for (const letter of 'smtwfjaond') calendarLetters[letter.charCodeAt(0)] = 1;

/** A quick look that leaves out nearly all words: the letters that weekdays and months begin with, or a day before a month. */
export function mayBeginCalendar(text: string, start: number): boolean {
  const unit = text.charCodeAt(start);
  if (isDecimal(unit)) {
    const day = isDecimal(text.charCodeAt(start + 1)) ? start + 2 : start + 1;
    return text.charCodeAt(day) === space && isLetter(text.charCodeAt(day + 1));
  }
  return isLetter(unit) && unit < 128 && calendarLetters[unit | 32] === 1;
}

const spacedUnits: ReadonlyMap<string, '<size>' | '<duration>'> = new Map([
  ...'b byte bytes kb mb gb tb pb kib mib gib tib pib'.split(' ').map((unit) => [unit, '<size>'] as const),
  ...'ns us ms s sec secs second seconds min mins minute minutes hr hrs hour hours day days millisecond milliseconds'
    .split(' ')
    .map((unit) => [unit, '<duration>'] as const),
]);

/** The unit that stands one space behind a number which ends at `end`, as in `5.2 KB` and `160 ms`. */
export function matchSpacedUnit(
  text: string,
  end: number,
): { readonly placeholder: '<size>' | '<duration>'; readonly end: number } | null {
  if (text.charCodeAt(end) !== space) return null;
  let unitEnd = end + 1;
  while (isLetter(text.charCodeAt(unitEnd))) unitEnd++;
  if (unitEnd === end + 1 || unitEnd - end > longestUnit || !isBreak(text, unitEnd)) return null;
  const placeholder = spacedUnits.get(text.slice(end + 1, unitEnd).toLowerCase());
  return placeholder === undefined ? null : { placeholder, end: unitEnd };
}

const space = 32;
const comma = 44;
const colon = 58;
const longestUnit = 'milliseconds'.length + 1;

function dayAndMonthEnd(text: string, start: number): number {
  const month = nameEnd(text, start, months);
  if (month > 0) return dayEnd(text, spaceEnd(text, month));
  const day = dayEnd(text, start);
  return day < 0 ? -1 : nameEnd(text, spaceEnd(text, day), months);
}

/** The end of one of the names or of its first three letters. */
function nameEnd(text: string, start: number, names: ReadonlySet<number>): number {
  if (!names.has(codeOf(text, start))) return -1;
  let end = start + 3;
  while (isLetter(text.charCodeAt(end))) end++;
  // Of longer names only the ends that days and months have.
  return end - start === 3 || (end - start <= 9 && hasNameEnd(text, end)) ? end : -1;
}

/** Three letters as one number, whatever their case. */
function codeOf(text: string, start: number): number {
  const [a, b, c] = [text.charCodeAt(start), text.charCodeAt(start + 1), text.charCodeAt(start + 2)];
  return isLetter(a) && isLetter(b) && isLetter(c) ? ((a | 32) << 16) | ((b | 32) << 8) | (c | 32) : -1;
}

function codesOf(names: string): ReadonlySet<number> {
  return new Set(names.split(' ').map((name) => codeOf(name, 0)));
}

function hasNameEnd(text: string, end: number): boolean {
  const last = text.slice(end - 3, end).toLowerCase();
  return ['day', 'ary', 'rch', 'ril', 'une', 'uly', 'ust', 'ber'].includes(last);
}

function dayEnd(text: string, start: number): number {
  const end = digitsEnd(text, start);
  return end > start && end - start <= 2 && isBreak(text, end) ? end : -1;
}

function yearEnd(text: string, start: number): number {
  return digitsEnd(text, start) === start + 4 && isBreak(text, start + 4) ? start + 4 : -1;
}

function clockEnd(text: string, start: number): number {
  let end = digitsEnd(text, start);
  if (end === start || end - start > 2 || text.charCodeAt(end) !== colon) return -1;
  for (let part = 0; part < 2 && text.charCodeAt(end) === colon; part++) {
    if (digitsEnd(text, end + 1) !== end + 3) return -1;
    end += 3;
  }
  const fraction = text.charCodeAt(end);
  if ((fraction === 46 || fraction === comma) && isDecimal(text.charCodeAt(end + 1)))
    end = digitsEnd(text, end + 1);
  return end;
}

/** `GMT`, `PDT`, `+0200`. */
function zoneEnd(text: string, start: number): number {
  const sign = text.charCodeAt(start);
  if (sign === 43 || sign === 45) return digitsEnd(text, start + 1) === start + 5 ? start + 5 : -1;
  let end = start;
  while (text.charCodeAt(end) >= 65 && text.charCodeAt(end) <= 90) end++;
  return end - start >= 3 && end - start <= 4 && isBreak(text, end) ? end : -1;
}

function spaceEnd(text: string, start: number): number {
  let end = start;
  while (text.charCodeAt(end) === space && end - start < 3) end++;
  return end;
}

function digitsEnd(text: string, start: number): number {
  let end = start;
  while (isDecimal(text.charCodeAt(end))) end++;
  return end;
}

function isLetter(unit: number): boolean {
  return (unit >= 97 && unit <= 122) || (unit >= 65 && unit <= 90);
}

/** Whether no letter or digit goes on here. */
function isBreak(text: string, position: number): boolean {
  const unit = text.charCodeAt(position);
  return !(isLetter(unit) || isDecimal(unit));
}
