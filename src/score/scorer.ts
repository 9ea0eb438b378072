import { scoreMatrix } from './kernel.ts';

/** Computes surprise for many rows at once. */
export interface MatrixScorer {
  /**
   * Scores the `rows` rows of `matrix` (see `encodeHead` and `column`); resolves with one row of `resultWidth` each
   * (see `result`). Never changes `matrix`. Always gives what `scoreMatrix` gives, bit for bit. Never rejects.
   */
  score(matrix: Float64Array, rows: number): Promise<Float64Array>;
}

/** Scores on the calling thread. */
export function createInlineScorer(): MatrixScorer {
  return { score: (matrix, rows) => Promise.resolve(scoreMatrix(matrix, rows)) };
}
