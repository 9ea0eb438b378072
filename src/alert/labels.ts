/**
 * Labels as one flat list: `[name, value, name, value, ...]`, sorted by name, names unique, no empty value
 * (an empty value equals an absent label, as in Prometheus).
 *
 * A flat list keeps labels named `__proto__` harmless, has one order for hashing and comparing, and costs one
 * array a series. Build it with `createLabels`; never by hand.
 */
export type Labels = readonly string[];

export const emptyLabels: Labels = [];

/** Builds labels from name/value pairs in any order. Of a name given twice the last value counts; empty values are dropped. */
export function createLabels(pairs: Iterable<readonly [string, string]>): Labels {
  const byName = new Map<string, string>();
  for (const [name, value] of pairs) {
    if (value === '') byName.delete(name);
    else byName.set(name, value);
  }
  const names = [...byName.keys()].sort(compareCodePoints);
  const labels: string[] = [];
  for (const name of names) labels.push(name, byName.get(name) ?? '');
  return labels;
}

/** Labels of a plain object, such as `{ alertname: 'DiskFull' }`. */
export function labelsOf(object: Readonly<Record<string, string>>): Labels {
  return createLabels(Object.entries(object));
}

/** The value of `name`, or the empty string when the label is absent. */
export function labelValue(labels: Labels, name: string): string {
  for (let i = 0; i < labels.length; i += 2) if (labels[i] === name) return labels[i + 1] ?? '';
  return '';
}

/** The labels as a plain object for the wire. A label named `__proto__` stays an own property. */
export function labelsToObject(labels: Labels): Record<string, string> {
  const pairs: [string, string][] = [];
  for (const pair of labelPairs(labels)) pairs.push([pair[0], pair[1]]);
  return Object.fromEntries(pairs);
}

export function* labelPairs(labels: Labels): IterableIterator<readonly [name: string, value: string]> {
  for (let i = 0; i < labels.length; i += 2) yield [labels[i] ?? '', labels[i + 1] ?? ''];
}

/** `labels` with `name` set to `value`, or without it when `value` is empty. */
export function withLabel(labels: Labels, name: string, value: string): Labels {
  return createLabels([...labelPairs(labels), [name, value]]);
}

/** The names and values that all of them have. */
export function commonLabels(sets: readonly Labels[]): Labels {
  const [first = emptyLabels, ...others] = sets;
  return createLabels(
    [...labelPairs(first)].filter(([name, value]) =>
      others.every((labels) => labelValue(labels, name) === value),
    ),
  );
}

export function equalLabels(a: Labels, b: Labels): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/**
 * Orders strings by code point, which is the order of their UTF-8 bytes and therefore Go's and Alertmanager's.
 * JavaScript's own order is by UTF-16 unit and differs above U+FFFF.
 */
export function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return fixUp(x) - fixUp(y);
  }
  return a.length - b.length;
}

/** Moves surrogates above U+E000..U+FFFF so that units compare as the code points that they belong to. */
function fixUp(unit: number): number {
  if (unit >= 0xe000) return unit - 0x800;
  return unit >= 0xd800 ? unit + 0x2000 : unit;
}

/** Orders label sets by their first differing name or value, a shorter set before a longer one that begins with it. */
export function compareLabels(a: Labels, b: Labels): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const order = compareCodePoints(a[i] ?? '', b[i] ?? '');
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

/** Alertmanager's order of label sets (prometheus/common, model/labelset.go, `Before`): those of fewer labels first. */
export function compareBySize(a: Labels, b: Labels): number {
  return a.length - b.length || compareLabels(a, b);
}

/** Alertmanager's order of alerts (types/types.go, `AlertSlice`): by `job`, by `instance`, those without last, then as `compareBySize`. */
export function compareAsAlerts(a: Labels, b: Labels): number {
  for (const name of ['job', 'instance']) {
    const [x, y] = [labelValue(a, name), labelValue(b, name)];
    if (x === y) continue;
    if (x === '' || y === '') return x === '' ? 1 : -1;
    return compareCodePoints(x, y);
  }
  return compareBySize(a, b);
}
