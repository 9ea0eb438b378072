import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSeries } from '../src/app/series/read-series.ts';
import { parseTime } from '../src/source/index.ts';
import type { LabelledSeries, NabCosts } from './nab-score.ts';

/** Reads the series of `folder` (`data/<group>/<file>.csv`) that `labels/combined_windows.json` names. */
export async function readCorpus(folder: string): Promise<LabelledSeries[]> {
  const labels = readJson(folder, 'labels/combined_windows.json') as Record<string, [string, string][]>;
  const corpus: LabelledSeries[] = [];
  for (const name of Object.keys(labels).toSorted()) {
    const rows = await readSeries(join(folder, 'data', name));
    corpus.push({
      name,
      timesMs: rows.map(({ timeMs }) => timeMs),
      values: rows.map(({ number }) => number),
      windows: labels[name]!.map(([from, to]) => [parseTime(from)!, parseTime(to)!]),
    });
  }
  return corpus;
}

/** The profiles of costs by name. */
export function readProfiles(folder: string): Record<string, NabCosts> {
  const profiles = readJson(folder, 'profiles.json') as Record<string, { CostMatrix: NabCosts }>;
  return Object.fromEntries(Object.entries(profiles).map(([name, { CostMatrix }]) => [name, CostMatrix]));
}

function readJson(folder: string, file: string): unknown {
  return JSON.parse(readFileSync(join(folder, file), 'utf8'));
}
