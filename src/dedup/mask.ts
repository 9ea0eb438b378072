/** What stands for a variable part in a template. */
export type Placeholder = '<num>' | '<hex>' | '<uuid>' | '<ip>' | '<time>' | '<id>';

export interface MaskedText {
  /** The text with its variable parts masked and white space made single. */
  readonly template: string;
  /** Lower-case words of the template. */
  readonly tokens: readonly string[];
}

/**
 * Masks what varies between two reports of the same thing: numbers with or without unit, UUIDs, hex, IPv4 and IPv6 addresses
 * with port, timestamps, and the random suffixes of pods and containers. One pass over the characters, word by word; no
 * regular expression that could backtrack.
 */
export function maskText(text: string): MaskedText {
  const tokens: string[] = [];
  let template = '';
  let start = 0;
  const length = text.length;
  for (let i = 0; i <= length; i++) {
    const isEnd = i === length || isSpace(text.charCodeAt(i));
    if (!isEnd) continue;
    if (i > start) {
      const word = maskWord(text.slice(start, i), tokens);
      template = template === '' ? word : `${template} ${word}`;
    }
    start = i + 1;
  }
  return { template, tokens };
}

/** Masks one word between white space: its parts between punctuation, unless the whole is an address, a time or an id. */
function maskWord(word: string, tokens: string[]): string {
  let first = 0;
  let last = word.length;
  while (first < last && isWrapper(word.charCodeAt(first))) first++;
  while (last > first && isTrailer(word.charCodeAt(last - 1))) last--;
  const core = word.slice(first, last);
  const whole = classifyWhole(core);
  if (whole !== null) {
    tokens.push(whole);
    return word.slice(0, first) + whole + word.slice(last);
  }
  return word.slice(0, first) + maskParts(core, tokens) + word.slice(last);
}

function maskParts(core: string, tokens: string[]): string {
  let masked = '';
  let start = 0;
  for (let i = 0; i <= core.length; i++) {
    const unit = i < core.length ? core.charCodeAt(i) : 0;
    if (i < core.length && isPartChar(unit)) continue;
    if (i > start) {
      const part = maskPart(core.slice(start, i));
      tokens.push(part.toLowerCase());
      masked += part;
    }
    if (i < core.length) masked += core[i];
    start = i + 1;
  }
  return masked;
}

function classifyWhole(core: string): Placeholder | null {
  if (core.length === 0 || !hasDigit(core)) return null;
  if (isUuid(core)) return '<uuid>';
  if (isTimestamp(core)) return '<time>';
  return isAddress(core) ? '<ip>' : null;
}

/** A part is letters, digits, `-`, `_` and `.`; it is masked as a whole, or in its pieces between dashes. */
function maskPart(part: string): string {
  if (!hasDigit(part)) return isRandomHex(part) ? '<hex>' : part;
  if (isUuid(part)) return '<uuid>';
  if (isNumber(part)) return '<num>';
  if (isRandomHex(part)) return '<hex>';
  const pieces = part.split('-');
  if (pieces.length === 1) return maskPiece(part);
  const masked = pieces.map((piece, index) => maskDashed(piece, index));
  return joinIds(masked);
}

/** A piece after a dash may be the random suffix that Kubernetes gives to replica sets and pods. */
function maskDashed(piece: string, index: number): string {
  if (index > 0 && isRandomSuffix(piece)) return '<id>';
  return maskPiece(piece);
}

function maskPiece(piece: string): string {
  if (piece === '' || !hasDigit(piece)) return piece;
  if (isNumber(piece)) return '<num>';
  if (isRandomHex(piece)) return '<hex>';
  return maskDigits(piece);
}

/** `disk3` and `web-12a` keep their letters; runs of digits become `<num>`. */
function maskDigits(piece: string): string {
  let masked = '';
  let inNumber = false;
  for (let i = 0; i < piece.length; i++) {
    const isNumeral = isDigit(piece.charCodeAt(i));
    if (!isNumeral) masked += piece[i];
    else if (!inNumber) masked += '<num>';
    inNumber = isNumeral;
  }
  return masked;
}

/** Neighbouring ids are one: `-7d9f8b6c5-x2x1z` and `-x2x1z` are both a suffix. */
function joinIds(pieces: readonly string[]): string {
  return pieces.filter((piece, index) => piece !== '<id>' || pieces[index - 1] !== '<id>').join('-');
}

const units = new Set([
  'ms',
  's',
  'sec',
  'min',
  'm',
  'h',
  'd',
  'us',
  'ns',
  '%',
  'b',
  'kb',
  'mb',
  'gb',
  'tb',
  'kib',
  'mib',
  'gib',
  'tib',
  'k',
  'g',
  't',
  'x',
  'hz',
  'ghz',
  'mhz',
  'bps',
  'mbps',
  'gbps',
  'rps',
  'qps',
  'i',
  'ki',
  'mi',
  'gi',
  'ti',
  'w',
  'v',
  'c',
  'mb/s',
  'kb/s',
  'gb/s',
]);

/** A decimal number with sign, exponent, thousands dots and a unit: `-3.5`, `1.2e9`, `97%`, `250ms`. */
function isNumber(text: string): boolean {
  let i = 0;
  if (text[0] === '-' || text[0] === '+') i++;
  const start = i;
  while (
    i < text.length &&
    (isDigit(text.charCodeAt(i)) || text[i] === '.' || text[i] === ',' || text[i] === '_')
  )
    i++;
  if (i === start || !isDigit(text.charCodeAt(start))) return false;
  if ((text[i] === 'e' || text[i] === 'E') && i + 1 < text.length) {
    let j = i + 1;
    if (text[j] === '-' || text[j] === '+') j++;
    const digits = j;
    while (j < text.length && isDigit(text.charCodeAt(j))) j++;
    if (j > digits && j === text.length) return true;
  }
  return i === text.length || units.has(text.slice(i).toLowerCase());
}

/** `0x…`, or at least 8 hex digits of which some are digits and some letters, or 12 and more of either. */
function isRandomHex(text: string): boolean {
  const from = text.startsWith('0x') || text.startsWith('0X') ? 2 : 0;
  let digits = 0;
  let letters = 0;
  for (let i = from; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (isDigit(unit)) digits++;
    else if (isHexLetter(unit)) letters++;
    else return false;
  }
  if (from === 2) return digits + letters > 0;
  return digits + letters >= 8 && digits > 0 && letters > 0;
}

/** What Kubernetes appends: 5 characters of a pod, or 8 to 10 of a replica set, letters and digits mixed, no vowels among them. */
function isRandomSuffix(text: string): boolean {
  if (text.length < 5 || text.length > 10) return false;
  let digits = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (isDigit(unit)) digits++;
    else if (unit < 97 || unit > 122 || 'aeiou'.includes(text[i]!)) return isHexSuffix(text);
  }
  return digits > 0;
}

function isHexSuffix(text: string): boolean {
  let digits = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (isDigit(unit)) digits++;
    else if (!isHexLetter(unit)) return false;
  }
  return digits >= 2;
}

function isUuid(text: string): boolean {
  if (text.length !== 36) return false;
  for (let i = 0; i < 36; i++) {
    const unit = text.charCodeAt(i);
    const isDash = i === 8 || i === 13 || i === 18 || i === 23;
    if (isDash ? unit !== 45 : !isDigit(unit) && !isHexLetter(unit)) return false;
  }
  return true;
}

/** IPv4 or IPv6, with a port or a prefix length. */
function isAddress(text: string): boolean {
  const bare = text.startsWith('[') ? text.slice(1, text.indexOf(']')) : text.split('/')[0]!;
  let dots = 0;
  let colons = 0;
  for (let i = 0; i < bare.length; i++) {
    const unit = bare.charCodeAt(i);
    if (unit === 46) dots++;
    else if (unit === 58) colons++;
    else if (!isDigit(unit) && !isHexLetter(unit)) return false;
  }
  if (dots === 3 && colons <= 1) return isIpv4(bare.split(':')[0]!);
  return dots === 0 && colons >= 2 && !isClock(bare);
}

function isIpv4(text: string): boolean {
  const parts = text.split('.');
  return (
    parts.length === 4 &&
    parts.every((part) => part.length > 0 && part.length <= 3 && isDigits(part) && Number(part) < 256)
  );
}

/** `2026-08-24`, `2026-08-24T09:13:00.5Z`, `09:13:00`. */
function isTimestamp(text: string): boolean {
  if (isClock(text)) return true;
  if (text.length < 10 || text[4] !== text[7] || (text[4] !== '-' && text[4] !== '/')) return false;
  if (!isDigits(text.slice(0, 4)) || !isDigits(text.slice(5, 7)) || !isDigits(text.slice(8, 10)))
    return false;
  if (text.length === 10) return true;
  if (text[10] !== 'T' && text[10] !== 't' && text[10] !== '_') return false;
  for (let i = 11; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (!isDigit(unit) && !':.+-Zz,'.includes(text[i]!)) return false;
  }
  return true;
}

function isClock(text: string): boolean {
  const parts = text.split(':');
  return (
    (parts.length === 3 || parts.length === 2) &&
    parts.every((part, index) =>
      index === 2 ? isDigits(part.replace(/[.,]/, '')) : part.length === 2 && isDigits(part),
    )
  );
}

function isDigits(text: string): boolean {
  if (text.length === 0) return false;
  for (let i = 0; i < text.length; i++) if (!isDigit(text.charCodeAt(i))) return false;
  return true;
}

function hasDigit(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (isDigit(text.charCodeAt(i))) return true;
  return false;
}

function isDigit(unit: number): boolean {
  return unit >= 48 && unit <= 57;
}

function isHexLetter(unit: number): boolean {
  return (unit >= 97 && unit <= 102) || (unit >= 65 && unit <= 70);
}

function isSpace(unit: number): boolean {
  return unit === 32 || (unit >= 9 && unit <= 13);
}

/** Letters, digits, `-`, `_`, `.`, `%`, `+` and everything beyond ASCII hold a part together. */
function isPartChar(unit: number): boolean {
  return (
    (unit >= 97 && unit <= 122) ||
    (unit >= 65 && unit <= 90) ||
    isDigit(unit) ||
    unit === 45 ||
    unit === 95 ||
    unit === 46 ||
    unit === 37 ||
    unit === 43 ||
    unit > 127
  );
}

function isWrapper(unit: number): boolean {
  return unit === 40 || unit === 34 || unit === 39 || unit === 123 || unit === 60 || unit === 96;
}

function isTrailer(unit: number): boolean {
  return (
    isWrapper(unit) ||
    unit === 41 ||
    unit === 125 ||
    unit === 62 ||
    unit === 44 ||
    unit === 59 ||
    unit === 46 ||
    unit === 33 ||
    unit === 63 ||
    unit === 58
  );
}
