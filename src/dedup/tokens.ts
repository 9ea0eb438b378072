import { directionWords } from './direction.ts';

const placeholders: ReadonlySet<string> = new Set([
  '<num>',
  '<size>',
  '<duration>',
  '<time>',
  '<uuid>',
  '<hex>',
  '<ip>',
  '<mac>',
  '<pod>',
  '<id>',
]);

/** `<duration>` is the longest. */
const maxPlaceholderLength = 10;

/**
 * The tokens of a template: words in lower case (`TargetDown` is two), placeholders, single ideographs, and signs that carry a
 * direction (`<`, `>`, `!=`, arrows and other symbols, the minus of a number).
 */
export function tokensOf(template: string): string[] {
  const tokens: string[] = [];
  for (let end = nextToken(template, 0); end > 0; end = nextToken(template, end))
    tokens.push(tokenAt(template, end));
  return tokens;
}

/** The tokens of a template as dedup needs them, without a string for each. */
export interface HashedTokens {
  /** The hashes of the tokens, as `hashToken` makes them. Valid until the next call. */
  readonly hashes: Uint32Array;
  readonly count: number;
  /**
   * Those in which texts of one signal must not differ, since they tell different things apart however long the texts are: direction
   * words and signs, and names or codes with a digit that masking has left.
   */
  readonly telling: string;
}

let hashes = new Uint32Array(512);

/** Hashes what `tokensOf` would give. */
export function hashTokens(template: string): HashedTokens {
  let count = 0;
  let telling = '';
  for (let end = nextToken(template, 0); end > 0; end = nextToken(template, end)) {
    const hash = hashRange(template, tokenStart, end);
    if (isTelling(template, end, hash)) telling += ` ${tokenAt(template, end)}`;
    if (count === hashes.length) hashes = grown(hashes);
    hashes[count++] = hash;
  }
  return { hashes, count, telling };
}

/** FNV-1a over the UTF-16 units of a token, 32 bits unsigned. */
export function hashToken(token: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < token.length; i++) hash = Math.imul(hash ^ token.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** Whether a part of a template holds a word that `directionWords` lists, as `TargetDown` does. */
export function hasDirection(part: string): boolean {
  for (let end = nextToken(part, 0); end > 0; end = nextToken(part, end)) {
    if (directionHashes.has(hashRange(part, tokenStart, end))) return true;
  }
  return false;
}

/** A word that has the hash of a direction word by chance only keeps apart a little more. */
const directionHashes: ReadonlySet<number> = new Set([...directionWords].map(hashToken));

/** Where the token begins that `nextToken` has found. */
let tokenStart = 0;

/** Finds the next token from `from` on; gives its end, or -1 after the last. */
function nextToken(template: string, from: number): number {
  const length = template.length;
  for (let position = from; position < length; position++) {
    const unit = template.charCodeAt(position);
    tokenStart = position;
    if (isWordUnit(unit)) return wordEnd(template, position);
    if (unit === 60) return placeholderEnd(template, position);
    if (unit === 62) return position + 1;
    if (unit === 33 && template.charCodeAt(position + 1) === 61) return position + 2;
    if (unit === 45 && isMinus(template, position)) return position + 1;
    if (isSingle(unit)) return isHighSurrogate(unit) && position + 1 < length ? position + 2 : position + 1;
  }
  return -1;
}

function tokenAt(template: string, end: number): string {
  return template.slice(tokenStart, end).toLowerCase();
}

function hashRange(template: string, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let i = start; i < end; i++) {
    const unit = template.charCodeAt(i);
    if (unit > 127) return hashToken(template.slice(start, end).toLowerCase());
    hash = Math.imul(hash ^ (isUpper(unit) ? unit | 32 : unit), 0x01000193);
  }
  return hash >>> 0;
}

function isTelling(template: string, end: number, hash: number): boolean {
  const unit = template.charCodeAt(tokenStart);
  if (unit === 60) return end - tokenStart === 1;
  if (!isWordUnit(unit)) return !isIdeograph(unit);
  return directionHashes.has(hash) || hasDigit(template, tokenStart, end);
}

function grown(array: Uint32Array): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(2 * array.length);
  larger.set(array);
  return larger;
}

function wordEnd(text: string, start: number): number {
  let position = start + 1;
  let before = text.charCodeAt(start);
  for (; position < text.length; position++) {
    const unit = text.charCodeAt(position);
    if (!isWordUnit(unit) || (isUpper(unit) && isLower(before))) break;
    before = unit;
  }
  return position;
}

/** The end of the placeholder at `start`, or of the `<` alone. */
export function placeholderEnd(text: string, start: number): number {
  let end = start + 1;
  if (text.charCodeAt(end) === 42 && text.charCodeAt(end + 1) === 62) return end + 2;
  while (end - start < maxPlaceholderLength && isLower(text.charCodeAt(end))) end++;
  return text.charCodeAt(end) === 62 && placeholders.has(text.slice(start, end + 1)) ? end + 1 : start + 1;
}

/** The minus of a number, not the dash of a range, a name or an identifier such as `blk_-1608`. */
function isMinus(text: string, position: number): boolean {
  const before = position > 0 ? text.charCodeAt(position - 1) : 32;
  if (isWordUnit(before) || '>-_./@#'.includes(String.fromCharCode(before))) return false;
  const after = text.charCodeAt(position + 1);
  return after === 60 || (after >= 48 && after <= 57);
}

export function isWordUnit(unit: number): boolean {
  return isLower(unit) || isUpper(unit) || (unit >= 48 && unit <= 57) || (unit > 127 && isLetterBeyond(unit));
}

function isLower(unit: number): boolean {
  return unit >= 97 && unit <= 122;
}

function isUpper(unit: number): boolean {
  return unit >= 65 && unit <= 90;
}

/** Letters beyond ASCII that make words: not punctuation, symbols, ideographs or surrogates. */
function isLetterBeyond(unit: number): boolean {
  return (unit >= 0xc0 && unit < 0x2000) || (unit >= 0x2c00 && unit < 0x2e00);
}

/** What is a token by itself: symbols such as arrows and emoji, and the scripts that are written without spaces. */
function isSingle(unit: number): boolean {
  return unit >= 0x2190 && (unit < 0x2c00 || unit >= 0x2e80);
}

function isIdeograph(unit: number): boolean {
  return unit >= 0x2e80 && !isHighSurrogate(unit);
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00;
}

function hasDigit(text: string, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 48 && unit <= 57) return true;
  }
  return false;
}
