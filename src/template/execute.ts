import { CallError, positionIn, TemplateError } from './error.ts';
import { evaluatePipeline, type Evaluation } from './evaluate.ts';
import { maxDepth, maxStepCount, maxTextLength, tooLong } from './limits.ts';
import { quote } from './literal.ts';
import {
  nodeText,
  type Branch,
  type Command,
  type List,
  type Node,
  type Operand,
  type Pipeline,
  type Tree,
} from './node.ts';
import { print } from './print.ts';
import { GoList, GoMap, isTrue, type GoFunction, type GoValue } from './value.ts';

/** Makes of what a template says the text that is written. */
export interface Output {
  /** A piece of the template itself. */
  text(text: string): string;
  /** The value of an action. `evaluate` gives the value of a pipeline, which may be another than the action's. */
  action(pipeline: Pipeline, evaluate: (pipeline: Pipeline) => GoValue): string;
  /** All is written. Throws a `CallError` where it may not end like this. */
  end(): void;
}

/** Output as text/template has it: nothing is escaped. */
export const plainOutput: Output = {
  text: (text) => text,
  action(pipeline, evaluate) {
    const value = evaluate(pipeline);
    return value === null ? '<no value>' : print(value);
  },
  end: () => undefined,
};

export interface ExecuteOptions {
  readonly functions: ReadonlyMap<string, GoFunction>;
  readonly find: (name: string) => Tree | undefined;
  readonly output: Output;
}

/**
 * Renders a template with `data` as its dot and `$`. Throws a `TemplateError` (TOC_TEMPLATE_FAILED) with Go's message, also where
 * the rendering takes more steps, depth or memory than any real template (limits.ts).
 */
export function execute(tree: Tree, data: GoValue, options: ExecuteOptions): string {
  return new Execution(options).run(tree, data);
}

/** What a walk over nodes came to: on to the next, or out of the loop around it. */
type Walked = 'next' | 'break' | 'continue';

interface Frame {
  readonly tree: Tree;
  readonly variables: { readonly name: string; value: GoValue }[];
}

class Execution implements Evaluation {
  readonly functions: ReadonlyMap<string, GoFunction>;
  readonly #find: ExecuteOptions['find'];
  readonly #output: Output;
  readonly #pieces: string[] = [];
  #length = 0;
  #stepCount = 0;
  #depth = 0;
  #node: Operand | Command | Node | List | null = null;
  #frame: Frame | null = null;
  /** How large a list or map is with all that it holds. */
  readonly #weights = new WeakMap<object, number>();

  constructor({ functions, find, output }: ExecuteOptions) {
    this.functions = functions;
    this.#find = find;
    this.#output = output;
  }

  run(tree: Tree, data: GoValue): string {
    try {
      this.#walkTree(tree, data);
      this.#frame = { tree, variables: [] };
      this.at(tree.root);
      this.#outputOf(() => this.#output.end());
    } catch (error) {
      // Whatever escapes the limits ends in V8's own, which this is.
      if (error instanceof RangeError) this.fail('it needs more memory than there is', error);
      throw error;
    }
    return this.#pieces.join('');
  }

  at(node: Operand | Command | Node | List): void {
    this.#node = node;
  }

  fail(message: string, cause?: unknown): never {
    const tree = this.#frame?.tree ?? {
      name: '',
      source: '',
      text: '',
      root: { kind: 'list', offset: 0, nodes: [] },
    };
    const node = this.#node ?? tree.root;
    const position = positionIn(tree.source, tree.text, node.offset);
    const lineStart = node.offset - (position.column - 1);
    const bytes = Buffer.byteLength(tree.text.slice(lineStart, node.offset));
    throw new TemplateError(
      'TOC_TEMPLATE_FAILED',
      `template: ${tree.source}:${position.line}:${bytes}: executing ${quote(tree.name)} at <${nodeText(node)}>: ${message}`,
      position,
      { cause },
    );
  }

  step(): void {
    if (++this.#stepCount > maxStepCount) this.fail(`it takes more than ${maxStepCount} steps`);
  }

  enter(): void {
    if (++this.#depth > maxDepth) this.fail(`exceeded maximum template depth (${maxDepth})`);
  }

  leave(): void {
    this.#depth--;
  }

  checked(value: GoValue, name: string): GoValue {
    if (this.#weigh(value) > maxTextLength) this.fail(`error calling ${name}: ${tooLong}`);
    return value;
  }

  variable(name: string): GoValue {
    const found = this.#frame?.variables.findLast((variable) => variable.name === name);
    return found ? found.value : this.fail(`undefined variable: ${name}`);
  }

  declare(name: string, value: GoValue): void {
    this.#frame?.variables.push({ name, value });
  }

  assign(name: string, value: GoValue): void {
    const found = this.#frame?.variables.findLast((variable) => variable.name === name);
    if (!found) this.fail(`undefined variable: ${name}`);
    found.value = value;
  }

  #weigh(value: GoValue): number {
    if (typeof value === 'string') return value.length;
    if (!(value instanceof GoList) && !(value instanceof GoMap)) return 1;
    let weight = this.#weights.get(value);
    if (weight === undefined) {
      weight = 1;
      const items = value instanceof GoList ? value.items : value.entries.values();
      for (const item of items) weight += this.#weigh(item);
      this.#weights.set(value, weight);
    }
    return weight;
  }

  #walkTree(tree: Tree, dot: GoValue): void {
    const outer = this.#frame;
    this.#frame = { tree, variables: [{ name: '$', value: dot }] };
    this.#walkList(dot, tree.root);
    this.#frame = outer;
  }

  #walkList(dot: GoValue, { nodes }: List): Walked {
    for (const node of nodes) {
      const walked = this.#walk(dot, node);
      if (walked !== 'next') return walked;
    }
    return 'next';
  }

  #walk(dot: GoValue, node: Node): Walked {
    this.step();
    this.at(node);
    switch (node.kind) {
      case 'text':
        this.#write(this.#outputOf(() => this.#output.text(node.text)));
        return 'next';
      case 'action':
        this.#walkAction(dot, node.pipeline);
        return 'next';
      case 'break':
      case 'continue':
        return node.kind;
      case 'template':
        this.#walkTemplate(dot, node.name, node.pipeline);
        return 'next';
      case 'range':
        return this.#scoped(() => this.#walkRange(dot, node));
      default:
        return this.#scoped(() => this.#walkCondition(dot, node));
    }
  }

  #walkAction(dot: GoValue, pipeline: Pipeline): void {
    if (pipeline.variables.length > 0) {
      evaluatePipeline(this, dot, pipeline);
      return;
    }
    this.#write(
      this.#outputOf(() =>
        this.#output.action(pipeline, (pipeline) => evaluatePipeline(this, dot, pipeline)),
      ),
    );
  }

  /** Variables live until the end of the block that declares them. */
  #scoped<T>(walk: () => T): T {
    this.enter();
    const variables = this.#frame?.variables ?? [];
    const count = variables.length;
    const walked = walk();
    variables.length = count;
    this.leave();
    return walked;
  }

  #walkCondition(dot: GoValue, { kind, pipeline, body, otherwise }: Branch): Walked {
    const value = evaluatePipeline(this, dot, pipeline);
    if (isTrue(value)) return this.#walkList(kind === 'with' ? value : dot, body);
    return otherwise ? this.#walkList(dot, otherwise) : 'next';
  }

  #walkRange(dot: GoValue, { pipeline, body, otherwise }: Branch): Walked {
    const value = evaluatePipeline(this, dot, pipeline);
    const variables = this.#frame?.variables ?? [];
    const mark = variables.length;
    let isEmpty = true;
    for (const [key, item] of this.#elements(value)) {
      isEmpty = false;
      this.step();
      this.#setLoopVariables(pipeline, key, item);
      const walked = this.#walkList(item, body);
      variables.length = mark;
      if (walked === 'break') break;
    }
    return isEmpty && otherwise ? this.#walkList(dot, otherwise) : 'next';
  }

  #setLoopVariables({ variables, isAssignment }: Pipeline, key: GoValue, item: GoValue): void {
    const values = variables.length > 1 ? [key, item] : [item];
    for (const [index, name] of variables.entries()) {
      const value = values[index] ?? null;
      const own = this.#frame?.variables.at(index - variables.length);
      if (isAssignment) this.assign(name, value);
      else if (own) own.value = value;
    }
  }

  *#elements(value: GoValue): Iterable<readonly [GoValue, GoValue]> {
    if (value === null) return;
    if (value instanceof GoList) {
      for (const [index, item] of value.items.entries()) yield [BigInt(index), item];
    } else if (value instanceof GoMap) yield* value.entries;
    else if (typeof value === 'bigint') for (let i = 0n; i < value; i++) yield [i, i];
    else this.fail(`range can't iterate over ${print(value)}`);
  }

  #walkTemplate(dot: GoValue, name: string, pipeline: Pipeline | null): void {
    const tree = this.#find(name);
    if (!tree) return this.fail(`template ${quote(name)} not defined`);
    this.enter();
    this.#walkTree(tree, pipeline ? evaluatePipeline(this, dot, pipeline) : null);
    this.leave();
  }

  #outputOf<T>(make: () => T): T {
    try {
      return make();
    } catch (error) {
      if (error instanceof CallError) this.fail(error.message);
      throw error;
    }
  }

  #write(text: string): void {
    this.#length += text.length;
    if (this.#length > maxTextLength) this.fail(tooLong);
    this.#pieces.push(text);
  }
}
