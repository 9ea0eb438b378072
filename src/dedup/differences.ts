import type { Labels } from '../alert/index.ts';

const maxShown = 4;
const maxShownLength = 60;

/** A text with its labels. */
export interface Told {
  readonly text: string;
  readonly labels: Labels;
}

/**
 * What differs between two alerts that were taken as one, for people: words of their texts (`12 -> 91`), then labels
 * (`pod: web-1 -> web-2`). Up to four of each are shown. Empty when they say the same.
 */
export function differencesOf(before: Told, after: Told): string {
  const words = listed(wordDifferences(before.text, after.text));
  const labels = listed(labelDifferences(before.labels, after.labels));
  return words === '' || labels === '' ? words + labels : `${words}, ${labels}`;
}

/** Word by word where both texts have as many words; else what lies between their common beginning and end. */
export function wordDifferences(before: string, after: string): string[] {
  if (before === after) return [];
  const differences: string[] = [];
  let [a, b] = [wordStart(before, 0), wordStart(after, 0)];
  while (a < before.length && b < after.length) {
    const [aEnd, bEnd] = [wordEnd(before, a), wordEnd(after, b)];
    if (!isEqual(before, a, aEnd, after, b, bEnd))
      differences.push(`${cut(before.slice(a, aEnd))} -> ${cut(after.slice(b, bEnd))}`);
    [a, b] = [wordStart(before, aEnd), wordStart(after, bEnd)];
  }
  return a < before.length || b < after.length ? [middleDifference(before, after)] : differences;
}

function middleDifference(before: string, after: string): string {
  const [a, b] = [before, after].map((text) => text.split(/\s/).filter((word) => word !== '')) as [
    string[],
    string[],
  ];
  const shorter = Math.min(a.length, b.length);
  let start = 0;
  while (start < shorter && a[start] === b[start]) start++;
  let end = 0;
  while (end < shorter - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  const [one, two] = [a, b].map(
    (words) => cut(words.slice(start, words.length - end).join(' ')) || 'nothing',
  );
  return `${one} -> ${two}`;
}

/** Both lists are in the order of their names. */
function labelDifferences(before: Labels, after: Labels): string[] {
  const differences: string[] = [];
  for (let a = 0, b = 0; a < before.length || b < after.length;) {
    const [old, name] = [before[a], after[b]];
    if (old === name) {
      if (before[a + 1] !== after[b + 1])
        differences.push(`${name}: ${cut(before[a + 1]!)} -> ${cut(after[b + 1]!)}`);
      a += 2;
      b += 2;
    } else if (name === undefined || (old !== undefined && old < name)) {
      differences.push(`${old}: ${cut(before[a + 1]!)} -> none`);
      a += 2;
    } else {
      differences.push(`${name}: none -> ${cut(after[b + 1]!)}`);
      b += 2;
    }
  }
  return differences;
}

function listed(differences: readonly string[]): string {
  const rest = differences.length - maxShown;
  return rest <= 0 ? differences.join(', ') : `${differences.slice(0, maxShown).join(', ')}, ${rest} more`;
}

function wordStart(text: string, from: number): number {
  let position = from;
  while (position < text.length && isSpace(text.charCodeAt(position))) position++;
  return position;
}

function wordEnd(text: string, from: number): number {
  let position = from;
  while (position < text.length && !isSpace(text.charCodeAt(position))) position++;
  return position;
}

function isEqual(a: string, aStart: number, aEnd: number, b: string, bStart: number, bEnd: number): boolean {
  if (aEnd - aStart !== bEnd - bStart) return false;
  for (let i = 0; i < aEnd - aStart; i++) {
    if (a.charCodeAt(aStart + i) !== b.charCodeAt(bStart + i)) return false;
  }
  return true;
}

function isSpace(unit: number): boolean {
  return unit === 32 || (unit >= 9 && unit <= 13);
}

function cut(text: string): string {
  return text.length > maxShownLength ? `${text.slice(0, maxShownLength - 1)}…` : text;
}
