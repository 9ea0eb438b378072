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

/** Sorts by name; of names that became equal the last counts. */
function sortPairs(labels: readonly string[]): Labels {
  const byName = new Map<string, string>();
  for (let i = 0; i < labels.length; i += 2) byName.set(labels[i]!, labels[i + 1]!);
  return [...byName.keys()].sort(compareCodePoints).flatMap((name) => [name, byName.get(name)!]);
}
