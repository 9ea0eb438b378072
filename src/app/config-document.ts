import {
  LineCounter,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  parseDocument,
  type Document,
  type ParseOptions,
  type DocumentOptions,
  type SchemaOptions,
} from 'yaml';
import type { z } from 'zod';

/** One mistake in a configuration file. Lines and columns count from 1. */
export interface ConfigMistake {
  readonly line: number;
  readonly column: number;
  /** Where it is, such as `route.routes[2].group_wait`; empty for the whole file. */
  readonly path: string;
  readonly message: string;
}

export type ConfigPath = readonly PropertyKey[];

/** The text of a configuration file as YAML, which knows where each of its values stands. Touches nothing outside of the text. */
export class ConfigDocument {
  readonly #lines = new LineCounter();
  readonly #document: Document;

  constructor(
    text: string,
    options: Pick<SchemaOptions & DocumentOptions & ParseOptions, 'version' | 'stringKeys'> = {},
  ) {
    this.#document = parseDocument(text, {
      ...options,
      lineCounter: this.#lines,
      prettyErrors: false,
      uniqueKeys: true,
    });
  }

  /** Where the text is no YAML. */
  syntaxMistakes(): ConfigMistake[] {
    return this.#document.errors.map(({ pos, message }) => ({
      ...this.#position(pos[0]),
      path: '',
      message,
    }));
  }

  /** What the text says, as plain data; an empty object where it says nothing. */
  value(): unknown {
    return (this.#document.toJS({ maxAliasCount: 100 }) as unknown) ?? {};
  }

  /** The letters that stand for the scalar at `path`; undefined where there is none. */
  sourceOf(path: ConfigPath): string | undefined {
    const node = this.#document.getIn(path, true);
    return isScalar(node) ? node.source : undefined;
  }

  mistakeAt(path: ConfigPath, message: string, isKey = false): ConfigMistake {
    return { ...this.#position(this.#offsetOf(path, isKey)), path: formatPath(path), message };
  }

  /** What a schema found. `explainKey` says more of a key that the schema does not know. */
  mistakesOf(
    issues: readonly z.core.$ZodIssue[],
    explainKey: (path: ConfigPath) => string = () => 'unknown key',
  ): ConfigMistake[] {
    return issues.flatMap((issue) => {
      if (issue.code !== 'unrecognized_keys') return [this.mistakeAt(issue.path, issue.message)];
      return issue.keys.map((key) => {
        const path = [...issue.path, key];
        return this.mistakeAt(path, explainKey(path), true);
      });
    });
  }

  /** The offset of the value at `path`, or of the nearest place above it that the file does hold. */
  #offsetOf(path: ConfigPath, isKey: boolean): number {
    let node: unknown = this.#document.contents;
    let offset = isNode(node) ? (node.range?.[0] ?? 0) : 0;
    for (const [depth, step] of path.entries()) {
      if (isMap(node)) {
        const pair = node.items.find(
          (item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(step),
        );
        if (!pair) break;
        const wantsKey = isKey && depth === path.length - 1;
        const target: unknown = wantsKey || !isNode(pair.value) ? pair.key : pair.value;
        if (isNode(target)) offset = target.range?.[0] ?? offset;
        node = pair.value;
      } else if (isSeq(node) && typeof step === 'number') {
        node = node.items[step];
        if (isNode(node)) offset = node.range?.[0] ?? offset;
      } else break;
    }
    return offset;
  }

  #position(offset: number): { line: number; column: number } {
    const { line, col } = this.#lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  }
}

/** `file:line:column: path: message`, as compilers and editors write it. */
export function formatMistake(file: string, { line, column, path, message }: ConfigMistake): string {
  return `${file}:${line}:${column}: ${path === '' ? '' : `${path}: `}${message}`;
}

/** In the order in which they stand in the file. */
export function inOrder(mistakes: readonly ConfigMistake[]): ConfigMistake[] {
  return mistakes.toSorted((a, b) => a.line - b.line || a.column - b.column);
}

function formatPath(path: ConfigPath): string {
  return path
    .map((step, index) => (typeof step === 'number' ? `[${step}]` : `${index > 0 ? '.' : ''}${String(step)}`))
    .join('');
}
