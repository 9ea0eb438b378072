const spacePattern = /^\p{White_Space}$/u;

/** Whether Go's `unicode.IsSpace` takes `char` (one UTF-16 unit) as white space. */
export function isSpace(char: string): boolean {
  return spacePattern.test(char);
}

/** `text` without white space at both ends, as Go's `strings.TrimSpace`. */
export function trimSpace(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isSpace(text[start]!)) start++;
  while (end > start && isSpace(text[end - 1]!)) end--;
  return text.slice(start, end);
}
