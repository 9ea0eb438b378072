import { createDice } from '../../models/quiet-weeks.ts';
import {
  column,
  distanceBins,
  gapLimit,
  RowBatch,
  sampleLimit,
  tailBins,
  type ScoreModel,
} from '../../src/score/index.ts';

/** `rows` rows of plausible numbers, of all states. */
export function randomBatch(seed: number, rows: number, model: ScoreModel | null): RowBatch {
  const dice = createDice(seed);
  const batch = new RowBatch(model);
  for (let i = 0; i < rows; i++) {
    const row = batch.add();
    row[column.state] = dice.between(0, 2);
    row[column.count] = 1 + dice.poisson(dice.next() * 40);
    row[column.gap] = dice.next() < 0.1 ? -1 : dice.next() * 20;
    row[column.novelty] = 0.001 + dice.next() * 0.999;
    row[column.fired] = dice.between(0, row[column.count]!);
    row[column.resolved] = dice.between(0, 5);
    row[column.activeHours] = dice.between(1, 24);
    row[column.scope] = dice.between(0, 2);
    row[column.hourOfWeek] = dice.between(0, 167);
    row[column.seen] = dice.between(0, 1000);
    row[column.domainDays] = dice.next() * 100;
    row[column.sampleCount] = dice.between(0, sampleLimit);
    for (let s = 0; s < row[column.sampleCount]!; s++) row[column.samples + s] = 1 + dice.poisson(8);
    row[column.gapCount] = dice.between(0, gapLimit);
    for (let g = 0; g < row[column.gapCount]!; g++) row[column.gaps + g] = dice.next() * 20;
    for (let bin = 0; bin < tailBins; bin++) {
      row[column.tail + bin] = dice.next() * 50;
      row[column.tailTotal]! += row[column.tail + bin]!;
    }
    for (let bin = 0; bin < distanceBins; bin++) row[column.distances + bin] = dice.next() * 50;
  }
  return batch;
}
