/** How two groupings of the same items agree. The first is taken for the truth. */
export interface Agreement {
  /** Of the pairs that the second has together, the share that the first has together; 1 where there is none. */
  readonly precision: number;
  /** Of the pairs that the first has together, the share that the second has together; 1 where there is none. */
  readonly recall: number;
  readonly f1: number;
  /** Normalized mutual information, arithmetic mean (Strehl and Ghosh, 2002): 1 for equal groupings. */
  readonly nmi: number;
}

/** A group of one grouping and the groups of the other one that its items are in, the largest first. */
export interface Regrouped {
  readonly group: string;
  readonly itemCount: number;
  readonly parts: readonly { readonly group: string; readonly itemCount: number }[];
}

/** Two groupings laid over each other. An item in no group is a group of its own, in which it is alone. */
export class Overlay {
  readonly #cells = new Map<string, Map<string, number>>();
  readonly #first = new Map<string, number>();
  readonly #second = new Map<string, number>();
  #itemCount = 0;
  #aloneCount = 0;

  add(first: string | null, second: string | null): void {
    this.#itemCount++;
    const row = first ?? this.#alone();
    const column = second ?? this.#alone();
    increase(this.#first, row);
    increase(this.#second, column);
    const cells = this.#cells.get(row);
    if (cells) increase(cells, column);
    else this.#cells.set(row, new Map([[column, 1]]));
  }

  agreement(): Agreement {
    const [inFirst, inSecond, inBoth] = [pairsIn(this.#first), pairsIn(this.#second), this.#sharedPairs()];
    const precision = inSecond === 0 ? 1 : inBoth / inSecond;
    const recall = inFirst === 0 ? 1 : inBoth / inFirst;
    const f1 = precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall);
    return { precision, recall, f1, nmi: this.#nmi() };
  }

  /** Groups of the first grouping whose items are in several groups of the second one, the largest first. */
  splits(): Regrouped[] {
    return regrouped(this.#cells, this.#first);
  }

  /** Groups of the second grouping whose items are of several groups of the first one, the largest first. */
  merges(): Regrouped[] {
    const turned = new Map<string, Map<string, number>>();
    for (const [row, cells] of this.#cells) {
      for (const [column, count] of cells) {
        const rows = turned.get(column);
        if (rows) rows.set(row, count);
        else turned.set(column, new Map([[row, count]]));
      }
    }
    return regrouped(turned, this.#second);
  }

  /** A name that no group has: ids have no blank. */
  #alone(): string {
    return `alone ${++this.#aloneCount}`;
  }

  #sharedPairs(): number {
    let pairs = 0;
    for (const cells of this.#cells.values()) pairs += pairsIn(cells);
    return pairs;
  }

  #nmi(): number {
    const [inFirst, inSecond] = [this.#entropy(this.#first), this.#entropy(this.#second)];
    if (inFirst + inSecond === 0) return 1;
    let mutual = 0;
    for (const [row, cells] of this.#cells) {
      for (const [column, count] of cells) {
        const expected = (this.#first.get(row)! * this.#second.get(column)!) / this.#itemCount;
        mutual += (count / this.#itemCount) * Math.log(count / expected);
      }
    }
    return Math.max(0, Math.min(1, (2 * mutual) / (inFirst + inSecond)));
  }

  #entropy(sizes: ReadonlyMap<string, number>): number {
    let sum = 0;
    for (const size of sizes.values()) sum -= (size / this.#itemCount) * Math.log(size / this.#itemCount);
    return sum;
  }
}

function increase(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function pairsIn(sizes: ReadonlyMap<string, number>): number {
  let pairs = 0;
  for (const size of sizes.values()) pairs += (size * (size - 1)) / 2;
  return pairs;
}

function regrouped(
  cells: ReadonlyMap<string, ReadonlyMap<string, number>>,
  sizes: ReadonlyMap<string, number>,
): Regrouped[] {
  const found: Regrouped[] = [];
  for (const [group, parts] of cells) {
    if (parts.size < 2) continue;
    found.push({
      group,
      itemCount: sizes.get(group)!,
      parts: Array.from(parts, ([part, itemCount]) => ({ group: part, itemCount })).toSorted(
        (left, right) => right.itemCount - left.itemCount,
      ),
    });
  }
  return found.toSorted((left, right) => right.itemCount - left.itemCount);
}
