import { filterFailsafe } from './html-url.ts';

/** Whether a style ends in the keyword `url`, and in no longer word. */
export function endsWithUrlKeyword(text: string): boolean {
  return /(?:^|[^\w\u0080-\ufffd-])url$/i.test(text);
}

/** A text of CSS with its escapes resolved (CSS Syntax 3, 4.3.7). */
export function decodeCss(text: string): string {
  return text.replaceAll(
    /\\(?:([0-9a-fA-F]{1,6})(?:\r\n|[\t\n\f\r ])?|([\s\S])|$)/gu,
    (_all, hex: string | undefined, character: string | undefined) => {
      if (hex === undefined) return character ?? '';
      const point = Number.parseInt(hex, 16);
      return point <= 0x10ffff ? String.fromCodePoint(point) : '\ufffd';
    },
  );
}

/** Lets harmless values of a style through, and nothing that ends a declaration or may run a script. */
export function filterCssValue(text: string): string {
  const decoded = decodeCss(text);
  // oxlint-disable-next-line no-control-regex -- NUL has no place in a style
  if (/[\0"'()/;@[\\\]`{}]|--/.test(decoded)) return filterFailsafe;
  const word = decoded.replaceAll(/[^a-zA-Z0-9_-]/g, '').toLowerCase();
  return /expression|mozbinding/.test(word) ? filterFailsafe : decoded;
}

/** A text within a string of a style. */
export function escapeCss(text: string): string {
  // oxlint-disable-next-line no-control-regex -- these are the ones to be escaped
  return text.replaceAll(
    /([\0\t\n\f\r"&'()+/:;<>{}])(?=([0-9a-fA-F\t\n\f\r ]|$)?)|\\/g,
    (character, mark, next) => {
      if (mark === undefined) return '\\\\';
      const code = `\\${character.charCodeAt(0).toString(16)}`;
      return next === undefined ? code : `${code} `;
    },
  );
}
