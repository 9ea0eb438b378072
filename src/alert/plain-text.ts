/**
 * A foreign text as one line for a terminal or a message: control characters (a label may hold escape sequences) and those that turn
 * the direction of writing are taken out, white space becomes one blank, and what is longer than `maxLength` is cut.
 */
export function plainText(text: string, maxLength = 300): string {
  const line = text
    .slice(0, 4 * maxLength)
    .toWellFormed()
    .replaceAll(/[\s\u2028\u2029]+/g, ' ')
    // oxlint-disable-next-line no-control-regex -- to take them out is the point
    .replaceAll(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '')
    .trim();
  return line.length <= maxLength ? line : `${line.slice(0, maxLength - 1).toWellFormed()}…`;
}
