/** What stands in place of a value that would be unsafe where it is (html/template): easy to find, and harmless everywhere. */
export const filterFailsafe = 'ZgotmplZ';

/** Relative, or of a scheme that cannot do anything: http, https, mailto. */
function isSafeUrl(url: string): boolean {
  const colon = url.indexOf(':');
  const scheme = colon === -1 ? '' : url.slice(0, colon);
  return colon === -1 || scheme.includes('/') || /^(?:https?|mailto)$/i.test(scheme);
}

export function filterUrl(url: string): string {
  return isSafeUrl(url) ? url : `#${filterFailsafe}`;
}

/** A part of a URL with every reserved character escaped. */
export function escapeUrl(text: string): string {
  return encodeBytes(text, /[A-Za-z0-9\-._~]/);
}

/** A URL with what is none escaped, and what is reserved or escaped already left alone. */
export function normalizeUrl(text: string): string {
  return text
    .split(/(%[0-9a-fA-F]{2})/)
    .map((part, index) => (index % 2 === 1 ? part : encodeBytes(part, /[A-Za-z0-9\-._~!#$&*+,/:;=?@[\]]/)))
    .join('');
}

function encodeBytes(text: string, kept: RegExp): string {
  return text.toWellFormed().replaceAll(/[\s\S]/gu, (character) => {
    if (kept.test(character)) return character;
    return [...Buffer.from(character)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
  });
}

/** A list of images and their sizes. */
export function filterSrcset(text: string): string {
  return text
    .split(',')
    .map((element) => {
      const [, before = '', url = '', after = ''] =
        /^([\t\n\f\r ]*)([^\t\n\f\r ]*)([\s\S]*)$/.exec(element) ?? [];
      const isFine = isSafeUrl(url) && /^[\t\n\f\r A-Za-z0-9]*$/.test(after);
      return isFine ? before + normalizeUrl(url) + after : `#${filterFailsafe}`;
    })
    .join(',');
}
