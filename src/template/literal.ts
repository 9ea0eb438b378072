/** A number as Go's untyped constants are: it may serve as an int, as a float, or as both. */
export interface Constant {
  readonly int: bigint | null;
  readonly float: number | null;
}

const maxInt = 2n ** 63n - 1n;
const maxUint = 2n ** 64n - 1n;
const minInt = -(2n ** 63n);

const integer =
  /^[+-]?(?:0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+|0(?:_?[0-7])*|[1-9](?:_?[0-9])*)$/;
const decimalFloat = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const hexFloat = /^([+-]?)0[xX]([0-9a-fA-F]*)\.?([0-9a-fA-F]*)[pP]([+-]?\d+)$/;

/**
 * Reads a number as Go's strconv does with base 0; a large one may be none of int and float. A text in place of it says what is wrong.
 * Complex numbers are not known.
 */
export function parseNumber(text: string): Constant | string {
  if (integer.test(text)) {
    const int = parseInteger(text);
    if (int <= maxInt && int >= minInt) return { int, float: Number(int) };
    return int > 0n && int <= maxUint ? { int: null, float: null } : `integer overflow: ${quote(text)}`;
  }
  const float = parseFloatLiteral(text);
  if (float === null) return `illegal number syntax: ${quote(text)}`;
  if (!/[.eEpP]/.test(text)) return `integer overflow: ${quote(text)}`;
  const isWhole = Number.isInteger(float) && Math.abs(float) < 2 ** 63;
  return { int: isWhole ? BigInt(float) : null, float };
}

function parseInteger(text: string): bigint {
  const isNegative = text.startsWith('-');
  const digits = text.replace(/^[+-]/, '').replaceAll('_', '');
  const value = BigInt(/^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits);
  return isNegative ? -value : value;
}

function parseFloatLiteral(text: string): number | null {
  if (decimalFloat.test(text)) {
    const value = Number(text);
    return Number.isFinite(value) ? value : null;
  }
  const match = hexFloat.exec(text);
  if (!match) return null;
  const [, sign, whole = '', fraction = '', exponent] = match;
  if (whole + fraction === '') return null;
  const value = Number(BigInt(`0x${whole}${fraction}`)) * 2 ** (Number(exponent) - 4 * fraction.length);
  return sign === '-' ? -value : value;
}

const simpleEscapes: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
};

const escape =
  /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|([abfnrtv\\'"]))|\\|[^\\]+/gu;

/** The text of a literal with its quotes (`"`, `'` or the backquote), as Go's strconv.Unquote. Null where Go says `invalid syntax`. */
export function unquote(literal: string): string | null {
  const quote = literal.slice(0, 1);
  const body = literal.slice(1, -1);
  if (quote === '`') return body.replaceAll('\r', '');
  const pieces: (string | number)[] = [];
  for (const [all, hex, short, long, octal, simple] of body.matchAll(escape)) {
    if (!all.startsWith('\\')) pieces.push(all);
    else if (simple !== undefined) {
      if ((simple === '"' || simple === "'") && simple !== quote) return null;
      pieces.push(simpleEscapes[simple] ?? simple);
    } else if (hex !== undefined || octal !== undefined) {
      const byte = hex === undefined ? Number.parseInt(octal ?? '', 8) : Number.parseInt(hex, 16);
      if (byte > 255) return null;
      pieces.push(byte);
    } else {
      const point = Number.parseInt(short ?? long ?? 'x', 16);
      if (!(point <= 0x10ffff) || (point >= 0xd800 && point <= 0xdfff)) return null;
      pieces.push(String.fromCodePoint(point));
    }
  }
  return pieces.some((piece) => typeof piece === 'number') ? fromBytes(pieces) : pieces.join('');
}

/** `\x` and octal escapes are bytes of UTF-8; those that are no UTF-8 become U+FFFD. */
function fromBytes(pieces: readonly (string | number)[]): string {
  return Buffer.concat(
    pieces.map((piece) => (typeof piece === 'number' ? Buffer.of(piece) : Buffer.from(piece))),
  ).toString('utf8');
}

/** The code point of a character constant such as `'a'`, or null. */
export function unquoteCharacter(literal: string): bigint | null {
  const byte = /^'\\(?:x([0-9a-fA-F]{2})|([0-3][0-7]{2}))'$/.exec(literal);
  if (byte)
    return BigInt(byte[1] === undefined ? Number.parseInt(byte[2] ?? '', 8) : Number.parseInt(byte[1], 16));
  const text = unquote(literal);
  if (text === null || Array.from(text).length !== 1) return null;
  return BigInt(text.codePointAt(0) ?? 0);
}

const printable = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

/** Whether Go's unicode.IsPrint says so. */
export function isPrintable(character: string): boolean {
  return printable.test(character);
}

/** The text as a Go literal, as strconv.Quote. `onlyAscii` escapes all else (`%+q`). */
export function quote(text: string, mark: '"' | "'" = '"', onlyAscii = false): string {
  let out = mark as string;
  for (const character of text.toWellFormed()) {
    const point = character.codePointAt(0) ?? 0;
    if (character === mark || character === '\\') out += `\\${character}`;
    else if (isPrintable(character) && (!onlyAscii || point < 0x80)) out += character;
    else out += escaped(character, point);
  }
  return out + mark;
}

function escaped(character: string, point: number): string {
  const name = Object.keys(simpleEscapes).find((key) => simpleEscapes[key] === character);
  if (name !== undefined) return `\\${name}`;
  if (point < 0x20 || point === 0x7f) return `\\x${point.toString(16).padStart(2, '0')}`;
  if (point < 0x10000) return `\\u${point.toString(16).padStart(4, '0')}`;
  return `\\U${point.toString(16).padStart(8, '0')}`;
}
