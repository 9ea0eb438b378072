import { compileMatchers, matchesAll, type Labels, type Matcher } from '../alert/index.ts';
import type { SilenceBody } from '../incident/index.ts';

/** A silence in force, with its matchers ready to run. */
interface ActiveSilence {
  readonly id: string;
  readonly matchers: readonly Matcher[];
  /** The list that it stands in. */
  readonly bucket: Map<string, ActiveSilence>;
}

/**
 * The active silences, found by one of their equality matchers: an alert meets only the silences that ask for a label that it has,
 * and those that have no equality matcher at all. Among 10,000 silences for one instance each, an alert meets one.
 */
export class SilenceIndex {
  readonly #byId = new Map<string, ActiveSilence>();
  /** By label name, then by its value. */
  readonly #byLabel = new Map<string, Map<string, Map<string, ActiveSilence>>>();
  readonly #others = new Map<string, ActiveSilence>();

  /** Puts a silence in force. Its matchers must compile. */
  set({ id, matchers: texts }: SilenceBody): void {
    this.delete(id);
    const compiled = compileMatchers(texts);
    if (!compiled.ok) throw new Error(`silence ${id} was not checked: ${compiled.error}`);
    const { matchers } = compiled;
    const bucket = this.#bucketFor(matchers);
    const active: ActiveSilence = { id, matchers, bucket };
    bucket.set(id, active);
    this.#byId.set(id, active);
  }

  delete(id: string): void {
    this.#byId.get(id)?.bucket.delete(id);
    this.#byId.delete(id);
  }

  /** Ids of those that match, sorted. */
  matching(labels: Labels): string[] {
    const ids: string[] = [];
    if (this.#byId.size === 0) return ids;
    addMatching(this.#others, labels, ids);
    for (let i = 0; i < labels.length; i += 2) {
      const bucket = this.#byLabel.get(labels[i]!)?.get(labels[i + 1]!);
      if (bucket) addMatching(bucket, labels, ids);
    }
    return ids.sort();
  }

  isMatch(id: string, labels: Labels): boolean {
    const active = this.#byId.get(id);
    return active !== undefined && matchesAll(active.matchers, labels);
  }

  /** The emptiest list that the silence may stand in. */
  #bucketFor(matchers: readonly Matcher[]): Map<string, ActiveSilence> {
    let best: Map<string, ActiveSilence> | null = null;
    for (const { name, value, isEqual, isRegex } of matchers) {
      if (isRegex || !isEqual || value === '') continue;
      const bucket = getOrCreate(getOrCreate(this.#byLabel, name), value);
      if (!best || bucket.size < best.size) best = bucket;
    }
    return best ?? this.#others;
  }
}

function addMatching(bucket: ReadonlyMap<string, ActiveSilence>, labels: Labels, ids: string[]): void {
  for (const { id, matchers } of bucket.values()) if (matchesAll(matchers, labels)) ids.push(id);
}

function getOrCreate<Value>(maps: Map<string, Map<string, Value>>, key: string): Map<string, Value> {
  let map = maps.get(key);
  if (!map) maps.set(key, (map = new Map()));
  return map;
}
