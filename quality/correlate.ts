/**
 * How good correlation and triage are, `npm run quality:correlate [-- folder [name ...]]`: on labelled alerts of others, which are not part of
 * the project (the folder is `../shared/data` unless given), all under the default configuration and through the production fold, as
 * `tocsin replay --assignments` runs it. Names choose: those of executions, `overlaid`, `nezha`, `generated`. `--explain` shows each step and fault.
 *
 * - `ait-ads/` (Landauer et al. 2023): intrusion detection, alone and laid over each other.
 * - `nezha/` (FSE 2023): a shop with injected faults, with and without its service graph.
 * - generated systems of 20 to 2,000 services (`bench/scenarios/estate.ts`), with and without their service graph.
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { measureGenerated } from './correlate-generated.ts';
import { measureAitAds } from './correlate-ait.ts';
import { measureNezha } from './correlate-nezha.ts';
import { loadScorer } from './grouping-score.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { explain: { type: 'boolean', default: false } },
});
const [folderName = '../shared/data', ...names] = positionals;
const folder = resolve(folderName);
const only = (name: string): boolean => names.length === 0 || names.includes(name);
const score = await loadScorer(folder);
if (!score || !existsSync(folder)) {
  console.log(
    `${folder} or the scorer beside it is absent: nothing was measured on data of others. Give the folder that holds ait-ads/ and nezha/ as argument.`,
  );
} else {
  const has = (name: string): boolean => {
    const isThere = existsSync(join(folder, name));
    if (!isThere) console.log(`${join(folder, name)} is absent: it was not measured.`);
    return isThere;
  };
  if (has('ait-ads')) await measureAitAds(join(folder, 'ait-ads'), only, score, values.explain);
  if (has('nezha') && only('nezha')) await measureNezha(join(folder, 'nezha'), score, values.explain);
}
if (only('generated')) await measureGenerated(values.explain);
