import { createDice, type Dice } from '../../models/quiet-weeks.ts';
import {
  createSeriesBank,
  explainPoint,
  scorePoint,
  seriesResult,
  seriesResultWidth,
} from '../../src/score/index.ts';

export const stepMs = 300_000;
/** A Monday, 00:00 UTC. */
export const startMs = 1_767_571_200_000;

export interface ScoredPoint {
  readonly value: number;
  /** NaN while learning. */
  readonly surprise: number;
  readonly reasons: readonly string[];
}

/** Scores values that come every five minutes, one series alone. */
export function scoreValues(values: readonly number[]): ScoredPoint[] {
  const bank = createSeriesBank(1);
  const result = new Float64Array(seriesResultWidth);
  return values.map((value, i) => {
    scorePoint(bank, 0, startMs + i * stepMs, value, result);
    return {
      value,
      surprise: result[seriesResult.surprise]!,
      reasons: explainPoint(result).map(({ text }) => text),
    };
  });
}

/** Standard normal, by Box and Muller. */
export function normal(dice: Dice): number {
  return Math.sqrt(-2 * Math.log(1 - dice.next())) * Math.cos(2 * Math.PI * dice.next());
}

export function noise(count: number, seed: number, at: (i: number, noise: number) => number = (_, z) => z) {
  const dice = createDice(seed);
  return Array.from({ length: count }, (_, i) => at(i, normal(dice)));
}
