import { isPrintable, quote } from './literal.ts';

export type TokenKind =
  | 'error'
  | 'bool'
  | 'char'
  | 'character'
  | 'assign'
  | 'declare'
  | 'eof'
  | 'field'
  | 'identifier'
  | 'left-delim'
  | 'left-paren'
  | 'number'
  | 'pipe'
  | 'raw-string'
  | 'right-delim'
  | 'right-paren'
  | 'space'
  | 'string'
  | 'text'
  | 'variable'
  | 'dot'
  | 'nil'
  | 'keyword';

/** A piece of a template. `text` of an `error` is what is wrong; `offset` is in UTF-16 units. */
export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  readonly offset: number;
  readonly line: number;
}

const keywords = new Set([
  'block',
  'break',
  'continue',
  'define',
  'else',
  'end',
  'if',
  'range',
  'template',
  'with',
]);

const leftDelim = '{{';
const rightDelim = '}}';
const word = /[\p{L}\p{Nd}_]+/uy;
const space = /[ \t\r\n]+/y;
const number =
  /[+-]?(?:0[xX][0-9a-fA-F_]*(?:\.[0-9a-fA-F_]*)?(?:[pP][+-]?[0-9_]*)?|0[oO][0-7_]*(?:\.[0-7_]*)?|0[bB][01_]*(?:\.[01_]*)?|[0-9_]*(?:\.[0-9_]*)?(?:[eE][+-]?[0-9_]*)?)i?/y;
const closed: Readonly<Record<string, readonly [TokenKind, RegExp, string]>> = {
  '"': ['string', /"(?:[^"\\\n]|\\[^\n])*"/y, 'unterminated quoted string'],
  "'": ['character', /'(?:[^'\\\n]|\\[^\n])*'/y, 'unterminated character constant'],
  '`': ['raw-string', /`[^`]*`/y, 'unterminated raw quoted string'],
};
const punctuation: Readonly<Record<string, TokenKind>> = {
  '=': 'assign',
  '|': 'pipe',
  '(': 'left-paren',
  ')': 'right-paren',
};

/**
 * Cuts a template into tokens as Go's text/template/parse does, trim markers applied and comments dropped. The last token is `eof` or
 * `error`.
 */
export function lex(input: string): Token[] {
  const tokens: Token[] = [];
  let offset = 0;
  let line = 1;
  let parens = 0;

  const emit = (kind: TokenKind, end: number): void => {
    const text = input.slice(offset, end);
    tokens.push({ kind, text, offset, line });
    moveTo(end);
  };
  const moveTo = (end: number): void => {
    for (let i = offset; i < end; i++) if (input.charCodeAt(i) === 10) line++;
    offset = end;
  };
  const fail = (text: string): false => {
    tokens.push({ kind: 'error', text, offset, line });
    return false;
  };
  const match = (pattern: RegExp): string | null => {
    pattern.lastIndex = offset;
    return pattern.exec(input)?.[0] ?? null;
  };
  const isAtRightDelim = (at: number): boolean =>
    input.startsWith(rightDelim, at) || (isSpaceAt(input, at) && input.startsWith(`-${rightDelim}`, at + 1));
  const isTerminatedAt = (at: number): boolean =>
    at >= input.length || /[ \t\r\n.,|:()]/.test(input.charAt(at)) || input.startsWith(rightDelim, at);

  /** Text up to the next action, which it enters. */
  const lexText = (): boolean => {
    const found = input.indexOf(leftDelim, offset);
    const end = found === -1 ? input.length : found;
    const isTrimmed = found !== -1 && hasLeftMarker(input, found + 2);
    const textEnd = isTrimmed ? offset + trimEnd(input.slice(offset, end)).length : end;
    if (textEnd > offset) emit('text', textEnd);
    moveTo(end);
    if (found === -1) {
      emit('eof', end);
      return false;
    }
    const afterMarker = found + 2 + (isTrimmed ? 2 : 0);
    if (input.startsWith('/*', afterMarker)) return lexComment(afterMarker);
    emit('left-delim', found + 2);
    moveTo(afterMarker);
    parens = 0;
    return lexAction();
  };

  const lexComment = (start: number): boolean => {
    moveTo(start);
    const end = input.indexOf('*/', start + 2);
    if (end === -1) return fail('unclosed comment');
    if (!isAtRightDelim(end + 2)) return fail('comment ends before closing delimiter');
    leaveAction(end + 2);
    return true;
  };

  /** Passes the right delimiter, and the space after it where a marker says so. */
  const leaveAction = (at: number): void => {
    const isTrimmed = !input.startsWith(rightDelim, at);
    moveTo(at + (isTrimmed ? 4 : 2));
    if (isTrimmed) moveTo(offset + (match(space)?.length ?? 0));
  };

  const lexAction = (): boolean => {
    for (;;) {
      if (isAtRightDelim(offset)) {
        if (parens > 0) return fail('unclosed left paren');
        const at = offset;
        tokens.push({ kind: 'right-delim', text: rightDelim, offset, line });
        leaveAction(at);
        return true;
      }
      if (offset >= input.length) return fail('unclosed action');
      if (!lexElement()) return false;
    }
  };

  const lexElement = (): boolean => {
    const character = String.fromCodePoint(input.codePointAt(offset) ?? 0);
    const blanks = match(space);
    if (blanks !== null) {
      // A trim marker needs the last blank.
      const end = offset + blanks.length;
      emit('space', isAtRightDelim(end - 1) ? end - 1 : end);
      if (tokens.at(-1)?.text === '') tokens.pop();
      return true;
    }
    const literal = closed[character];
    if (literal) {
      const text = match(literal[1]);
      if (text === null) return fail(literal[2]);
      emit(literal[0], offset + text.length);
      return true;
    }
    if (character === ':') {
      if (input.charAt(offset + 1) !== '=') return fail('expected :=');
      emit('declare', offset + 2);
      return true;
    }
    const kind = punctuation[character];
    if (kind) return lexPunctuation(kind);
    if (character === '$' || (character === '.' && !/[0-9]/.test(input.charAt(offset + 1))))
      return lexName(character === '$' ? 'variable' : 'field');
    if (/[.+\-0-9]/.test(character)) return lexNumber();
    if (match(word) !== null) return lexWord();
    if (/^[\x20-\x7e]$/.test(character)) {
      emit('char', offset + 1);
      return true;
    }
    return fail(`unrecognized character in action: ${describe(character)}`);
  };

  const lexPunctuation = (kind: TokenKind): boolean => {
    if (kind === 'left-paren') parens++;
    emit(kind, offset + 1);
    return kind === 'right-paren' && --parens < 0 ? fail(`unexpected right paren ${describe(')')}`) : true;
  };

  const lexName = (kind: 'variable' | 'field'): boolean => {
    word.lastIndex = offset + 1;
    const end = offset + 1 + (word.exec(input)?.[0].length ?? 0);
    if (!isTerminatedAt(end)) return fail(`bad character ${describeAt(input, end)}`);
    emit(kind === 'field' && end === offset + 1 ? 'dot' : kind, end);
    return true;
  };

  const lexWord = (): boolean => {
    const text = match(word) ?? '';
    const end = offset + text.length;
    if (!isTerminatedAt(end)) return fail(`bad character ${describeAt(input, end)}`);
    if (keywords.has(text)) emit('keyword', end);
    else if (text === 'nil') emit('nil', end);
    else emit(text === 'true' || text === 'false' ? 'bool' : 'identifier', end);
    return true;
  };

  const lexNumber = (): boolean => {
    const end = offset + (match(number)?.length ?? 0);
    word.lastIndex = end;
    const tail = word.exec(input)?.[0];
    if (tail !== undefined) {
      const [first = ''] = tail;
      return fail(`bad number syntax: ${quote(input.slice(offset, end) + first)}`);
    }
    emit('number', end);
    return true;
  };

  while (lexText());
  return tokens;
}

function hasLeftMarker(input: string, at: number): boolean {
  return input.charAt(at) === '-' && isSpaceAt(input, at + 1);
}

function isSpaceAt(input: string, at: number): boolean {
  return at < input.length && ' \t\r\n'.includes(input.charAt(at));
}

/** Only the four blanks that Go's templates know; linear where a regular expression would not be. */
function trimEnd(text: string): string {
  let end = text.length;
  while (end > 0 && isSpaceAt(text, end - 1)) end--;
  return text.slice(0, end);
}

function describeAt(input: string, at: number): string {
  const point = input.codePointAt(at);
  return describe(point === undefined ? '' : String.fromCodePoint(point));
}

/** As `%#U`. */
function describe(character: string): string {
  const point = character.codePointAt(0) ?? 0xfffd;
  const code = `U+${point.toString(16).toUpperCase().padStart(4, '0')}`;
  return isPrintable(character) ? `${code} '${character}'` : code;
}
