import { attributeKind } from './html-attributes.ts';
import { contextAfterText, textContext, transition, type HtmlContext } from './html-context.ts';
import { escapeCss, filterCssValue } from './html-css.ts';
import { escapeUrl, filterFailsafe, filterSrcset, filterUrl, normalizeUrl } from './html-url.ts';

/** A text, and what its author vouches that it is. */
export interface Escapable {
  readonly text: string;
  readonly kind: 'plain' | 'template.HTML' | 'template.URL';
}

export type EscaperName =
  | 'html'
  | 'rcdata'
  | 'attribute'
  | 'unquoted'
  | 'name'
  | 'url-filter'
  | 'url-normalizer'
  | 'url'
  | 'srcset'
  | 'css'
  | 'css-value'
  | 'comment';

/** The escapers of html/template (html.go, url.go, css.go). */
export const escapers: Readonly<Record<EscaperName, (value: Escapable) => string>> = {
  html: ({ text, kind }) => (kind === 'template.HTML' ? text : replace(text, /[\0"&'+<>]/g)),
  rcdata: ({ text, kind }) => replace(text, kind === 'template.HTML' ? /[\0"'+<>]/g : /[\0"&'+<>]/g),
  attribute: ({ text, kind }) =>
    kind === 'template.HTML' ? replace(stripTags(text), /[\0"'+<>]/g) : replace(text, /[\0"&'+<>]/g),
  unquoted: ({ text, kind }) =>
    kind === 'template.HTML'
      ? replaceUnquoted(stripTags(text), /[\0\t\n\v\f\r "'+<=>`\ufdd0-\ufdef\ufff0-\uffff]/g)
      : replaceUnquoted(text, /[\0\t\n\v\f\r "&'+<=>`\ufdd0-\ufdef\ufff0-\uffff]/g),
  name: ({ text }) => {
    const name = text.toLowerCase();
    return /^[a-z0-9]+$/.test(name) && attributeKind(name) === 'plain' ? name : filterFailsafe;
  },
  'url-filter': ({ text, kind }) => (kind === 'template.URL' ? text : filterUrl(text)),
  'url-normalizer': ({ text }) => normalizeUrl(text),
  url: ({ text, kind }) => (kind === 'template.URL' ? normalizeUrl(text) : escapeUrl(text)),
  srcset: ({ text, kind }) =>
    kind === 'template.URL' ? normalizeUrl(text).replaceAll(',', '%2c') : filterSrcset(text),
  css: ({ text }) => escapeCss(text),
  'css-value': ({ text }) => filterCssValue(text),
  comment: () => '',
};

function replace(text: string, characters: RegExp): string {
  return text.replaceAll(characters, (character) =>
    character === '\0'
      ? '\ufffd'
      : character === '<'
        ? '&lt;'
        : character === '>'
          ? '&gt;'
          : reference(character),
  );
}

/** What the parsers of some mail readers and browsers do not take without quotes is a number, too. */
function replaceUnquoted(text: string, characters: RegExp): string {
  return text.replaceAll(characters, (character) => {
    if (character === '<') return '&lt;';
    if (character === '>') return '&gt;';
    if (character === '\0') return '&#xfffd;';
    return character > '\u00ff' ? `&#x${character.charCodeAt(0).toString(16)};` : reference(character);
  });
}

function reference(character: string): string {
  return character === '&' ? '&amp;' : `&#${character.charCodeAt(0)};`;
}

/** The text of a piece of HTML without its tags and comments. */
function stripTags(html: string): string {
  let context: HtmlContext = textContext;
  let out = '';
  let isAllText = true;
  for (let i = 0; i < html.length;) {
    const isInTag =
      context.state === 'tag' || context.state.startsWith('a') || context.state === 'before-value';
    const reading: HtmlContext =
      context.element !== '' && !isInTag ? { ...context, state: 'rcdata' } : context;
    const [next, length] =
      context.delim === '' ? transition(reading, html.slice(i)) : contextAfterText(context, html.slice(i));
    if (context.delim === '' && (context.state === 'text' || context.state === 'rcdata')) {
      const read = html.slice(i, i + length);
      out += next.state === context.state ? read : read.slice(0, Math.max(0, read.lastIndexOf('<')));
    } else isAllText = false;
    if (length === 0 && next.state === context.state) break;
    context = next;
    i += length;
  }
  return isAllText ? html : out;
}
