import { compareCodePoints, type Labels } from '../alert/index.ts';
import { clip, isObject, typeName } from './decode.ts';

export type LabelsOutcome =
  | { readonly ok: true; readonly labels: Labels }
  | { readonly ok: false; readonly error: string };

/**
 * Reads a JSON object of texts as labels: sorted, empty values and nulls left out, lone surrogates replaced (as Go's decoder
 * does). Any other name is a label's name, `__proto__` and such with NUL in it too. `path` names the object in errors, such as
 * `alerts[3].labels`. Nothing is allocated but the result when the names are in order already, as Go's encoder writes them.
 */
export function readLabels(value: unknown, path: string): LabelsOutcome {
  if (!isObject(value))
    return { ok: false, error: `${path}: expected an object of texts, got ${typeName(value)}` };
  const labels: string[] = [];
  let isSorted = true;
  let last = '';
  for (const key of Object.keys(value)) {
    const text = value[key];
    if (text === '' || text === null) continue;
    if (typeof text !== 'string')
      return { ok: false, error: `${path}.${clip(key)}: expected a string, got ${typeName(text)}` };
    if (key === '') return { ok: false, error: `${path}: expected names that are not empty, got ""` };
    const name = key.isWellFormed() ? key : key.toWellFormed();
    if (isSorted && last !== '' && compareCodePoints(last, name) >= 0) isSorted = false;
    last = name;
    labels.push(name, text.isWellFormed() ? text : text.toWellFormed());
  }
  return { ok: true, labels: isSorted ? labels : sortPairs(labels) };
}

/** More labels than this are sorted by a sort that no order of them can slow down. */
const maxInsertionCount = 32;

/** Sorts by name, in place where there are few; of names that became equal the last counts. */
function sortPairs(labels: string[]): Labels {
  if (labels.length > 2 * maxInsertionCount || !insertPairs(labels)) {
    const byName = new Map<string, string>();
    for (let i = 0; i < labels.length; i += 2) byName.set(labels[i]!, labels[i + 1]!);
    return [...byName.keys()].sort(compareCodePoints).flatMap((name) => [name, byName.get(name)!]);
  }
  return labels;
}

/** Insertion sort, stable; false as soon as two names are equal. */
function insertPairs(labels: string[]): boolean {
  for (let i = 2; i < labels.length; i += 2) {
    const name = labels[i]!;
    const value = labels[i + 1]!;
    let at = i;
    let order = 1;
    while (at > 0 && (order = compareCodePoints(labels[at - 2]!, name)) > 0) {
      labels[at] = labels[at - 2]!;
      labels[at + 1] = labels[at - 1]!;
      at -= 2;
    }
    labels[at] = name;
    labels[at + 1] = value;
    if (order === 0) return false;
  }
  return true;
}
