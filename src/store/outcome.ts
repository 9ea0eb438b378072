import type { Fact } from '../engine/index.ts';

/** How an effect ended, as the delivery log keeps it under the `shortKey` of the effect's id. */
export interface Outcome {
  readonly outcome: Fact['outcome'];
  readonly atMs: number;
}
