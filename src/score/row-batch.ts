import { encodeHead, rowWidth } from './matrix.ts';
import type { ScoreModel } from './model.ts';

const keptRows = 4096;

/** A growing matrix: the head of one model, then the rows to score with it. */
export class RowBatch {
  readonly #head: Float64Array;
  #matrix: Float64Array;
  #rows = 0;

  constructor(model: ScoreModel | null) {
    this.#head = encodeHead(model);
    this.#matrix = new Float64Array(this.#head.length + rowWidth);
    this.#matrix.set(this.#head);
  }

  get rows(): number {
    return this.#rows;
  }

  /** The head and all rows; valid until the next `add` or `clear`. */
  get matrix(): Float64Array {
    return this.#matrix.subarray(0, this.#head.length + this.#rows * rowWidth);
  }

  /** A new row of zeros, valid until the next `add` or `clear`. Its number is `rows - 1`. */
  add(): Float64Array {
    const from = this.#head.length + this.#rows * rowWidth;
    if (from + rowWidth > this.#matrix.length) {
      const larger = new Float64Array(this.#head.length + this.#rows * 2 * rowWidth);
      larger.set(this.#matrix);
      this.#matrix = larger;
    }
    this.#rows++;
    return this.#matrix.subarray(from, from + rowWidth).fill(0);
  }

  row(index: number): Float64Array {
    const from = this.#head.length + index * rowWidth;
    return this.#matrix.subarray(from, from + rowWidth);
  }

  clear(): void {
    this.#rows = 0;
    // What a storm needed is not kept for good.
    if (this.#matrix.length > keptRows * rowWidth)
      this.#matrix = this.#matrix.slice(0, this.#head.length + rowWidth);
  }
}
