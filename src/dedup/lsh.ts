import { mix } from './minhash.ts';

/** Bands and rows of an index: a pair of similarity s becomes a candidate with probability 1 - (1 - s^rows)^bands. */
export interface LshShape {
  readonly bands: number;
  readonly rows: number;
}

/**
 * The most rows, among those that divide `length`, with which a pair exactly at `threshold` is still found with a
 * probability of at least 0.98 (Leskovec, Rajaraman, Ullman: Mining of Massive Datasets, 3.4).
 */
export function lshShape(length: number, threshold: number): LshShape {
  let best: LshShape = { bands: length, rows: 1 };
  for (let rows = 1; rows <= length; rows++) {
    if (length % rows !== 0) continue;
    const bands = length / rows;
    if (1 - (1 - threshold ** rows) ** bands >= 0.98) best = { bands, rows };
  }
  return best;
}

/**
 * Finds signatures that may be similar. Inserting, removing and looking up cost the number of bands, however many signatures
 * are in. What it finds has to be compared: two different bands may share a bucket.
 */
export class LshIndex {
  readonly #shape: LshShape;
  readonly #buckets = new Map<number, string[]>();

  constructor(shape: LshShape) {
    this.#shape = shape;
  }

  /** `scope` is a number that keeps signatures apart that are never to be compared. */
  add(id: string, scope: number, signature: ArrayLike<number>): void {
    for (let band = 0; band < this.#shape.bands; band++) {
      const key = this.#key(band, scope, signature);
      const bucket = this.#buckets.get(key);
      if (bucket) bucket.push(id);
      else this.#buckets.set(key, [id]);
    }
  }

  remove(id: string, scope: number, signature: ArrayLike<number>): void {
    for (let band = 0; band < this.#shape.bands; band++) {
      const key = this.#key(band, scope, signature);
      const rest = this.#buckets.get(key)?.filter((member) => member !== id);
      if (!rest) continue;
      if (rest.length > 0) this.#buckets.set(key, rest);
      else this.#buckets.delete(key);
    }
  }

  /** Ids that share a bucket with the signature, each once. */
  candidates(scope: number, signature: ArrayLike<number>): ReadonlySet<string> {
    const found = new Set<string>();
    for (let band = 0; band < this.#shape.bands; band++) {
      for (const id of this.#buckets.get(this.#key(band, scope, signature)) ?? []) found.add(id);
    }
    return found;
  }

  /** A bucket's number, of 53 bits. */
  #key(band: number, scope: number, signature: ArrayLike<number>): number {
    const { rows } = this.#shape;
    let high = scope;
    let low = Math.imul(scope, 0x85ebca6b) + band;
    for (let row = band * rows; row < (band + 1) * rows; row++) {
      high = Math.imul(high ^ signature[row]!, 0x01000193);
      low = Math.imul(low ^ signature[row]!, 0xc2b2ae35) + row;
    }
    return (mix(high) >>> 11) * 0x1_0000_0000 + mix(low);
  }
}
