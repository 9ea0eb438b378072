import type { GrammarOutcome } from './matcher-grammar.ts';
import type { MatcherText } from './matcher.ts';

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
    const name = reader.takeWord('label name');
    if (!name.ok) return name;
    if (name.word === '') return { ok: false, error: `${reader.at()}: label name must not be empty` };
    const operator = reader.takeOperator();
    if (operator === null)
      return { ok: false, error: `${reader.at()}: expected one of '=', '!=', '=~' or '!~'` };
    const value = reader.takeWord('label value');
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
    let word = '';
    while (this.#position < this.#text.length) {
      const char = this.#text[this.#position]!;
      if (char === '"') {
        this.#position++;
        return { ok: true, word };
      }
      if (char === '\n') break;
      if (char !== '\\') {
        word += char;
        this.#position++;
        continue;
      }
      const escape = readEscape(this.#text, this.#position + 1);
      if (escape === null) return { ok: false, error: `${this.at()}: invalid escape in quoted text` };
      word += escape.char;
      this.#position += 1 + escape.length;
    }
    return { ok: false, error: `position ${start}: missing end "` };
  }

  #skipSpace(): void {
    while (this.#position < this.#text.length && isSpace(this.#text[this.#position]!)) this.#position++;
  }
}

function isSpace(char: string): boolean {
  return char === ' ' || char === '\t' || char === '\n' || char === '\r' || char === '\f' || char === '\v';
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

/** Reads one of Go's escapes (strconv.Unquote) after its backslash; null when it is none. */
function readEscape(text: string, position: number): { char: string; length: number } | null {
  const kind = text[position] ?? '';
  const simple = Object.hasOwn(simpleEscapes, kind) ? simpleEscapes[kind] : undefined;
  if (simple !== undefined) return { char: simple, length: 1 };
  const digitCount = { x: 2, u: 4, U: 8 }[kind];
  if (digitCount !== undefined) {
    const digits = text.slice(position + 1, position + 1 + digitCount);
    return /^[0-9a-fA-F]+$/.test(digits) && digits.length === digitCount
      ? codePoint(Number.parseInt(digits, 16), 1 + digitCount)
      : null;
  }
  const octal = text.slice(position, position + 3);
  return /^[0-3][0-7]{2}$/.test(octal) ? codePoint(Number.parseInt(octal, 8), 3) : null;
}

function codePoint(point: number, length: number): { char: string; length: number } | null {
  if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return null;
  return { char: String.fromCodePoint(point), length };
}
