import { glob, readFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { compareCodePoints } from '../alert/index.ts';
import { TocsinError } from '../engine/index.ts';
import type { TemplateData } from './data.ts';
import { TemplateError } from './error.ts';
import { execute, plainOutput, type Output } from './execute.ts';
import { templateFunctions } from './functions.ts';
import { createHtmlOutput } from './html-output.ts';
import { calledNames, isEmptyList, type List, type Tree } from './node.ts';
import { parse } from './parse.ts';

/** Texts of the configuration are parsed once; there are as many as its templated fields. */
const cacheSize = 1000;

const functions = templateFunctions({ nowMs: () => Date.now() });
const functionNames: ReadonlySet<string> = new Set(functions.keys());

/** Templates that know each other by name: Alertmanager's defaults, and those of the operator's files. */
export class Templates {
  readonly #trees: ReadonlyMap<string, Tree>;
  readonly #parsed = new Map<string, ReadonlyMap<string, Tree>>();

  private constructor(trees: ReadonlyMap<string, Tree>) {
    this.#trees = trees;
  }

  static readonly empty = new Templates(new Map());

  /**
   * These and those that `text` defines, which replace others of their names. `file` is named in messages, and is itself the name of
   * what stands outside of definitions. Throws TOC_TEMPLATE_INVALID.
   */
  with(file: string, text: string): Templates {
    return new Templates(merge(this.#trees, parse(file, text, functionNames)));
  }

  /** Says what is wrong with a text that uses these templates, as far as can be told before it is rendered. Throws TOC_TEMPLATE_INVALID. */
  check(text: string): void {
    this.#parse(text);
  }

  /** The templates that a text needs, itself or through others, and that nothing defines: to render it would fail there. */
  undefinedIn(text: string): string[] {
    const trees = this.#parse(text);
    const seen = new Set(['']);
    // A set grows while it is walked: what a template calls is looked at in its turn.
    for (const name of seen)
      for (const called of calledNames(trees.get(name)?.root ?? nothing)) seen.add(called);
    return [...seen].filter((name) => name !== '' && !trees.has(name));
  }

  /** Renders a text of the configuration as text/template does. Throws TOC_TEMPLATE_INVALID and TOC_TEMPLATE_FAILED. */
  renderText(text: string, data: TemplateData): string {
    return text.includes('{{') ? this.#render(text, data, plainOutput) : text;
  }

  /** As `renderText`, but what actions write is escaped for the place in the HTML where it stands, as html/template does. */
  renderHtml(text: string, data: TemplateData): string {
    return this.#render(text, data, createHtmlOutput());
  }

  #render(text: string, data: TemplateData, output: Output): string {
    const trees = this.#parse(text);
    const tree = trees.get('');
    if (!tree) return '';
    return execute(tree, data, { functions, find: (name) => trees.get(name), output });
  }

  #parse(text: string): ReadonlyMap<string, Tree> {
    let trees = this.#parsed.get(text);
    if (!trees) {
      trees = merge(this.#trees, parse('', text, functionNames));
      if (this.#parsed.size >= cacheSize) this.#parsed.clear();
      this.#parsed.set(text, trees);
    }
    return trees;
  }
}

const nothing: List = { kind: 'list', offset: 0, nodes: [] };

/** A definition without content does not replace one that has some (text/template, AddParseTree). */
function merge(trees: ReadonlyMap<string, Tree>, added: readonly Tree[]): ReadonlyMap<string, Tree> {
  const merged = new Map(trees);
  for (const tree of added)
    if (!merged.has(tree.name) || !isEmptyList(tree.root)) merged.set(tree.name, tree);
  return merged;
}

let defaults: Templates | null = null;

/** Alertmanager's own templates: `slack.default.title`, `email.default.html` and so on. */
export function defaultTemplates(): Templates {
  defaults ??= ['default.tmpl', 'email.tmpl', 'later.tmpl'].reduce(
    (templates, file) => templates.with(file, readFileSync(new URL(file, import.meta.url), 'utf8')),
    Templates.empty,
  );
  return defaults;
}

/**
 * The default templates and those of the files that the patterns name (`templates` of Alertmanager's file), relative to `baseFolder`.
 * A pattern that no file matches is fine, as there. Rejects with TOC_CONFIG_INVALID, which names file, line and column, and with
 * TOC_CONFIG_UNREADABLE.
 */
export async function loadTemplates(globs: readonly string[], baseFolder: string): Promise<Templates> {
  let templates = defaultTemplates();
  for (const pattern of globs) {
    const files: string[] = [];
    for await (const file of glob(resolve(baseFolder, pattern))) files.push(file);
    for (const file of files.sort(compareCodePoints)) templates = withFile(templates, file, await read(file));
  }
  return templates;
}

function withFile(templates: Templates, file: string, text: string): Templates {
  try {
    return templates.with(basename(file), text);
  } catch (cause) {
    if (!(cause instanceof TemplateError)) throw cause;
    const { line, column } = cause.position;
    throw new TocsinError('TOC_CONFIG_INVALID', `${file}:${line}:${column}: ${cause.message}`, { cause });
  }
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new TocsinError('TOC_CONFIG_UNREADABLE', `cannot read the template file ${file}`, { cause });
  }
}
