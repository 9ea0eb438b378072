import { labelPairs, labelValue, type Labels } from '../alert/index.ts';

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
  return [
    ...shortened(wordDifferences(before.text, after.text)),
    ...shortened(labelDifferences(before.labels, after.labels)),
  ].join(', ');
}

/** Word by word where both texts have as many words; else what lies between their common beginning and end. */
export function wordDifferences(before: string, after: string): string[] {
  if (before === after) return [];
  const [a, b] = [wordsOf(before), wordsOf(after)];
  if (a.length === b.length)
    return a.flatMap((word, i) => (word === b[i] ? [] : [`${cut(word)} -> ${cut(b[i]!)}`]));
  const shorter = Math.min(a.length, b.length);
  let start = 0;
  while (start < shorter && a[start] === b[start]) start++;
  let end = 0;
  while (end < shorter - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  const [one, two] = [a, b].map(
    (words) => cut(words.slice(start, words.length - end).join(' ')) || 'nothing',
  );
  return [`${one} -> ${two}`];
}

function labelDifferences(before: Labels, after: Labels): string[] {
  const shown: string[] = [];
  for (const [name, value] of labelPairs(after)) {
    const old = labelValue(before, name);
    if (old !== value) shown.push(`${name}: ${cut(old) || 'none'} -> ${cut(value)}`);
  }
  for (const [name, value] of labelPairs(before)) {
    if (labelValue(after, name) === '') shown.push(`${name}: ${cut(value)} -> none`);
  }
  return shown;
}

function shortened(shown: readonly string[]): readonly string[] {
  const rest = shown.length - maxShown;
  return rest <= 0 ? shown : [...shown.slice(0, maxShown), `${rest} more`];
}

function wordsOf(text: string): string[] {
  return text.split(/\s/).filter((word) => word !== '');
}

function cut(text: string): string {
  return text.length > maxShownLength ? `${text.slice(0, maxShownLength - 1)}…` : text;
}
