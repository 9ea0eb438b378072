import { LineCounter, isMap, isNode, isPair, isScalar, isSeq, parseDocument, type Document } from 'yaml';
import type { z } from 'zod';
import { crossCheck } from './config-checks.ts';
import { tocsinConfig, type TocsinConfig } from './config-schema.ts';

/** One mistake in a configuration file. Lines and columns count from 1. */
export interface ConfigMistake {
  readonly line: number;
  readonly column: number;
  /** Where it is, such as `route.routes[2].group_wait`; empty for the whole file. */
  readonly path: string;
  readonly message: string;
}

export type ConfigOutcome =
  | { readonly ok: true; readonly config: TocsinConfig }
  | { readonly ok: false; readonly mistakes: readonly ConfigMistake[] };

type Path = readonly PropertyKey[];

/** Reads and checks a whole configuration. Reports every mistake at once; touches nothing outside of `text`. */
export function parseConfig(text: string): ConfigOutcome {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  if (document.errors.length > 0) {
    return {
      ok: false,
      mistakes: document.errors.map((error) => ({
        ...position(lines, error.pos[0]),
        path: '',
        message: error.message,
      })),
    };
  }
  const result = tocsinConfig.safeParse(document.toJS({ maxAliasCount: 100 }) ?? {});
  if (!result.success)
    return {
      ok: false,
      mistakes: inOrder(result.error.issues.flatMap((issue) => locate(issue, document, lines))),
    };
  const mistakes = crossCheck(result.data).map(({ path, message }) => at(path, message, document, lines));
  return mistakes.length > 0 ? { ok: false, mistakes: inOrder(mistakes) } : { ok: true, config: result.data };
}

/** `file:line:column: path: message`, as compilers and editors write it. */
export function formatMistake(file: string, { line, column, path, message }: ConfigMistake): string {
  return `${file}:${line}:${column}: ${path === '' ? '' : `${path}: `}${message}`;
}

function locate(issue: z.core.$ZodIssue, document: Document, lines: LineCounter): ConfigMistake[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => at([...issue.path, key], 'unknown key', document, lines, true));
  }
  return [at(issue.path, issue.message, document, lines)];
}

function at(
  path: Path,
  message: string,
  document: Document,
  lines: LineCounter,
  isKey = false,
): ConfigMistake {
  return { ...position(lines, offsetOf(path, document, isKey)), path: formatPath(path), message };
}

/** The offset of the value at `path`, or of the nearest place above it that the file does hold. */
function offsetOf(path: Path, document: Document, isKey: boolean): number {
  let node: unknown = document.contents;
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

function position(lines: LineCounter, offset: number): { line: number; column: number } {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}

function formatPath(path: Path): string {
  return path
    .map((step, index) => (typeof step === 'number' ? `[${step}]` : `${index > 0 ? '.' : ''}${String(step)}`))
    .join('');
}

function inOrder(mistakes: readonly ConfigMistake[]): ConfigMistake[] {
  return mistakes.toSorted((a, b) => a.line - b.line || a.column - b.column);
}
