import { mix } from './minhash.ts';

/** Bands of so many slots each: a pair of similarity s becomes a candidate with probability 1 - (1 - s^rows)^bands. */
export interface LshShape {
  readonly bands: number;
  readonly rows: number;
}

const leastRecall = 0.99;

/**
 * The shape for signatures of `length` slots: the most rows with which a pair right at `threshold` is found with a probability
 * of at least 0.99 (Leskovec, Rajaraman, Ullman: Mining of Massive Datasets, 3.4). At 0.8 and 128 slots: 21 bands of 6.
 */
export function lshShape(length: number, threshold: number): LshShape {
  let best: LshShape = { bands: length, rows: 1 };
  for (let rows = 2; rows <= length; rows++) {
    const bands = Math.floor(length / rows);
    if (1 - (1 - threshold ** rows) ** bands >= leastRecall) best = { bands, rows };
  }
  return best;
}

const none = -1;
const firstCapacity = 64;

/**
 * Signatures by the bands that they share, in flat arrays: a hash table with one entry per band and item, chained newest first.
 * Adding and removing cost one step per band; an item older than those before it in a chain walks past them.
 * What it finds depends on the items that are in and on nothing else, such as the order in which they were added.
 */
export class LshIndex<Item extends { readonly order: number }> {
  readonly #shape: LshShape;
  /** Of each shared band only this many items are looked at, the newest, so that one common band cannot slow down every look-up. */
  readonly #mostPerBand: number;
  /** The item of each handle; its entries are those from `handle * bands` on. */
  #items: (Item | null)[] = [];
  readonly #free: number[] = [];
  #heads = new Int32Array(0);
  #keys = new Int32Array(0);
  #next = new Int32Array(0);
  #previous = new Int32Array(0);
  #capacity = 0;

  constructor(shape: LshShape, mostPerBand = 32) {
    this.#shape = shape;
    this.#mostPerBand = mostPerBand;
    this.#grow(firstCapacity);
  }

  /** Adds an item and gives the handle by which to remove it. `scope` keeps apart what must never meet. */
  add(item: Item, scope: number, signature: ArrayLike<number>): number {
    const handle = this.#free.pop() ?? this.#items.length;
    if (handle >= this.#capacity) this.#grow(2 * this.#capacity);
    this.#items[handle] = item;
    const { bands } = this.#shape;
    for (let band = 0; band < bands; band++) {
      const entry = handle * bands + band;
      this.#keys[entry] = this.#bandKey(band, scope, signature);
      this.#link(entry, item.order);
    }
    return handle;
  }

  remove(handle: number): void {
    if (!this.#items[handle]) return;
    const { bands } = this.#shape;
    for (let entry = handle * bands; entry < (handle + 1) * bands; entry++) this.#unlink(entry);
    this.#items[handle] = null;
    this.#free.push(handle);
  }

  /** The items that share a band, each once, the oldest first. */
  candidates(scope: number, signature: ArrayLike<number>): Item[] {
    const { bands } = this.#shape;
    const found = new Set<Item>();
    for (let band = 0; band < bands; band++) {
      const key = this.#bandKey(band, scope, signature);
      let left = this.#mostPerBand;
      let entry = this.#heads[this.#chainOf(key)]!;
      for (; entry !== none && left > 0; entry = this.#next[entry]!) {
        if (this.#keys[entry] !== key) continue;
        found.add(this.#itemOf(entry));
        left--;
      }
    }
    return [...found].sort((a, b) => a.order - b.order);
  }

  #itemOf(entry: number): Item {
    return this.#items[Math.floor(entry / this.#shape.bands)]!;
  }

  /** Two to four chains per handle and band keep them short. */
  #chainOf(key: number): number {
    return key & (this.#heads.length - 1);
  }

  #link(entry: number, order: number): void {
    const chain = this.#chainOf(this.#keys[entry]!);
    let previous = none;
    let next = this.#heads[chain]!;
    while (next !== none && this.#itemOf(next).order > order) {
      previous = next;
      next = this.#next[next]!;
    }
    this.#previous[entry] = previous;
    this.#next[entry] = next;
    if (previous === none) this.#heads[chain] = entry;
    else this.#next[previous] = entry;
    if (next !== none) this.#previous[next] = entry;
  }

  #unlink(entry: number): void {
    const previous = this.#previous[entry]!;
    const next = this.#next[entry]!;
    if (previous === none) this.#heads[this.#chainOf(this.#keys[entry]!)] = next;
    else this.#next[previous] = next;
    if (next !== none) this.#previous[next] = previous;
  }

  #grow(capacity: number): void {
    const { bands } = this.#shape;
    const keys = this.#keys;
    this.#capacity = capacity;
    this.#keys = new Int32Array(capacity * bands);
    this.#keys.set(keys);
    this.#next = new Int32Array(capacity * bands);
    this.#previous = new Int32Array(capacity * bands);
    this.#heads = new Int32Array(2 ** Math.ceil(Math.log2(capacity * bands)) * 2).fill(none);
    const handles = this.#items.flatMap((item, handle) => (item ? [{ handle, order: item.order }] : []));
    for (const { handle, order } of handles.sort((a, b) => a.order - b.order)) {
      for (let entry = handle * bands; entry < (handle + 1) * bands; entry++) this.#link(entry, order);
    }
  }

  #bandKey(band: number, scope: number, signature: ArrayLike<number>): number {
    const { rows } = this.#shape;
    let hash = scope ^ Math.imul(band + 1, 0x9e3779b1);
    for (let slot = band * rows; slot < (band + 1) * rows; slot++) {
      hash = Math.imul(hash ^ (signature[slot] ?? 0), 0x01000193);
      hash ^= hash >>> 15;
    }
    return mix(hash) | 0;
  }
}
