/**
 * A change of one row since the last checkpoint. A deleted row has no `value`. `order` keeps insertion order across a restart: that of
 * a row which is new since then, or null for one that stays where it is.
 */
export interface TableChange {
  readonly table: string;
  readonly key: string;
  readonly order: number | null;
  readonly value?: unknown;
}

/**
 * A stage's keyed state. Iterates in insertion order, which a checkpoint keeps, so that a restored fold walks its
 * rows in the same order as one that never stopped. Values are plain data (what structured clone would copy).
 * No value is undefined. A value changed in place must be announced by `touch`, or the change is not checkpointed.
 */
export class Table<Value> {
  readonly name: string;
  readonly #rows = new Map<string, Value>();
  readonly #changed = new Set<string>();
  /** The places of rows that are new since the last checkpoint. Of older ones the checkpoint alone knows it. */
  #newOrders = new Map<string, number>();
  #nextOrder = 1;

  constructor(name: string) {
    this.name = name;
  }

  get size(): number {
    return this.#rows.size;
  }

  /** Rows that are new since the last checkpoint. */
  get newCount(): number {
    return this.#newOrders.size;
  }

  get(key: string): Value | undefined {
    return this.#rows.get(key);
  }

  has(key: string): boolean {
    return this.#rows.has(key);
  }

  set(key: string, value: Value): void {
    if (!this.#rows.has(key)) this.#newOrders.set(key, this.#nextOrder++);
    this.#rows.set(key, value);
    this.#changed.add(key);
  }

  /** Announces that the value of `key` was changed in place. */
  touch(key: string): void {
    this.#changed.add(key);
  }

  delete(key: string): boolean {
    if (!this.#rows.delete(key)) return false;
    this.#newOrders.delete(key);
    this.#changed.add(key);
    return true;
  }

  keys(): IterableIterator<string> {
    return this.#rows.keys();
  }

  values(): IterableIterator<Value> {
    return this.#rows.values();
  }

  entries(): IterableIterator<[string, Value]> {
    return this.#rows.entries();
  }

  /** What changed since the last call. Cost follows the changes, not the size. */
  takeChanges(): TableChange[] {
    const changes: TableChange[] = [];
    for (const key of this.#changed) {
      const order = this.#newOrders.get(key) ?? null;
      const value = this.#rows.get(key);
      changes.push({ table: this.name, key, order, ...(value === undefined ? {} : { value }) });
    }
    this.#changed.clear();
    this.#newOrders = new Map();
    return changes;
  }

  /**
   * Every live row in parts of `maxCount`, while rows may change between one part and the next: what changed after its part was given is
   * among the next changes, so that the parts and these together are what the table holds then.
   */
  *walk(maxCount: number): Generator<TableChange[]> {
    let part: TableChange[] = [];
    let order = 0;
    for (const [key, value] of this.#rows) {
      part.push({ table: this.name, key, order: ++order, value });
      if (part.length < maxCount) continue;
      yield part;
      part = [];
    }
    if (part.length > 0) yield part;
  }

  /** Every live row, in the order of iteration. */
  rows(): { table: string; key: string; order: number; value: Value }[] {
    return Array.from(this.#rows, ([key, value], index) => ({
      table: this.name,
      key,
      order: index + 1,
      value,
    }));
  }

  /** Fills an empty table from checkpointed rows, given in any order, with what `adopt` makes of their values. */
  load(
    rows: readonly { readonly key: string; readonly order: number; readonly value: Value }[],
    adopt: (value: Value) => Value = (value) => value,
  ): void {
    for (const { key, order, value } of rows.toSorted((a, b) => a.order - b.order)) {
      this.#rows.set(key, adopt(value));
      if (order >= this.#nextOrder) this.#nextOrder = order + 1;
    }
  }
}
