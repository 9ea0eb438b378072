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
/** Of an entry: its key, and the places of its neighbours in the chain. */
const fields = 3;
const next = 1;
const previous = 2;

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
  /** Key, next and previous of each entry side by side: in a big index each of them would cost a miss of its own. */
  #entries = new Int32Array(0);
  #capacity = 0;
  /** No item was younger than this. */
  #newest = -Infinity;
  /** The bands of the signature at hand. */
  readonly #asked: { readonly keys: Int32Array; readonly heads: Int32Array };

  constructor(shape: LshShape, mostPerBand = 32) {
    this.#shape = shape;
    this.#asked = { keys: new Int32Array(shape.bands), heads: new Int32Array(shape.bands) };
    this.#mostPerBand = mostPerBand;
    this.#grow(firstCapacity);
  }

  /** Adds an item and gives the handle by which to remove it. `scope` keeps apart what must never meet. */
  add(item: Item, scope: number, signature: ArrayLike<number>): number {
    const handle = this.#free.pop() ?? this.#items.length;
    if (handle >= this.#capacity) this.#grow(2 * this.#capacity);
    this.#items[handle] = item;
    const { bands } = this.#shape;
    const { keys } = this.#askedFor(scope, signature);
    const isNewest = item.order >= this.#newest;
    if (isNewest) this.#newest = item.order;
    for (let band = 0; band < bands; band++) {
      const entry = handle * bands + band;
      const key = keys[band]!;
      this.#entries[entry * fields] = key;
      // The head is asked for again: two bands of a signature may lie in one chain.
      if (isNewest) this.#linkBetween(entry, none, this.#heads[this.#chainOf(key)]!);
      else this.#link(entry, item.order);
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
    const { keys, heads } = this.#askedFor(scope, signature);
    const found = new Set<Item>();
    const entries = this.#entries;
    for (let band = 0; band < bands; band++) {
      const key = keys[band]!;
      let left = this.#mostPerBand;
      for (let entry = heads[band]!; entry !== none && left > 0; entry = entries[entry * fields + next]!) {
        if (entries[entry * fields] !== key) continue;
        found.add(this.#itemOf(entry));
        left--;
      }
    }
    return [...found].sort((a, b) => a.order - b.order);
  }

  /** The bands of a signature, with the heads of their chains. */
  #askedFor(
    scope: number,
    signature: ArrayLike<number>,
  ): { readonly keys: Int32Array; readonly heads: Int32Array } {
    const { bands } = this.#shape;
    const { keys, heads } = this.#asked;
    for (let band = 0; band < bands; band++) keys[band] = this.#bandKey(band, scope, signature);
    // In a loop of their own the processor waits for all heads at once, where in a big index each is a miss of the caches.
    for (let band = 0; band < bands; band++) heads[band] = this.#heads[this.#chainOf(keys[band]!)]!;
    return this.#asked;
  }

  #itemOf(entry: number): Item {
    return this.#items[Math.floor(entry / this.#shape.bands)]!;
  }

  /** One to two chains per handle and band keep them short; more would be memory to miss. */
  #chainOf(key: number): number {
    return key & (this.#heads.length - 1);
  }

  #link(entry: number, order: number): void {
    const entries = this.#entries;
    const chain = this.#chainOf(entries[entry * fields]!);
    let before = none;
    let after = this.#heads[chain]!;
    while (after !== none && this.#itemOf(after).order > order) {
      before = after;
      after = entries[after * fields + next]!;
    }
    this.#linkBetween(entry, before, after);
  }

  #linkBetween(entry: number, before: number, after: number): void {
    const entries = this.#entries;
    entries[entry * fields + previous] = before;
    entries[entry * fields + next] = after;
    if (before === none) this.#heads[this.#chainOf(entries[entry * fields]!)] = entry;
    else entries[before * fields + next] = entry;
    if (after !== none) entries[after * fields + previous] = entry;
  }

  #unlink(entry: number): void {
    const entries = this.#entries;
    const before = entries[entry * fields + previous]!;
    const after = entries[entry * fields + next]!;
    if (before === none) this.#heads[this.#chainOf(entries[entry * fields]!)] = after;
    else entries[before * fields + next] = after;
    if (after !== none) entries[after * fields + previous] = before;
  }

  #grow(capacity: number): void {
    const { bands } = this.#shape;
    const entries = new Int32Array(capacity * bands * fields);
    entries.set(this.#entries);
    this.#entries = entries;
    this.#capacity = capacity;
    this.#heads = new Int32Array(2 ** Math.ceil(Math.log2(capacity * bands))).fill(none);
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
