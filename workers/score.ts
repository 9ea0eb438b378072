import { move } from 'piscina';
import { scoreMatrix } from '../src/score/kernel.ts';

/** Scores the rows of a matrix in a worker thread; see `scoreMatrix`. Imports the kernel alone, so that a thread starts fast. */
export default function score({
  matrix,
  rows,
}: {
  readonly matrix: Float64Array;
  readonly rows: number;
}): unknown {
  return move(scoreMatrix(matrix, rows));
}
