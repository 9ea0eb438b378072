/** What parts of a text look like. All of them look at the units of `text` from `start` to `end` once. */

export function isDecimal(unit: number): boolean {
  return unit >= 48 && unit <= 57;
}

export function isDigits(text: string, start: number, end: number): boolean {
  return end > start && digitsEnd(text, start, end) === end;
}

/** Two to eight capital letters, as in `ORA-01555` or `CVE-2021-44228`. */
export function isUpperCase(text: string, start: number, end: number): boolean {
  if (end - start < 2 || end - start > 8) return false;
  for (let i = start; i < end; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 65 || unit > 90) return false;
  }
  return true;
}

/** 8-4-4-4-12 hex digits. */
export function isUuid(text: string, start: number, end: number): boolean {
  if (end - start !== 36) return false;
  for (let i = 0; i < 36; i++) {
    const unit = text.charCodeAt(start + i);
    if (i === 8 || i === 13 || i === 18 || i === 23 ? unit !== 45 : !isHex(unit)) return false;
  }
  return true;
}

/** `0x...`, or at least 7 hex digits of which two or more are digits and one or more are letters. */
export function isHexId(text: string, start: number, end: number): boolean {
  const isMarked = text.charCodeAt(start) === 48 && (text.charCodeAt(start + 1) | 32) === 120;
  let digits = 0;
  let letters = 0;
  for (let i = isMarked ? start + 2 : start; i < end; i++) {
    const unit = text.charCodeAt(i);
    if (isDecimal(unit)) digits++;
    else if (isHex(unit)) letters++;
    else return false;
  }
  return isMarked ? digits + letters > 0 : digits + letters >= 7 && digits >= 2 && letters >= 1;
}

/** Letters and digits that take turns as no word does: 12 or more of them with four or more turns. */
export function hasIdShape(text: string, start: number, end: number): boolean {
  if (end - start < 12) return false;
  let turns = 0;
  for (let i = start; i < end; i++) {
    const unit = text.charCodeAt(i);
    if (!isAlphanumeric(unit)) return false;
    if (i > start && isDecimal(unit) !== isDecimal(text.charCodeAt(i - 1))) turns++;
  }
  return turns >= 4;
}

/** Five lower-case letters and digits, both of them, without a vowel: what Kubernetes appends to the name of a pod. */
export function isBareSuffix(text: string, start: number, end: number): boolean {
  if (end - start !== 5) return false;
  let digits = 0;
  for (let i = start; i < end; i++) {
    const unit = text.charCodeAt(i);
    if (isDecimal(unit)) digits++;
    else if (unit < 97 || unit > 122 || (i > start && isVowel(unit) && digits === 0)) return false;
  }
  return digits > 0 && digits < 5 && (digits > 1 || !hasWord(text, start, end));
}

/** Six to ten lower-case letters and digits: the hash of a replica set, or the number of a job's run. */
export function isReplicaSetHash(text: string, start: number, end: number): boolean {
  if (end - start < 6 || end - start > 10) return false;
  let digits = 0;
  for (let i = start; i < end; i++) {
    const unit = text.charCodeAt(i);
    if (isDecimal(unit)) digits++;
    else if (unit < 97 || unit > 122) return false;
  }
  return digits >= 2 && !hasWord(text, start, end);
}

const durationUnits = unitsOf('ns us µs μs ms s sec secs m min mins h hr hrs d w y');
const sizeUnits = unitsOf(
  'b k kb kib ki m mb mib mi g gb gib gi t tb tib ti p pb pib hz khz mhz ghz bps kbps mbps gbps rps qps iops bytes',
);

/** A number with what may follow it: `-1.5`, `1,234`, `1e6`, `250ms`, `1h30m`, `1.5GiB`. Null when the whole is none. */
export function matchQuantity(
  text: string,
  start: number,
  end: number,
): '<num>' | '<duration>' | '<size>' | null {
  const sign = text.charCodeAt(start);
  let position = numberEnd(text, sign === 45 || sign === 43 ? start + 1 : start, end);
  if (position < 0) return null;
  if (position === end) return '<num>';
  const exponent = exponentEnd(text, position, end);
  if (exponent === end) return '<num>';
  let isFirst = true;
  for (; position < end; isFirst = false) {
    const from = position;
    while (position < end && !isDecimal(text.charCodeAt(position))) {
      if (position - from >= 5) return null;
      position++;
    }
    const unit = text.slice(from, position);
    if (!durationUnits.has(unit.toLowerCase()))
      return isFirst && position === end && sizeUnits.has(unit.toLowerCase()) ? '<size>' : null;
    if (position === end) return unit === 'M' ? '<size>' : '<duration>';
    position = numberEnd(text, position, end);
    if (position < 0 || position === end) return null;
  }
  return null;
}

/** The end of a time, a date or both at `start`: RFC 3339, `2022/01/25`, `25.01.2022`, `25/Jan/2022:00:06:19`, `09:13:00,5`; -1 when there is none. */
export function matchTime(text: string, start: number): number {
  const first = digitsEnd(text, start, start + 5) - start;
  if (first === 4) {
    const date = dateEnd(text, start + 4, 2, 2);
    return date < 0 ? -1 : optionalClock(text, date);
  }
  if (first !== 1 && first !== 2) return -1;
  if (text.charCodeAt(start + first) === 58) return zoneEnd(text, clockEnd(text, start));
  const month = start + first + 1;
  if (isMonthName(text, month)) {
    const year = dateEnd(text, month + 3, 4, 0);
    return year < 0 ? -1 : optionalClock(text, year);
  }
  const date = dateEnd(text, start + first, 2, 4);
  return date < 0 ? -1 : optionalClock(text, date);
}

/** An IPv4 address with port or prefix length, an IPv6 address with prefix length, a name such as `ip-10-0-0-12`, or a MAC address. */
export function matchAddress(text: string, start: number, end: number): '<ip>' | '<mac>' | null {
  const prefixed = text.startsWith('ip-', start) ? start + 3 : start;
  const four = ipv4End(text, prefixed, end, prefixed > start ? 45 : 46);
  if (four > 0) {
    if (four === end) return '<ip>';
    const next = text.charCodeAt(four);
    if ((next === 58 || next === 47) && isDigits(text, four + 1, end)) return '<ip>';
  }
  if (isMac(text, start, end)) return '<mac>';
  return isIpv6(text, start, end) ? '<ip>' : null;
}

function ipv4End(text: string, start: number, end: number, separator: number): number {
  let position = start;
  for (let part = 0; part < 4; part++) {
    if (part > 0 && text.charCodeAt(position++) !== separator) return -1;
    const after = digitsEnd(text, position, Math.min(end, position + 4));
    if (after === position || after > position + 3) return -1;
    position = after;
  }
  return position;
}

function isIpv6(text: string, start: number, end: number): boolean {
  let colons = 0;
  let isShort = false;
  let group = 0;
  let position = start;
  for (; position < end; position++) {
    const unit = text.charCodeAt(position);
    if (unit === 58) {
      if (text.charCodeAt(position - 1) === 58 && position > start) isShort = true;
      colons++;
      group = 0;
    } else if (!isHex(unit) || ++group > 4) break;
  }
  if (colons < 2 || colons > 8 || (!isShort && colons !== 7)) return false;
  if (position === end) return true;
  const unit = text.charCodeAt(position);
  if (unit === 47) return isDigits(text, position + 1, end);
  // An IPv4 address in its last 32 bits, as in ::ffff:10.0.0.1.
  const lastGroup = text.lastIndexOf(':', position) + 1;
  return unit === 46 && ipv4End(text, lastGroup, end, 46) === end;
}

/** Six pairs of hex digits or more: MAC addresses, and world-wide names and fingerprints that are written in the same way. */
function isMac(text: string, start: number, end: number): boolean {
  const length = end - start;
  if (length < 17 || length > 95 || length % 3 !== 2) return false;
  const separator = text.charCodeAt(start + 2);
  if (separator !== 58 && separator !== 45) return false;
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(start + i);
    if (i % 3 === 2 ? unit !== separator : !isHex(unit)) return false;
  }
  return true;
}

/** The rest of a date after its first part, of `second` and then `third` digits (0 for none) with the same separator. */
function dateEnd(text: string, start: number, second: number, third: number): number {
  const separator = text.charCodeAt(start);
  if (separator !== 45 && separator !== 47 && separator !== 46) return -1;
  let position = start;
  for (const digits of third > 0 ? [second, third] : [second]) {
    if (text.charCodeAt(position) !== separator || !isDigits(text, position + 1, position + 1 + digits))
      return -1;
    position += 1 + digits;
  }
  return isDecimal(text.charCodeAt(position)) ? -1 : position;
}

function optionalClock(text: string, date: number): number {
  const joint = text.charCodeAt(date) | 32;
  if (joint !== 116 && joint !== 58 && text.charCodeAt(date) !== 95) return date;
  const clock = zoneEnd(text, clockEnd(text, date + 1));
  return clock < 0 ? date : clock;
}

/** `9:13`, `09:13:00` and `09:13:00.5`. */
function clockEnd(text: string, start: number): number {
  let position = digitsEnd(text, start, start + 3);
  if (position === start || position > start + 2) return -1;
  let parts = 1;
  while (parts < 3 && text.charCodeAt(position) === 58 && isDigits(text, position + 1, position + 3)) {
    position += 3;
    parts++;
  }
  if (parts === 1) return -1;
  const fraction = text.charCodeAt(position);
  if (parts === 3 && (fraction === 46 || fraction === 44)) {
    const after = digitsEnd(text, position + 1, text.length);
    if (after > position + 1) return after;
  }
  return position;
}

function zoneEnd(text: string, clock: number): number {
  if (clock < 0) return -1;
  const unit = text.charCodeAt(clock);
  if ((unit | 32) === 122) return clock + 1;
  if (unit !== 43 && unit !== 45) return clock;
  if (!isDigits(text, clock + 1, clock + 3)) return clock;
  const minutes = text.charCodeAt(clock + 3) === 58 ? clock + 4 : clock + 3;
  return isDigits(text, minutes, minutes + 2) ? minutes + 2 : clock;
}

function isMonthName(text: string, start: number): boolean {
  const at = 'janfebmaraprmayjunjulaugsepoctnovdec'.indexOf(text.slice(start, start + 3).toLowerCase());
  return at >= 0 && at % 3 === 0 && start + 3 <= text.length;
}

/** Digits with points and commas between them, at most one point: `1,234.5`. */
function numberEnd(text: string, start: number, end: number): number {
  let position = digitsEnd(text, start, end);
  if (position === start) return -1;
  let points = 0;
  while (position + 1 < end && isDecimal(text.charCodeAt(position + 1))) {
    const unit = text.charCodeAt(position);
    if (unit === 46 && ++points > 1) return -1;
    if (unit !== 46 && unit !== 44) break;
    position = digitsEnd(text, position + 1, end);
  }
  return position;
}

function exponentEnd(text: string, start: number, end: number): number {
  if ((text.charCodeAt(start) | 32) !== 101) return start;
  const sign = text.charCodeAt(start + 1);
  const digits = sign === 45 || sign === 43 ? start + 2 : start + 1;
  const after = digitsEnd(text, digits, end);
  return after > digits ? after : start;
}

function digitsEnd(text: string, start: number, end: number): number {
  const stop = Math.min(end, text.length);
  let position = start;
  while (position < stop && isDecimal(text.charCodeAt(position))) position++;
  return position;
}

/** Three letters in a row with a vowel among them: `prod1`, `service2`. */
function hasWord(text: string, start: number, end: number): boolean {
  let letters = 0;
  let vowels = 0;
  for (let i = start; i < end; i++) {
    const unit = text.charCodeAt(i);
    if (isDecimal(unit)) {
      letters = 0;
      vowels = 0;
      continue;
    }
    letters++;
    if (isVowel(unit)) vowels++;
    if (letters >= 4 && vowels >= 1) return true;
  }
  return false;
}

function isVowel(unit: number): boolean {
  return unit === 97 || unit === 101 || unit === 105 || unit === 111 || unit === 117;
}

function isHex(unit: number): boolean {
  return isDecimal(unit) || (unit >= 97 && unit <= 102) || (unit >= 65 && unit <= 70);
}

function isAlphanumeric(unit: number): boolean {
  return isDecimal(unit) || (unit >= 97 && unit <= 122) || (unit >= 65 && unit <= 90);
}

function unitsOf(list: string): ReadonlySet<string> {
  return new Set(list.split(' '));
}
