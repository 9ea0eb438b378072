/**
 * How good the detector for series of values is, `npm run quality:score [-- folder]`: by the rules of the Numenta Anomaly
 * Benchmark on labelled series, on the halves of random divisions of them, and how far its surprise is what it says on
 * stretches without a label; and on series that are generated. The data is not part of the project; the folder is `../shared/data` unless given.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createSeriesBank, scorePoint, seriesResult, seriesResultWidth } from '../src/score/index.ts';
import { generateCorpus } from './generated-corpus.ts';
import { readCorpus, readProfiles } from './nab-corpus.ts';
import { probationRows, scoreCorpus, weighRows, type LabelledSeries } from './nab-score.ts';

const standard = { tpWeight: 1, fnWeight: 1, fpWeight: 0.11 };
const generated = generateCorpus(1);
const told = scoreCorpus(generated, generated.map(scoreSeries), standard);
console.log(
  `${generated.length} generated series: standard ${told.score.toFixed(1)}, windows ${told.windowsHit} of ${told.windows}, false rows ${told.falseRows}\n`,
);

const folder = join(process.argv[2] ?? '../shared/data', 'nab');
if (!existsSync(folder)) {
  console.error(
    `${folder} is absent: nothing real is measured. Give the folder that holds nab/ as argument.`,
  );
  process.exit(1);
}

const corpus = await readCorpus(folder);
const profiles = readProfiles(folder);
const scores = corpus.map(scoreSeries);
const all = corpus.map((_, index) => index);

console.log(`${corpus.length} series, ${corpus.flatMap(({ windows }) => windows).length} windows`);
for (const [name, costs] of Object.entries(profiles)) {
  const { score, threshold, windowsHit, windows, falseRows } = scoreCorpus(corpus, scores, costs);
  console.log(
    `${name.padEnd(20)} ${score.toFixed(1).padStart(5)}   threshold ${threshold.toFixed(6)}, windows ${windowsHit} of ${windows}, false rows ${falseRows}`,
  );
}

console.log('\nhalves of 20 random divisions, each with a threshold of its own (mean and deviation):');
const halves = Array.from({ length: 20 }, (_, seed) => divide(all, seed + 1)).flat();
for (const [name, costs] of Object.entries(profiles)) {
  const of = halves.map((half) => scoreCorpus(pick(corpus, half), pick(scores, half), costs).score);
  const mean = of.reduce((a, b) => a + b, 0) / of.length;
  const deviation = Math.sqrt(of.reduce((sum, score) => sum + (score - mean) ** 2, 0) / of.length);
  console.log(`${name.padEnd(20)} ${mean.toFixed(1).padStart(5)} ± ${deviation.toFixed(1)}`);
}

console.log('\nby group (standard, threshold of the whole corpus):');
const groups = Map.groupBy(all, (index) => corpus[index]!.name.split('/')[0]!);
const { threshold } = scoreCorpus(corpus, scores, profiles['standard']!);
for (const [group, members] of groups) {
  let [hit, windows, falseRows] = [0, 0, 0];
  for (const index of members) {
    const counted = countAt(corpus[index]!, scores[index]!, threshold);
    hit += counted.hit;
    windows += counted.windows;
    falseRows += counted.falseRows;
  }
  console.log(
    `${group.padEnd(22)} windows ${hit} of ${windows}, false rows ${falseRows} in ${members.length} series`,
  );
}

console.log('\nshare of rows outside of windows and probation with a surprise above 1 - p:');
for (const p of [0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.001]) {
  let [rows, above] = [0, 0];
  corpus.forEach((series, index) => {
    const { windowOf } = weighRows(series);
    for (let row = probationRows(windowOf.length); row < windowOf.length; row++) {
      if (windowOf[row]! >= 0) continue;
      rows++;
      if (scores[index]![row]! > 1 - p) above++;
    }
  });
  console.log(`p ${String(p).padEnd(6)} ${(above / rows).toFixed(4)}`);
}

function scoreSeries({ timesMs, values }: LabelledSeries): Float64Array {
  const bank = createSeriesBank(1);
  const result = new Float64Array(seriesResultWidth);
  return Float64Array.from(values, (value, row) => {
    scorePoint(bank, 0, timesMs[row]!, value, result);
    const surprise = result[seriesResult.surprise]!;
    return Number.isNaN(surprise) ? 0 : surprise;
  });
}

function countAt(series: LabelledSeries, surprises: Float64Array, threshold: number) {
  const { windowOf } = weighRows(series);
  const hit = new Set<number>();
  let falseRows = 0;
  for (let row = probationRows(windowOf.length); row < windowOf.length; row++) {
    if (surprises[row]! < threshold) continue;
    if (windowOf[row]! >= 0) hit.add(windowOf[row]!);
    else falseRows++;
  }
  return { hit: hit.size, windows: series.windows.length, falseRows };
}

/** Two halves by a shuffle with a seeded generator (Numerical Recipes' LCG). */
function divide(indices: readonly number[], seed: number): [number[], number[]] {
  let state = seed * 7919;
  const keyed = indices.map((index) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return { index, key: state };
  });
  const shuffled = keyed.toSorted((a, b) => a.key - b.key).map(({ index }) => index);
  const middle = Math.floor(shuffled.length / 2);
  return [shuffled.slice(0, middle), shuffled.slice(middle)];
}

function pick<T>(list: readonly T[], indices: readonly number[]): T[] {
  return indices.map((index) => list[index]!);
}
