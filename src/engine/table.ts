/** A change of one row since the last checkpoint. `order` keeps insertion order across a restart; a deleted row has no `value`. */
export interface TableChange {
  readonly table: string;
  readonly key: string;
  readonly order: number;
  readonly value?: unknown;
}

/**
 * A stage's keyed state. Iterates in insertion order, which a checkpoint keeps, so that a restored fold walks its
 * rows in the same order as one that never stopped. Values are plain data (what structured clone would copy).
 * A value changed in place must be announced by `touch`, or the change is not checkpointed.
 */
export class Table<Value> {
  readonly name: string;
  readonly #rows = new Map<string, { order: number; value: Value }>();
  readonly #changed = new Set<string>();
  #nextOrder = 1;

  constructor(name: string) {
    this.name = name;
  }

  get size(): number {
    return this.#rows.size;
  }

  get(key: string): Value | undefined {
    return this.#rows.get(key)?.value;
  }

  has(key: string): boolean {
    return this.#rows.has(key);
  }

  set(key: string, value: Value): void {
    const row = this.#rows.get(key);
    if (row) row.value = value;
    else this.#rows.set(key, { order: this.#nextOrder++, value });
    this.#changed.add(key);
  }

  /** Announces that the value of `key` was changed in place. */
  touch(key: string): void {
    this.#changed.add(key);
  }

  delete(key: string): boolean {
    if (!this.#rows.delete(key)) return false;
    this.#changed.add(key);
    return true;
  }

  keys(): IterableIterator<string> {
    return this.#rows.keys();
  }

  *values(): IterableIterator<Value> {
    for (const row of this.#rows.values()) yield row.value;
  }

  *entries(): IterableIterator<[string, Value]> {
    for (const [key, row] of this.#rows) yield [key, row.value];
  }

  /** What changed since the last call. Cost follows the changes, not the size. */
  takeChanges(): TableChange[] {
    const changes: TableChange[] = [];
    for (const key of this.#changed) {
      const row = this.#rows.get(key);
      changes.push(
        row
          ? { table: this.name, key, order: row.order, value: row.value }
          : { table: this.name, key, order: 0 },
      );
    }
    this.#changed.clear();
    return changes;
  }

  /** Every live row, in the order of iteration. */
  rows(): { table: string; key: string; order: number; value: Value }[] {
    return Array.from(this.#rows, ([key, { order, value }]) => ({ table: this.name, key, order, value }));
  }

  /** Fills an empty table from checkpointed rows, given in any order. */
  load(rows: readonly { readonly key: string; readonly order: number; readonly value: Value }[]): void {
    for (const { key, order, value } of rows.toSorted((a, b) => a.order - b.order)) {
      this.#rows.set(key, { order, value });
      if (order >= this.#nextOrder) this.#nextOrder = order + 1;
    }
  }
}
