import { escapeHtml, queryEscape } from './builtins.ts';
import { CallError } from './error.ts';
import type { Output } from './execute.ts';
import { contextAfterText, isComment, textContext, valueState, type HtmlContext } from './html-context.ts';
import { escapers, type Escapable, type EscaperName } from './html-escape.ts';
import { nodeText, type Command, type Pipeline } from './node.ts';
import { print } from './print.ts';
import { SafeText, type GoValue } from './value.ts';

/**
 * Output as html/template has it: what actions write is escaped for where it stands, and comments are left out. The place is followed
 * while rendering and not, as in Go, worked out beforehand: a template whose branches end in different places is rendered here and
 * refused there. Actions within scripts are refused.
 */
export function createHtmlOutput(): Output {
  let context = textContext;
  return {
    text(text) {
      const [written, after] = escapeText(context, text);
      context = after;
      return written;
    },
    action(pipeline, evaluate) {
      context = nudge(context);
      checkPredefined(context, pipeline);
      return escapeAction(context, pipeline, evaluate);
    },
    end() {
      if (context.state !== 'text') throw new CallError(`ends in a non-text context: ${context.state}`);
    },
  };
}

/** Where an action stands that nothing introduces: a name within a tag, a value without quotes. */
function nudge(context: HtmlContext): HtmlContext {
  switch (context.state) {
    case 'tag':
      return { ...context, state: 'attribute-name' };
    case 'before-value':
      return { ...context, state: valueState(context), delim: 'space', attribute: '' };
    case 'after-name':
      return { ...context, state: 'attribute-name', attribute: '' };
    default:
      return context;
  }
}

type Predefined = 'html' | 'urlquery';

function predefinedIn({ operands: [first] }: Command): Predefined | null {
  if (first.kind !== 'identifier') return null;
  return first.name === 'html' || first.name === 'urlquery' ? first.name : null;
}

function checkPredefined({ state, delim }: HtmlContext, { commands }: Pipeline): void {
  for (const [index, command] of commands.entries()) {
    const name = predefinedIn(command);
    const isUnquoted = state === 'attribute' && delim === 'space' && name === 'html';
    if (name !== null && (index < commands.length - 1 || isUnquoted))
      throw new CallError(`predefined escaper "${name}" disallowed in template`);
  }
}

const equivalent: Partial<Record<EscaperName, Predefined>> = {
  attribute: 'html',
  html: 'html',
  rcdata: 'html',
  url: 'urlquery',
  'url-normalizer': 'urlquery',
};

/** A pipeline that ends in `html` or `urlquery` is not escaped twice: that function does the work of the escaper of its kind. */
function escapeAction(
  context: HtmlContext,
  pipeline: Pipeline,
  evaluate: (pipeline: Pipeline) => GoValue,
): string {
  const names = escapersFor(context, pipeline);
  const last = pipeline.commands.at(-1);
  const predefined = last ? predefinedIn(last) : null;
  if (!last || predefined === null || !names.some((name) => equivalent[name] === predefined))
    return names.reduce(applyEscaper, escapable(evaluate(pipeline))).text;
  const commands = pipeline.commands.slice(0, -1);
  const [operand, ...args] = last.operands;
  if (commands.length === 0 && args.length > 0)
    commands.push({
      ...last,
      operands: [{ kind: 'identifier', offset: operand.offset, name: 'print' }, ...args],
    });
  const start = commands.length === 0 ? null : evaluate({ ...pipeline, commands });
  return names.reduce<Escapable>((value, name) => {
    if (equivalent[name] !== predefined) return applyEscaper(value, name);
    return plain(predefined === 'html' ? escapeHtml(value.text) : queryEscape(value.text));
  }, escapable(start)).text;
}

function applyEscaper(value: Escapable, name: EscaperName): Escapable {
  return plain(escapers[name](value));
}

/** Nothing is written for nil. */
function escapable(value: GoValue): Escapable {
  if (value === null) return plain('');
  return value instanceof SafeText ? { text: value.text, kind: value.typeName } : plain(print(value));
}

function plain(text: string): Escapable {
  return { text, kind: 'plain' };
}

function escapersFor(context: HtmlContext, pipeline: Pipeline): EscaperName[] {
  const names = byState(context, pipeline);
  if (context.delim === 'space') names.push('unquoted');
  else if (context.delim !== '') names.push('attribute');
  return names;
}

function byState(context: HtmlContext, pipeline: Pipeline): EscaperName[] {
  switch (context.state) {
    case 'text':
      return ['html'];
    case 'rcdata':
      return ['rcdata'];
    case 'attribute':
      return [];
    case 'attribute-name':
      return ['name'];
    case 'srcset':
      return ['srcset'];
    case 'css':
      return ['css-value'];
    case 'js':
      throw new CallError(`{{${nodeText(pipeline)}}} stands in a script, where mails have nothing to say`);
    case 'url':
    case 'css-string"':
    case "css-string'":
    case 'css-url"':
    case "css-url'":
    case 'css-url': {
      if (context.urlPart === 'query') return ['url'];
      const own: EscaperName = context.state.startsWith('css-string') ? 'css' : 'url-normalizer';
      return context.urlPart === 'none' ? ['url-filter', own] : [own];
    }
    default:
      return ['comment'];
  }
}

/** The template's own text without comments, with a `<` that begins no tag escaped, and the place behind it. */
function escapeText(start: HtmlContext, text: string): [written: string, after: HtmlContext] {
  let context = start;
  let out = '';
  let written = 0;
  for (let i = 0; i < text.length;) {
    const [after, length] = contextAfterText(context, text.slice(i));
    const end = i + length;
    if (context.state === 'text' || context.state === 'rcdata') {
      const tagStart = after.state === context.state ? end : Math.max(i, text.lastIndexOf('<', end - 1));
      for (let j = text.indexOf('<', i); j !== -1 && j < tagStart; j = text.indexOf('<', j + 1)) {
        if (/^<!doctype/i.test(text.slice(j, j + 9))) continue;
        out += `${text.slice(written, j)}&lt;`;
        written = j + 1;
      }
    } else if (isComment(context) && context.delim === '') {
      if (context.state === 'css-block-comment') out += ' ';
      written = end;
    }
    if (after.state !== context.state && isComment(after) && after.delim === '') {
      out += text.slice(written, end - (after.state === 'comment' ? 4 : 2));
      written = end;
    }
    context = after;
    i = end;
  }
  return [isComment(context) && context.delim === '' ? out : out + text.slice(written), context];
}
