import type { Cursor } from './cursor.ts';
import type { Token, TokenKind } from './lex.ts';
import { parseNumber, quote, unquote, unquoteCharacter } from './literal.ts';
import { nodeText, type Command, type Operand, type Pipeline } from './node.ts';

const operandKinds: ReadonlySet<TokenKind> = new Set([
  'bool',
  'character',
  'dot',
  'field',
  'identifier',
  'number',
  'nil',
  'raw-string',
  'string',
  'variable',
  'left-paren',
]);

/** Parses what stands within an action: declarations, commands and their operands. */
export class PipelineParser {
  /** Those that are known at this point of the template. */
  variables: string[] = ['$'];
  readonly #cursor: Cursor;
  readonly #functions: ReadonlySet<string>;

  constructor(cursor: Cursor, functions: ReadonlySet<string>) {
    this.#cursor = cursor;
    this.#functions = functions;
  }

  /** A pipeline up to the token of kind `end`, which it takes. `context` is for messages. */
  parse(context: string, end: TokenKind): Pipeline {
    const { offset } = this.#cursor.peekNonSpace();
    const { variables, isAssignment } = this.#declarations(context);
    const commands: Command[] = [];
    for (;;) {
      const start = this.#cursor.next;
      const token = this.#cursor.nextNonSpace();
      if (token.kind === end) break;
      if (!operandKinds.has(token.kind)) this.#cursor.unexpected(token, context);
      this.#cursor.next = start;
      commands.push(this.#command());
    }
    this.#checkCommands(commands, context);
    return { kind: 'pipeline', offset, variables, isAssignment, commands };
  }

  #declarations(context: string): Pick<Pipeline, 'variables' | 'isAssignment'> {
    const variables: string[] = [];
    for (;;) {
      const start = this.#cursor.next;
      const variable = this.#cursor.nextNonSpace();
      if (variable.kind !== 'variable') {
        this.#cursor.next = start;
        return { variables, isAssignment: false };
      }
      const after = this.#cursor.peekNonSpace();
      const isComma = after.kind === 'char' && after.text === ',';
      if (after.kind !== 'assign' && after.kind !== 'declare' && !isComma) {
        this.#cursor.next = start;
        return { variables, isAssignment: false };
      }
      this.#cursor.nextNonSpace();
      variables.push(variable.text);
      this.variables.push(variable.text);
      if (!isComma) return { variables, isAssignment: after.kind === 'assign' };
      if (context !== 'range' || variables.length > 1)
        this.#cursor.fail(`too many declarations in ${context}`);
      const { kind } = this.#cursor.peekNonSpace();
      if (kind !== 'variable' && kind !== 'right-delim' && kind !== 'right-paren')
        this.#cursor.fail('range can only initialize variables');
    }
  }

  #checkCommands(commands: readonly Command[], context: string): void {
    if (commands.length === 0) this.#cursor.fail(`missing value for ${context}`);
    for (const [index, { operands }] of commands.entries()) {
      const { kind } = operands[0];
      const isLiteral =
        kind === 'bool' || kind === 'dot' || kind === 'nil' || kind === 'number' || kind === 'string';
      if (index > 0 && isLiteral) this.#cursor.fail(`non executable command in pipeline stage ${index + 1}`);
    }
  }

  #command(): Command {
    const { offset } = this.#cursor.peekNonSpace();
    const operands: Operand[] = [];
    for (;;) {
      this.#cursor.peekNonSpace();
      const operand = this.#operand();
      if (operand) operands.push(operand);
      const token = this.#cursor.take();
      if (token.kind === 'space') continue;
      if (token.kind === 'right-delim' || token.kind === 'right-paren') this.#cursor.next--;
      else if (token.kind !== 'pipe') this.#cursor.unexpected(token, 'operand');
      break;
    }
    const [first, ...others] = operands;
    if (!first) return this.#cursor.fail('empty command');
    return { kind: 'command', offset, operands: [first, ...others] };
  }

  #operand(): Operand | null {
    const node = this.#term();
    if (!node || this.#cursor.peek().kind !== 'field') return node;
    const { offset } = this.#cursor.peek();
    const fields: string[] = [];
    while (this.#cursor.peek().kind === 'field') fields.push(this.#cursor.take().text.slice(1));
    switch (node.kind) {
      case 'field':
        return { ...node, offset, names: [...node.names, ...fields] };
      case 'variable':
        return { ...node, offset, fields };
      case 'bool':
      case 'string':
      case 'number':
      case 'nil':
      case 'dot':
        return this.#cursor.fail(`unexpected . after term ${quote(nodeText(node))}`);
      default:
        return { kind: 'chain', offset, node, fields };
    }
  }

  #term(): Operand | null {
    const start = this.#cursor.next;
    const token = this.#cursor.nextNonSpace();
    const { offset, text } = token;
    switch (token.kind) {
      case 'identifier':
        if (!this.#functions.has(text)) this.#cursor.fail(`function ${quote(text)} not defined`);
        return { kind: 'identifier', offset, name: text };
      case 'dot':
        return { kind: 'dot', offset };
      case 'nil':
        return { kind: 'nil', offset };
      case 'variable':
        if (!this.variables.includes(text)) this.#cursor.fail(`undefined variable ${quote(text)}`);
        return { kind: 'variable', offset, name: text, fields: [] };
      case 'field':
        return { kind: 'field', offset, names: [text.slice(1)] };
      case 'bool':
        return { kind: 'bool', offset, value: text === 'true' };
      case 'character':
        return this.#character(token);
      case 'number': {
        const constant = parseNumber(text);
        if (typeof constant === 'string') return this.#cursor.fail(constant);
        return { kind: 'number', offset, text, constant };
      }
      case 'left-paren': {
        this.#cursor.enter();
        const pipeline = this.parse('parenthesized pipeline', 'right-paren');
        this.#cursor.leave();
        return pipeline;
      }
      case 'string':
      case 'raw-string': {
        const value = unquote(text) ?? this.#cursor.fail('invalid syntax');
        return { kind: 'string', offset, literal: text, value };
      }
      default:
        this.#cursor.next = start;
        return null;
    }
  }

  #character({ offset, text }: Token): Operand {
    const int = unquoteCharacter(text) ?? this.#cursor.fail(`malformed character constant: ${text}`);
    return { kind: 'number', offset, text, constant: { int, float: Number(int) } };
  }
}
