import { positionIn, TemplateError } from './error.ts';
import { lex, type Token, type TokenKind } from './lex.ts';
import { quote } from './literal.ts';

/** Actions and parentheses may be nested so deep; a real template needs a handful. */
const maxNesting = 200;

/** Walks over the tokens of a text, and knows where it is when something is wrong. */
export class Cursor {
  readonly source: string;
  readonly text: string;
  /** The index of the next token: a mark to come back to. */
  next = 0;
  /** The line of the action at hand; 0 outside of one. */
  actionLine = 0;
  readonly #tokens: readonly Token[];
  #nesting = 0;

  constructor(source: string, text: string) {
    this.source = source;
    this.text = text;
    this.#tokens = lex(text);
  }

  peek(): Token {
    return this.#tokens[this.next] ?? this.#last();
  }

  #last(): Token {
    return this.#tokens.at(-1) ?? { kind: 'eof', text: '', offset: 0, line: 1 };
  }

  take(): Token {
    const token = this.peek();
    this.next++;
    return token;
  }

  nextNonSpace(): Token {
    while (this.peek().kind === 'space') this.next++;
    return this.take();
  }

  peekNonSpace(): Token {
    while (this.peek().kind === 'space') this.next++;
    return this.peek();
  }

  expect(kind: TokenKind, context: string): Token {
    const token = this.nextNonSpace();
    return token.kind === kind ? token : this.unexpected(token, context);
  }

  unexpected(token: Token, context: string): never {
    if (token.kind !== 'error') this.fail(`unexpected ${tokenText(token)} in ${context}`);
    const isElsewhere = this.actionLine !== 0 && this.actionLine !== token.line;
    const started = isElsewhere ? ` action started at ${this.source}:${this.actionLine}` : '';
    const where = token.text.endsWith(' action')
      ? started.slice(' action'.length)
      : started && ` in${started}`;
    return this.fail(token.text + where);
  }

  fail(message: string): never {
    const token = this.#tokens[Math.max(0, this.next - 1)] ?? this.#last();
    throw new TemplateError(
      'TOC_TEMPLATE_INVALID',
      `template: ${this.source}:${token.line}: ${message}`,
      positionIn(this.source, this.text, token.offset),
    );
  }

  /** Goes a level deeper. */
  enter(): void {
    if (++this.#nesting > maxNesting) this.fail(`nested deeper than ${maxNesting} levels`);
  }

  leave(): void {
    this.#nesting--;
  }
}

function tokenText({ kind, text }: Token): string {
  if (kind === 'eof') return 'EOF';
  if (kind === 'keyword' || kind === 'nil' || kind === 'dot') return `<${text}>`;
  const characters = Array.from(text);
  return characters.length > 10 ? `${quote(characters.slice(0, 10).join(''))}...` : quote(text);
}
