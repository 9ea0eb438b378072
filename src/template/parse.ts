import { Cursor } from './cursor.ts';
import type { Token } from './lex.ts';
import { quote, unquote } from './literal.ts';
import { isEmptyList, type Branch, type List, type Node, type Tree } from './node.ts';
import { PipelineParser } from './parse-pipeline.ts';

type End = { readonly kind: 'end' } | { readonly kind: 'else'; readonly continued: 'if' | 'with' | null };

/**
 * Parses a text and the templates that it defines, which come before it in the result. `source` is its name in messages. Throws a
 * `TemplateError` (TOC_TEMPLATE_INVALID) with Go's message, and nothing else, whatever the text is.
 */
export function parse(name: string, text: string, functions: ReadonlySet<string>, source = name): Tree[] {
  return new Parser(source, text, functions).parse(name);
}

class Parser {
  readonly #cursor: Cursor;
  readonly #pipelines: PipelineParser;
  readonly #trees = new Map<string, Tree>();
  #rangeDepth = 0;

  constructor(source: string, text: string, functions: ReadonlySet<string>) {
    this.#cursor = new Cursor(source, text);
    this.#pipelines = new PipelineParser(this.#cursor, functions);
  }

  parse(name: string): Tree[] {
    const nodes: Node[] = [];
    const offset = this.#cursor.peek().offset;
    while (this.#cursor.peek().kind !== 'eof') {
      if (this.#isDefine()) {
        this.#define();
        continue;
      }
      const node = this.#textOrAction();
      if (node.kind === 'end' || node.kind === 'else') this.#cursor.fail(`unexpected {{${node.kind}}}`);
      nodes.push(node);
    }
    this.#add(name, { kind: 'list', offset, nodes });
    return [...this.#trees.values()];
  }

  #isDefine(): boolean {
    if (this.#cursor.peek().kind !== 'left-delim') return false;
    const start = this.#cursor.next++;
    const { kind, text } = this.#cursor.nextNonSpace();
    if (kind === 'keyword' && text === 'define') return true;
    this.#cursor.next = start;
    return false;
  }

  #define(): void {
    const context = 'define clause';
    const token = this.#cursor.nextNonSpace();
    const name = this.#templateName(token, context);
    this.#cursor.expect('right-delim', context);
    this.#add(name, this.#ownList(context));
  }

  /** A definition's body: with variables of its own. */
  #ownList(context: string): List {
    const outer = { variables: this.#pipelines.variables, rangeDepth: this.#rangeDepth };
    this.#pipelines.variables = ['$'];
    this.#rangeDepth = 0;
    const [list, end] = this.#itemList();
    if (end.kind !== 'end') this.#cursor.fail(`unexpected {{else}} in ${context}`);
    this.#pipelines.variables = outer.variables;
    this.#rangeDepth = outer.rangeDepth;
    return list;
  }

  #add(name: string, root: List): void {
    const old = this.#trees.get(name);
    if (old && !isEmptyList(old.root)) {
      if (!isEmptyList(root)) this.#cursor.fail(`template: multiple definition of template ${quote(name)}`);
      return;
    }
    this.#trees.set(name, { name, source: this.#cursor.source, text: this.#cursor.text, root });
  }

  #itemList(): [List, End] {
    const { offset } = this.#cursor.peekNonSpace();
    const nodes: Node[] = [];
    while (this.#cursor.peekNonSpace().kind !== 'eof') {
      const node = this.#textOrAction();
      if (node.kind === 'end' || node.kind === 'else') return [{ kind: 'list', offset, nodes }, node];
      nodes.push(node);
    }
    return this.#cursor.fail('unexpected EOF');
  }

  #textOrAction(): Node | End {
    const token = this.#cursor.nextNonSpace();
    if (token.kind === 'text') return { kind: 'text', offset: token.offset, text: token.text };
    if (token.kind !== 'left-delim') return this.#cursor.unexpected(token, 'input');
    this.#cursor.actionLine = token.line;
    const node = this.#action();
    this.#cursor.actionLine = 0;
    return node;
  }

  #action(): Node | End {
    const start = this.#cursor.next;
    const token = this.#cursor.nextNonSpace();
    if (token.kind === 'keyword') {
      switch (token.text) {
        case 'block':
          return this.#block();
        case 'break':
        case 'continue':
          return this.#loopControl(token, token.text);
        case 'else':
          return this.#else();
        case 'end':
          this.#cursor.expect('right-delim', 'end');
          return { kind: 'end' };
        case 'if':
        case 'range':
        case 'with':
          return this.#branch(token.text);
        case 'template':
          return this.#template();
        default:
      }
    }
    this.#cursor.next = start;
    const { offset } = this.#cursor.peekNonSpace();
    return { kind: 'action', offset, pipeline: this.#pipelines.parse('command', 'right-delim') };
  }

  #loopControl({ offset }: Token, kind: 'break' | 'continue'): Node {
    this.#cursor.expect('right-delim', `{{${kind}}}`);
    if (this.#rangeDepth === 0) this.#cursor.fail(`{{${kind}}} outside {{range}}`);
    return { kind, offset };
  }

  #else(): End {
    const { kind, text } = this.#cursor.peekNonSpace();
    if (kind === 'keyword' && (text === 'if' || text === 'with')) return { kind: 'else', continued: text };
    this.#cursor.expect('right-delim', 'else');
    return { kind: 'else', continued: null };
  }

  #branch(kind: Branch['kind']): Branch {
    this.#cursor.enter();
    const variableCount = this.#pipelines.variables.length;
    const pipeline = this.#pipelines.parse(kind, 'right-delim');
    if (kind === 'range') this.#rangeDepth++;
    const [body, end] = this.#itemList();
    if (kind === 'range') this.#rangeDepth--;
    const otherwise = end.kind === 'else' ? this.#otherwise(kind, end) : null;
    this.#pipelines.variables.length = variableCount;
    this.#cursor.leave();
    return { kind, offset: pipeline.offset, pipeline, body, otherwise };
  }

  /** `{{else if x}}` and (from Go 1.23 on) `{{else with x}}` share the `{{end}}` of what they continue. */
  #otherwise(kind: Branch['kind'], { continued }: End & { readonly kind: 'else' }): List {
    if (continued !== null) {
      const token = this.#cursor.nextNonSpace();
      if (continued !== kind) this.#cursor.unexpected(token, 'else');
      const branch = this.#branch(continued);
      return { kind: 'list', offset: branch.offset, nodes: [branch] };
    }
    const [list, end] = this.#itemList();
    if (end.kind !== 'end') this.#cursor.fail('expected end; found {{else}}');
    return list;
  }

  #block(): Node {
    const context = 'block clause';
    const token = this.#cursor.nextNonSpace();
    const name = this.#templateName(token, context);
    const pipeline = this.#pipelines.parse(context, 'right-delim');
    this.#cursor.enter();
    this.#add(name, this.#ownList(context));
    this.#cursor.leave();
    return { kind: 'template', offset: token.offset, name, pipeline };
  }

  #template(): Node {
    const context = 'template clause';
    const token = this.#cursor.nextNonSpace();
    const name = this.#templateName(token, context);
    const start = this.#cursor.next;
    if (this.#cursor.nextNonSpace().kind === 'right-delim')
      return { kind: 'template', offset: token.offset, name, pipeline: null };
    this.#cursor.next = start;
    return {
      kind: 'template',
      offset: token.offset,
      name,
      pipeline: this.#pipelines.parse(context, 'right-delim'),
    };
  }

  #templateName(token: Token, context: string): string {
    if (token.kind !== 'string' && token.kind !== 'raw-string')
      return this.#cursor.unexpected(token, context);
    return unquote(token.text) ?? this.#cursor.fail('invalid syntax');
  }
}
