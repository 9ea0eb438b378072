/** A binary heap: the item that is before all others is found at once, and taking or adding one costs the logarithm of how many there are. */
export class MinHeap<Item> {
  readonly #isBefore: (left: Item, right: Item) => boolean;
  #items: Item[];

  /** Takes `items` over as its own. `isBefore` is a strict order. */
  constructor(isBefore: (left: Item, right: Item) => boolean, items: Item[] = []) {
    this.#isBefore = isBefore;
    this.#items = items;
    for (let index = (items.length >> 1) - 1; index >= 0; index--) this.#sink(items[index]!, index);
  }

  get size(): number {
    return this.#items.length;
  }

  get first(): Item | undefined {
    return this.#items[0];
  }

  push(item: Item): void {
    const items = this.#items;
    let index = items.push(item) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.#isBefore(item, items[parent]!)) break;
      items[index] = items[parent]!;
      index = parent;
    }
    items[index] = item;
  }

  /** Takes the first item. */
  pop(): Item | undefined {
    const first = this.#items[0];
    const last = this.#items.pop();
    if (last !== undefined && this.#items.length > 0) this.#sink(last, 0);
    return first;
  }

  /** Puts `item` where `index` is free, or below. */
  #sink(item: Item, free: number): void {
    const items = this.#items;
    let index = free;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && this.#isBefore(items[child + 1]!, items[child]!)) child++;
      if (!this.#isBefore(items[child]!, item)) break;
      items[index] = items[child]!;
      index = child;
    }
    items[index] = item;
  }
}
