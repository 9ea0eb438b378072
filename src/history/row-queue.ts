/** A row on its way: its table and its line of JSON. */
export interface QueuedRow {
  readonly table: string;
  readonly line: string;
}

/** First in, first out; knows its size. Taking n rows costs n, however long the queue is. */
export class RowQueue {
  #rows: QueuedRow[] = [];
  /** Elements before this index are gone. */
  #head = 0;
  #bytes = 0;

  get length(): number {
    return this.#rows.length - this.#head;
  }

  /** Length of all lines, in UTF-16 units. */
  get bytes(): number {
    return this.#bytes;
  }

  push(row: QueuedRow): void {
    this.#rows.push(row);
    this.#bytes += row.line.length;
  }

  /** Takes the oldest rows: at most `maxCount`, and no further one once `maxBytes` are reached. */
  take(maxCount: number, maxBytes: number): QueuedRow[] {
    const taken: QueuedRow[] = [];
    let bytes = 0;
    while (this.length > 0 && taken.length < maxCount && bytes < maxBytes) {
      const row = this.#rows[this.#head++]!;
      bytes += row.line.length;
      taken.push(row);
    }
    this.#bytes -= bytes;
    this.#compact();
    return taken;
  }

  #compact(): void {
    if (this.length > 0 && (this.#head < 1024 || this.#head * 2 < this.#rows.length)) return;
    this.#rows = this.#rows.slice(this.#head);
    this.#head = 0;
  }
}
