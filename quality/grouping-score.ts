import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** What `grouping-score.mjs` says of a grouping. Noise counts as groups of its own, except in `ari`. */
export interface GroupingScore {
  readonly macroPrecision: number;
  readonly macroRecall: number;
  readonly macroF1: number;
  readonly ari: number;
  readonly recall: number;
  readonly precisionWithNoise: number;
  readonly f1WithNoise: number;
  readonly predictedGroups: number;
}

export type ScoreGrouping = (
  truth: readonly string[],
  predicted: readonly (string | null)[],
) => GroupingScore;

/** The scorer beside the data, `../tools/grouping-score.mjs`; null where it is absent. */
export async function loadScorer(folder: string): Promise<ScoreGrouping | null> {
  const file = join(folder, '../tools/grouping-score.mjs');
  if (!existsSync(file)) return null;
  const { scoreGrouping } = (await import(pathToFileURL(file).href)) as { scoreGrouping: ScoreGrouping };
  return scoreGrouping;
}
