import { podSuffixStart } from './mask-pods.ts';
import { matchCalendar, matchSpacedUnit, mayBeginCalendar } from './mask-spaced.ts';
import {
  hasIdShape,
  isBareSuffix,
  isDecimal,
  isDigits,
  isHexId,
  isUpperCase,
  isUuid,
  matchAddress,
  matchQuantity,
  matchTime,
} from './mask-shapes.ts';
import { tokensOf } from './tokens.ts';

export interface MaskedText {
  /** The text with what varies replaced by placeholders such as `<num>`; otherwise unchanged. */
  readonly template: string;
  /** Lower-case words, placeholders and direction signs of the template, in order. */
  readonly tokens: readonly string[];
}

/** Longer texts are cut to this many UTF-16 units before anything looks at them. */
export const maxTextLength = 8192;

/** The widest ordinal that counts as part of a name: `web-1` and `eu-west-2` are names, `order-10442` is a name and a number. */
const maxOrdinalDigits = 3;
const maxCodeDigits = 5;

/** A number right after one of these words says what happened, so that it stays: `HTTP 500`, `exit code 137`, `code="404"`. */
const codeWords: ReadonlySet<string> = new Set([
  'http',
  'https',
  'status',
  'code',
  'error',
  'errno',
  'exit',
  'signal',
  'sqlstate',
  'rc',
]);

/**
 * Masks what varies between two reports of one thing: numbers (`<num>`; a percent sign or a minus stays), sizes (`<size>`),
 * durations (`<duration>`), times and dates (`<time>`), UUIDs (`<uuid>`), hex (`<hex>`), IPv4 and IPv6 addresses with port or
 * prefix (`<ip>`), MAC addresses (`<mac>`), the random suffixes of pods and replica sets (`<pod>`) and other random
 * identifiers (`<id>`). Names with a short ordinal, versions and error codes stay, since they tell things apart.
 * One pass, linear in the length of the text.
 */
export function maskText(text: string): MaskedText {
  const template = maskTemplate(text);
  return { template, tokens: tokensOf(template) };
}

/** The template alone. `wordBefore` is what stands before the text, such as the name of the label whose value it is. */
export function maskTemplate(text: string, wordBefore = ''): string {
  return new Masker(text.length > maxTextLength ? text.slice(0, maxTextLength) : text, wordBefore).run();
}

/** Of a value such as a pod's name what is left without ordinals and random suffixes; empty when nothing is. */
export function stemOf(value: string): string {
  if (isBareSuffix(value, 0, value.length)) return '';
  const parts = maskTemplate(value).split(/[-_.:]/);
  while (parts.length > 0 && isVariable(parts.at(-1) ?? '')) parts.pop();
  return parts.join('-');
}

function isVariable(part: string): boolean {
  return part.length <= 1 || (part.startsWith('<') && part.endsWith('>')) || isDigits(part, 0, part.length);
}

class Masker {
  readonly #text: string;
  readonly #wordBefore: string;
  #masked = '';
  /** Up to here the text is in `#masked`. */
  #done = 0;

  constructor(text: string, wordBefore: string) {
    this.#text = text;
    this.#wordBefore = wordBefore;
  }

  run(): string {
    const text = this.#text;
    const length = text.length;
    let position = 0;
    while (position < length) {
      const unit = text.charCodeAt(position);
      if (unit === openBracket) {
        const end = this.#bracketedAddress(position);
        if (end > 0) {
          this.#replace(position, end, '<ip>');
          position = end;
          continue;
        }
      }
      if (!isRunUnit(unit)) {
        position++;
        continue;
      }
      const start = position;
      const calendar = mayBeginCalendar(text, start) ? matchCalendar(text, start) : -1;
      if (calendar > 0) {
        this.#replace(start, calendar, '<time>');
        position = calendar;
        continue;
      }
      let hasDigit = false;
      for (; position < length; position++) {
        const next = text.charCodeAt(position);
        if (isDecimal(next)) hasDigit = true;
        else if (!isRunUnit(next) && !(next === comma && this.#isBetweenDigits(position))) break;
      }
      if (hasDigit) this.#maskRun(start, position);
    }
    return this.#done === 0 ? text : this.#masked + text.slice(this.#done);
  }

  /** Masks a run as a whole, or else its parts. */
  #maskRun(from: number, to: number): void {
    const text = this.#text;
    let start = from;
    let end = to;
    while (end > start && isJoint(text.charCodeAt(end - 1))) end--;
    if (text.startsWith('::', start) && matchAddress(text, start, end)) {
      this.#replace(start, end, '<ip>');
      return;
    }
    while (start < end && isJoint(text.charCodeAt(start)) && !this.#isSign(start)) start++;
    if (start === end) return;
    const whole = this.#wholeOf(start, end);
    if (whole === null) {
      for (const separator of [comma, slash, colon]) {
        if (this.#maskParts(start, end, separator)) return;
      }
      this.#maskName(start, end);
    } else if (whole !== '') {
      const unit = whole === '<num>' && end === to ? matchSpacedUnit(text, end) : null;
      this.#replace(this.#isSign(start) ? start + 1 : start, unit?.end ?? end, unit?.placeholder ?? whole);
    }
  }

  /** The placeholder of a run that is one thing; empty when it is one and stays; null when it is none. */
  #wholeOf(start: number, end: number): string | null {
    const text = this.#text;
    const quantity = matchQuantity(text, start, end);
    if (quantity === '<num>' && this.#isCode(start, end)) return '';
    if (quantity !== null) return quantity;
    if (isUuid(text, start, end)) return '<uuid>';
    if (matchTime(text, start) === end) return '<time>';
    return matchAddress(text, start, end);
  }

  /** Masks each part between separators; false when there is none in the run. */
  #maskParts(start: number, end: number, separator: number): boolean {
    const text = this.#text;
    let from = start;
    for (let i = start; i < end; i++) {
      if (text.charCodeAt(i) !== separator) continue;
      this.#maskRun(from, i);
      from = i + 1;
    }
    if (from === start) return false;
    this.#maskRun(from, end);
    return true;
  }

  /** A run without separators: names between dots, each of segments between dashes. */
  #maskName(start: number, end: number): void {
    const text = this.#text;
    let from = start;
    for (let i = start; i <= end; i++) {
      if (i < end && text.charCodeAt(i) !== dot) continue;
      // Short numbers between dots are a version, behind a row of dots they are none.
      const isVersion =
        i - from <= maxOrdinalDigits &&
        i - from < end - start &&
        isDigits(text, from, i) &&
        !(text.charCodeAt(from - 1) === dot && text.charCodeAt(from - 2) === dot);
      if (i > from && !isVersion) this.#maskSegments(from, i);
      from = i + 1;
    }
  }

  #maskSegments(start: number, end: number): void {
    const text = this.#text;
    if (matchAddress(text, start, end)) {
      this.#replace(start, end, '<ip>');
      return;
    }
    const bounds = segmentsOf(text, start, end);
    const count = bounds.length / 2;
    const suffix = podSuffixStart(text, bounds);
    let isNamed = false;
    let isCodeName = false;
    for (let i = 0; i < count; i++) {
      const from = bounds[2 * i]!;
      const to = bounds[2 * i + 1]!;
      if (i === suffix) {
        this.#replace(from, end, '<pod>');
        return;
      }
      if (i === 0) isCodeName = isUpperCase(text, from, to);
      if (isDigits(text, from, to)) {
        const isOrdinal = isNamed && to - from <= maxOrdinalDigits;
        if (!isOrdinal && !(isCodeName && isNamed)) this.#replace(this.#identifierStart(from), to, '<num>');
      } else {
        this.#maskSegment(from, to, count === 1 && i === 0);
        isNamed = true;
      }
    }
  }

  /** The minus of an identifier that happens to be negative, such as `blk_-1608999687919862906`, says nothing. */
  #identifierStart(from: number): number {
    const isNegative =
      this.#text.charCodeAt(from - 1) === minus && this.#text.charCodeAt(from - 2) === underscore;
    return isNegative ? from - 1 : from;
  }

  #maskSegment(from: number, to: number, isAlone: boolean): void {
    const text = this.#text;
    if (isHexId(text, from, to)) this.#replace(from, to, '<hex>');
    else if (hasIdShape(text, from, to)) this.#replace(from, to, '<id>');
    else if (isAlone) {
      let digits = to;
      while (digits > from && isDecimal(text.charCodeAt(digits - 1))) digits--;
      // A counter glued to a word, such as `order10442`; `KB5005565` is a code.
      if (to - digits > maxOrdinalDigits && digits > from && !isUpperCase(text, from, digits))
        this.#replace(digits, to, '<num>');
    }
  }

  #replace(start: number, end: number, placeholder: string): void {
    this.#masked += this.#text.slice(this.#done, start) + placeholder;
    this.#done = end;
  }

  /** `[fe80::1]:8080`: the end, or 0 when there is none at `start`. */
  #bracketedAddress(start: number): number {
    const text = this.#text;
    let end = start + 1;
    while (end < text.length && end - start < 64 && text.charCodeAt(end) !== closeBracket) end++;
    if (text.charCodeAt(end) !== closeBracket || !text.slice(start, end).includes(':')) return 0;
    if (matchAddress(text, start + 1, end) !== '<ip>') return 0;
    end++;
    if (text.charCodeAt(end) !== colon) return end;
    let port = end + 1;
    while (port < text.length && isDecimal(text.charCodeAt(port))) port++;
    return port > end + 1 ? port : end;
  }

  #isBetweenDigits(position: number): boolean {
    return (
      position > 0 &&
      isDecimal(this.#text.charCodeAt(position - 1)) &&
      isDecimal(this.#text.charCodeAt(position + 1))
    );
  }

  #isSign(position: number): boolean {
    const unit = this.#text.charCodeAt(position);
    return (unit === minus || unit === plus) && isDecimal(this.#text.charCodeAt(position + 1));
  }

  /** Whether a whole number stands right after a code word. */
  #isCode(start: number, end: number): boolean {
    const text = this.#text;
    if (end - start > maxCodeDigits || !isDigits(text, start, end)) return false;
    let to = start;
    while (to > 0 && start - to < 4 && !isLetter(text.charCodeAt(to - 1))) {
      if (isDecimal(text.charCodeAt(to - 1))) return false;
      to--;
    }
    let word = this.#wordBefore;
    if (to > 0) {
      let from = to;
      while (from > 0 && to - from < 16 && isLetter(text.charCodeAt(from - 1))) from--;
      word = text.slice(from, to);
    }
    word = word.slice(word.lastIndexOf('_') + 1);
    return codeWords.has(word.toLowerCase());
  }
}

const dot = 46;
const comma = 44;
const slash = 47;
const colon = 58;
const minus = 45;
const plus = 43;
const underscore = 95;
const openBracket = 91;
const closeBracket = 93;

/** Letters, digits, everything beyond ASCII, and what holds them together. */
function isRunUnit(unit: number): boolean {
  return isDecimal(unit) || isLetter(unit) || isJoint(unit);
}

function isLetter(unit: number): boolean {
  return (unit >= 97 && unit <= 122) || (unit >= 65 && unit <= 90) || unit > 127;
}

function isJoint(unit: number): boolean {
  return (
    unit === dot || unit === slash || unit === colon || unit === minus || unit === plus || unit === underscore
  );
}

/** Starts and ends of the parts between dashes and underscores; empty parts are left out. */
function segmentsOf(text: string, start: number, end: number): number[] {
  const bounds: number[] = [];
  let from = start;
  for (let i = start; i <= end; i++) {
    const unit = i < end ? text.charCodeAt(i) : minus;
    if (unit !== minus && unit !== underscore && unit !== plus) continue;
    if (i > from) bounds.push(from, i);
    from = i + 1;
  }
  return bounds;
}
