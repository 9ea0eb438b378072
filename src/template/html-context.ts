import { attributeKind } from './html-attributes.ts';
import { decodeCss, endsWithUrlKeyword } from './html-css.ts';
import { CallError } from './error.ts';
import { quote } from './literal.ts';

/** Where in HTML a writer is (html/template/context.go). Scripts are one state: actions are not allowed in them. */
export interface HtmlContext {
  readonly state: HtmlState;
  /** What ends the attribute's value: a quote, or blank and `>` (`space`). */
  readonly delim: '' | '"' | "'" | 'space';
  readonly urlPart: 'none' | 'before-query' | 'query';
  readonly element: '' | 'script' | 'style' | 'textarea' | 'title';
  /** Of the attribute at hand. */
  readonly attribute: '' | 'js' | 'script-type' | 'css' | 'url' | 'srcset';
}

export type HtmlState =
  | 'text'
  | 'tag'
  | 'attribute-name'
  | 'after-name'
  | 'before-value'
  | 'comment'
  | 'rcdata'
  | 'attribute'
  | 'url'
  | 'srcset'
  | 'js'
  | 'css'
  | 'css-string"'
  | "css-string'"
  | 'css-url"'
  | "css-url'"
  | 'css-url'
  | 'css-block-comment'
  | 'css-line-comment';

export const textContext: HtmlContext = {
  state: 'text',
  delim: '',
  urlPart: 'none',
  element: '',
  attribute: '',
};

export function isComment({ state }: HtmlContext): boolean {
  return state === 'comment' || state === 'css-block-comment' || state === 'css-line-comment';
}

type Step = readonly [context: HtmlContext, length: number];

const delimEnds = { '"': /"/, "'": /'/, space: /[ \t\n\f\r>]/ } as const;

/** Reads the beginning of `text` in `context`: where it leads to, and how much was read. Throws a `CallError` for broken HTML. */
export function contextAfterText(context: HtmlContext, text: string): Step {
  if (context.delim === '') {
    const end = specialTagEnd(context, text);
    if (end === 0) return [textContext, 0];
    return transition(context, end === -1 ? text : text.slice(0, end));
  }
  const found = text.search(delimEnds[context.delim]);
  const end = found === -1 ? text.length : found;
  const value = text.slice(0, end);
  const stray = context.delim === 'space' ? /["'<=`]/.exec(value) : null;
  if (stray) throw new CallError(`${quote(stray[0])} in unquoted attr: ${quote(value)}`);
  if (found === -1) {
    let after = context;
    for (let rest = unescapeHtml(text); rest !== '';) {
      const [next, length] = transition(after, rest);
      after = next;
      rest = rest.slice(length);
    }
    return [after, text.length];
  }
  const isOtherScript =
    context.state === 'attribute' && context.attribute === 'script-type' && !isScriptType(value);
  const element = isOtherScript ? '' : context.element;
  return [{ ...textContext, state: 'tag', element }, context.delim === 'space' ? end : end + 1];
}

/** One step of the state machine over text that no attribute's delimiter cuts. */
export function transition(context: HtmlContext, text: string): Step {
  switch (context.state) {
    case 'text':
      return afterText(context, text);
    case 'tag':
      return afterTag(context, text);
    case 'attribute-name': {
      const end = attributeNameEnd(text, 0);
      return [end === text.length ? context : { ...context, state: 'after-name' }, end];
    }
    case 'after-name': {
      const start = skipSpace(text, 0);
      if (start === text.length) return [context, start];
      if (text.charAt(start) !== '=') return [{ ...context, state: 'tag' }, start];
      return [{ ...context, state: 'before-value' }, start + 1];
    }
    case 'before-value':
      return afterBeforeValue(context, text);
    case 'comment': {
      const end = text.indexOf('-->');
      return end === -1 ? [context, text.length] : [textContext, end + 3];
    }
    case 'rcdata': {
      const end = specialTagEnd(context, text);
      return end === -1 ? [context, text.length] : [textContext, end];
    }
    case 'attribute':
    case 'js':
      return [context, text.length];
    case 'url':
    case 'srcset':
      return [afterUrl(context, text), text.length];
    case 'css':
      return afterCss(context, text);
    case 'css-block-comment': {
      const end = text.indexOf('*/');
      return end === -1 ? [context, text.length] : [{ ...context, state: 'css' }, end + 2];
    }
    case 'css-line-comment': {
      const end = text.search(/[\n\f\r]/);
      return end === -1 ? [context, text.length] : [{ ...context, state: 'css' }, end];
    }
    default:
      return afterCssString(context, text);
  }
}

function afterText(context: HtmlContext, text: string): Step {
  let from = 0;
  for (;;) {
    let i = text.indexOf('<', from);
    if (i === -1 || i + 1 === text.length) return [context, text.length];
    if (text.startsWith('<!--', i)) return [{ ...textContext, state: 'comment' }, i + 4];
    i++;
    const isEnd = text.charAt(i) === '/';
    if (isEnd && ++i === text.length) return [context, text.length];
    tagName.lastIndex = i;
    const name = tagName.exec(text)?.[0] ?? '';
    if (name !== '')
      return [{ ...textContext, state: 'tag', element: isEnd ? '' : elementOf(name) }, i + name.length];
    from = i;
  }
}

const tagName = /[a-zA-Z](?:[a-zA-Z0-9]|[:-][a-zA-Z0-9])*/y;

function elementOf(name: string): HtmlContext['element'] {
  const lower = name.toLowerCase();
  return lower === 'script' || lower === 'style' || lower === 'textarea' || lower === 'title' ? lower : '';
}

const contentStates = {
  '': 'text',
  script: 'js',
  style: 'css',
  textarea: 'rcdata',
  title: 'rcdata',
} as const;

function afterTag(context: HtmlContext, text: string): Step {
  const start = skipSpace(text, 0);
  if (start === text.length) return [context, start];
  if (text.charAt(start) === '>')
    return [{ ...textContext, state: contentStates[context.element], element: context.element }, start + 1];
  const end = attributeNameEnd(text, start);
  if (end === start)
    throw new CallError(`expected space, attr name, or end of tag, but got ${quote(text.slice(start))}`);
  const name = text.slice(start, end).toLowerCase();
  return [
    {
      ...textContext,
      state: end === text.length ? 'attribute-name' : 'after-name',
      element: context.element,
      attribute: context.element === 'script' && name === 'type' ? 'script-type' : specialAttribute(name),
    },
    end,
  ];
}

function specialAttribute(name: string): HtmlContext['attribute'] {
  const kind = attributeKind(name);
  return kind === 'url' || kind === 'css' || kind === 'js' || kind === 'srcset' ? kind : '';
}

/** The state of a value of the attribute at hand. */
export function valueState({ attribute }: HtmlContext): HtmlState {
  return attribute === '' || attribute === 'script-type' ? 'attribute' : attribute;
}

function afterBeforeValue(context: HtmlContext, text: string): Step {
  const start = skipSpace(text, 0);
  if (start === text.length) return [context, start];
  const mark = text.charAt(start);
  const isQuoted = mark === '"' || mark === "'";
  return [
    { ...context, state: valueState(context), delim: isQuoted ? mark : 'space' },
    isQuoted ? start + 1 : start,
  ];
}

function afterUrl(context: HtmlContext, text: string): HtmlContext {
  if (/[#?]/.test(text)) return { ...context, urlPart: 'query' };
  const isBlank = skipSpace(text, 0) === text.length;
  return isBlank || context.urlPart !== 'none' ? context : { ...context, urlPart: 'before-query' };
}

function afterCss(context: HtmlContext, text: string): Step {
  for (const { 0: mark, index } of text.matchAll(/[("'/]/g)) {
    const next = text.charAt(index + 1);
    if (mark === '"' || mark === "'") return [{ ...context, state: `css-string${mark}` }, index + 1];
    if (mark === '/' && next === '/') return [{ ...context, state: 'css-line-comment' }, index + 2];
    if (mark === '/' && next === '*') return [{ ...context, state: 'css-block-comment' }, index + 2];
    if (mark !== '(' || !endsWithUrlKeyword(text.slice(0, index).trimEnd())) continue;
    const start = skipSpace(text, index + 1);
    const quoted = text.charAt(start);
    if (quoted === '"' || quoted === "'") return [{ ...context, state: `css-url${quoted}` }, start + 1];
    return [{ ...context, state: 'css-url' }, start];
  }
  return [context, text.length];
}

function afterCssString(context: HtmlContext, text: string): Step {
  const end = context.state.endsWith('"')
    ? /["\\]/
    : context.state.endsWith("'")
      ? /['\\]/
      : /[\\\t\n\f\r )]/;
  let after = context;
  let from = 0;
  for (;;) {
    const found = text.slice(from).search(end);
    if (found === -1) return [afterUrl(after, decodeCss(text.slice(from))), text.length];
    const i = from + found;
    if (text.charAt(i) !== '\\') return [{ ...after, state: 'css' }, i + 1];
    if (i + 1 === text.length)
      throw new CallError(`unfinished escape sequence in CSS string: ${quote(text)}`);
    after = afterUrl(after, decodeCss(text.slice(0, i + 2)));
    from = i + 2;
  }
}

/** Where `</title>` or the like of the element begins, or -1. */
function specialTagEnd({ element }: HtmlContext, text: string): number {
  if (element === '') return -1;
  return text.search(specialTagEnds[element]);
}

const specialTagEnds = {
  script: /<\/script[> \t\n\f/]/i,
  style: /<\/style[> \t\n\f/]/i,
  textarea: /<\/textarea[> \t\n\f/]/i,
  title: /<\/title[> \t\n\f/]/i,
} as const;

function attributeNameEnd(text: string, start: number): number {
  const found = text.slice(start).search(/[ \t\n\f\r=>'"<]/);
  if (found === -1) return text.length;
  const mark = text.charAt(start + found);
  if (mark === "'" || mark === '"' || mark === '<')
    throw new CallError(`${quote(mark)} in attribute name: ${quote(text.slice(0, 32))}`);
  return start + found;
}

function skipSpace(text: string, start: number): number {
  let i = start;
  while (i < text.length && ' \t\n\f\r'.includes(text.charAt(i))) i++;
  return i;
}

function isScriptType(value: string): boolean {
  const type = (value.split(';')[0] ?? '').trim().toLowerCase();
  return /^(?:module|application\/(?:x-)?(?:ecma|java)script|application\/(?:ld\+)?json|text\/(?:x-)?(?:ecmascript|javascript(?:1\.[0-5])?|jscript|livescript))$/.test(
    type,
  );
}

const namedEntities: Readonly<Record<string, string>> = {
  lt: '<',
  gt: '>',
  amp: '&',
  quot: '"',
  apos: "'",
  nbsp: '\u00a0',
  num: '#',
  quest: '?',
};

/** Enough of HTML's entities to follow what an attribute's value means: numbers, and names that matter to URLs and CSS. */
function unescapeHtml(text: string): string {
  return text.replaceAll(
    /&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|([a-z]+));?/gi,
    (all, hex: string | undefined, decimal: string | undefined, name: string | undefined) => {
      if (name !== undefined) return namedEntities[name] ?? all;
      const point = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
      return point > 0 && point <= 0x10ffff ? String.fromCodePoint(point) : '\ufffd';
    },
  );
}
