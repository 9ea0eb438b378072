import { isUtf8 } from 'node:buffer';
import type { GrammarOutcome } from './matcher-grammar.ts';
import type { MatcherText } from './matcher.ts';
import { isSpace } from './space.ts';

/** Characters that an unquoted name or value cannot hold, beside white space. */
const reserved = '{}!=~,\\"\'`';

/**
 * Alertmanager's UTF-8 grammar (matcher/parse): names and values are unquoted or in double quotes with Go's escapes, any UTF-8
 * name is allowed, braces and one comma after the last matcher are optional. Errors give the position, counted from 0.
 */
export function parseUtf8Matchers(text: string): GrammarOutcome {
  const reader = new Reader(text);
  const texts: MatcherText[] = [];
  const hasBrace = reader.takeIf('{');
  while (!reader.isAtEnd() && !reader.sees('}')) {
    const name = reader.takeWord('a label name');
    if (!name.ok) return name;
    if (name.word === '') return { ok: false, error: `${reader.at()}: expected a label name, got ""` };
    const operator = reader.takeOperator();
    if (operator === null)
      return { ok: false, error: `${reader.at()}: expected one of '=', '!=', '=~' or '!~'` };
    const value = reader.takeWord('a label value');
    if (!value.ok) return value;
    texts.push({
      name: name.word,
      value: value.word,
      isRegex: operator.endsWith('~'),
      isEqual: operator.startsWith('='),
    });
    if (!reader.takeIf(',') && !reader.isAtEnd() && !reader.sees('}')) {
      return { ok: false, error: `${reader.at()}: expected a comma or the end` };
    }
  }
  if (hasBrace !== reader.takeIf('}')) {
    return {
      ok: false,
      error: `${reader.at()}: ${hasBrace ? 'expected a closing brace' : 'unexpected closing brace'}`,
    };
  }
  if (!reader.isAtEnd()) return { ok: false, error: `${reader.at()}: expected the end` };
  return { ok: true, texts };
}

type Word = { readonly ok: true; readonly word: string } | { readonly ok: false; readonly error: string };

class Reader {
  readonly #text: string;
  #position = 0;

  constructor(text: string) {
    this.#text = text;
  }

  at(): string {
    return `position ${this.#position}`;
  }

  isAtEnd(): boolean {
    this.#skipSpace();
    return this.#position >= this.#text.length;
  }

  sees(char: string): boolean {
    this.#skipSpace();
    return this.#text[this.#position] === char;
  }

  takeIf(char: string): boolean {
    if (!this.sees(char)) return false;
    this.#position++;
    return true;
  }

  takeOperator(): string | null {
    this.#skipSpace();
    const two = this.#text.slice(this.#position, this.#position + 2);
    const operator = two === '=~' || two === '!=' || two === '!~' ? two : two.startsWith('=') ? '=' : null;
    if (operator) this.#position += operator.length;
    return operator;
  }

  takeWord(what: string): Word {
    this.#skipSpace();
    return this.#text[this.#position] === '"' ? this.#takeQuoted() : this.#takeUnquoted(what);
  }

  #takeUnquoted(what: string): Word {
    const start = this.#position;
    while (this.#position < this.#text.length) {
      const char = this.#text[this.#position]!;
      if (reserved.includes(char) || isSpace(char)) break;
      this.#position++;
    }
    if (this.#position === start) return { ok: false, error: `${this.at()}: expected ${what}` };
    return { ok: true, word: this.#text.slice(start, this.#position) };
  }

  #takeQuoted(): Word {
    const start = this.#position++;
    const quoted = new QuotedText();
    while (this.#position < this.#text.length) {
      const char = this.#text[this.#position]!;
      if (char === '"') {
        const word = quoted.finish();
        if (word === null) return { ok: false, error: `position ${start}: quoted text is not valid UTF-8` };
        this.#position++;
        return { ok: true, word };
      }
      if (char === '\n') return { ok: false, error: `${this.at()}: line feed in quoted text` };
      if (char !== '\\') {
        quoted.addText(char);
        this.#position++;
        continue;
      }
      const escape = readEscape(this.#text, this.#position + 1);
      if (escape === null) return { ok: false, error: `${this.at()}: invalid escape in quoted text` };
      if (escape.byte === undefined) quoted.addText(escape.char);
      else quoted.addByte(escape.byte);
      this.#position += 1 + escape.length;
    }
    return { ok: false, error: `position ${start}: missing end "` };
  }

  #skipSpace(): void {
    while (this.#position < this.#text.length && isSpace(this.#text[this.#position]!)) this.#position++;
  }
}

/** Builds a quoted word. `\x` and octal escapes are bytes, which must be UTF-8 in the end. */
class QuotedText {
  #text = '';
  #bytes: number[] = [];
  #isValid = true;

  addText(text: string): void {
    this.#flush();
    this.#text += text;
  }

  addByte(byte: number): void {
    this.#bytes.push(byte);
  }

  /** The word, or null when its bytes are not UTF-8. */
  finish(): string | null {
    this.#flush();
    return this.#isValid ? this.#text : null;
  }

  #flush(): void {
    if (this.#bytes.length === 0) return;
    const bytes = Buffer.from(this.#bytes);
    if (isUtf8(bytes)) this.#text += bytes.toString('utf8');
    else this.#isValid = false;
    this.#bytes = [];
  }
}

const simpleEscapes: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
};

type Escape =
  | { readonly char: string; readonly byte?: undefined; readonly length: number }
  | { readonly byte: number; readonly length: number };

/** Reads one of Go's escapes (strconv.Unquote) after its backslash; null when it is none. */
function readEscape(text: string, position: number): Escape | null {
  const kind = text[position] ?? '';
  if (Object.hasOwn(simpleEscapes, kind)) return { char: simpleEscapes[kind]!, length: 1 };
  if (kind === 'x') {
    const byte = readDigits(text, position + 1, 2, hexDigits);
    return byte === null ? null : { byte, length: 3 };
  }
  if (kind === 'u' || kind === 'U') {
    const digitCount = kind === 'u' ? 4 : 8;
    const point = readDigits(text, position + 1, digitCount, hexDigits);
    if (point === null || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return null;
    return { char: String.fromCodePoint(point), length: 1 + digitCount };
  }
  const byte = readDigits(text, position, 3, octalDigits);
  return byte === null || byte > 0xff ? null : { byte, length: 3 };
}

const octalDigits = /^[0-7]+$/;
const hexDigits = /^[0-9a-fA-F]+$/;

function readDigits(text: string, position: number, count: number, digits: RegExp): number | null {
  const found = text.slice(position, position + count);
  if (found.length !== count || !digits.test(found)) return null;
  return Number.parseInt(found, digits === hexDigits ? 16 : 8);
}
