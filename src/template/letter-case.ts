const words = new Intl.Segmenter('en-US', { granularity: 'word' });

/** Each word with its first letter in upper case and the others in lower case, as golang.org/x/text/cases does for English. */
export function titleCase(text: string): string {
  let out = '';
  for (const { segment } of words.segment(text)) {
    const [, before = '', first = '', rest = ''] = /^(\P{L}*)(\p{L}?)([\s\S]*)$/u.exec(segment) ?? [];
    out += before + toUpper(first) + rest.toLowerCase();
  }
  return out;
}

/** As Go's strings.ToUpper: character by character, so that `ß` stays. */
export function toUpper(text: string): string {
  return text.replaceAll(/[^A-Z]/gu, (character) => {
    const upper = character.toUpperCase();
    return Array.from(upper).length === 1 ? upper : character;
  });
}

/** As Go's strings.ToLower. */
export function toLower(text: string): string {
  return text.replaceAll(/[^a-z]/gu, (character) => Array.from(character.toLowerCase())[0] ?? character);
}
