/** A set of texts that knows its smallest one, by UTF-16 units. Adding is O(1); deleting is, unless it was the smallest: then O(n). */
export class SmallestFirst {
  readonly #members = new Set<string>();
  #first: string | undefined;

  get size(): number {
    return this.#members.size;
  }

  get first(): string | undefined {
    return this.#first;
  }

  /** True when `member` is the smallest now and was not before. */
  add(member: string): boolean {
    this.#members.add(member);
    if (this.#first !== undefined && this.#first <= member) return false;
    this.#first = member;
    return true;
  }

  /** True when `member` was the smallest. */
  delete(member: string): boolean {
    if (!this.#members.delete(member) || member !== this.#first) return false;
    this.#first = undefined;
    for (const other of this.#members)
      if (this.#first === undefined || other < this.#first) this.#first = other;
    return true;
  }

  each(visit: (member: string) => void): void {
    for (const member of this.#members) visit(member);
  }
}
