import { InvalidArgumentError, type Command } from 'commander';
import { basename } from 'node:path';
import { plainText } from '../../alert/index.ts';
import { TocsinError } from '../../engine/index.ts';
import { openProgressBar } from '../progress-bar.ts';
import { findSeries, type SeriesTask } from '../series/find-series.ts';
import { readSeries } from '../series/read-series.ts';
import { scoreSeries } from '../series/score-series.ts';
import { writeSeries, writeText } from '../series/write-series.ts';

interface ScoreCommandOptions {
  readonly out: string;
  readonly plot?: string;
  readonly threshold: number;
}

export function addScoreCommand(program: Command): void {
  program
    .command('score')
    .description('Score series of values: how surprising each is by what came before it, and why.')
    .argument('<csv|folder>', 'CSV with the columns timestamp and value, or a folder of such files')
    .requiredOption(
      '--out <csv|folder>',
      'where timestamp,value,surprise,reason goes, row for row; the tree of a folder is mirrored',
    )
    .option('--plot <svg|folder>', 'draw each series with what was usual and what surprised')
    .option(
      '--threshold <surprise>',
      'from which surprise on a point is marked and counted',
      readThreshold,
      0.999,
    )
    .action(score);
}

async function score(input: string, options: ScoreCommandOptions): Promise<void> {
  const tasks = await findSeries(input, options.out, options.plot);
  const totalBytes = tasks.reduce((total, { bytes }) => total + bytes, 0);
  const bar = openProgressBar('scoring', totalBytes);
  const counts = { files: 0, points: 0, marked: 0 };
  const refused: string[] = [];
  let doneBytes = 0;
  try {
    for (const task of tasks) {
      try {
        const told = await scoreTask(task, options, (bytes) => bar?.update(doneBytes + bytes));
        counts.files++;
        counts.points += told.points;
        counts.marked += told.marked;
      } catch (error) {
        // One bad file of a folder does not keep the others from being scored.
        if (!(error instanceof TocsinError) || tasks.length === 1) throw error;
        refused.push(`${error.code}: ${error.message}`);
      }
      doneBytes += task.bytes;
      bar?.update(doneBytes);
    }
  } finally {
    bar?.stop();
  }
  for (const message of refused) console.error(plainText(message, 4000));
  console.log(
    `${count(counts.points, 'point')} of ${count(counts.files, 'series', 'series')}, ` +
      `${counts.marked.toLocaleString('en')} with a surprise of ${options.threshold} or more`,
  );
  if (refused.length > 0) {
    console.error(`${count(refused.length, 'file')} could not be read`);
    process.exitCode = 1;
  }
}

async function scoreTask(
  { input, output, picture }: SeriesTask,
  { threshold }: ScoreCommandOptions,
  onProgress: (bytes: number) => void,
): Promise<{ readonly points: number; readonly marked: number }> {
  const rows = scoreSeries(await readSeries(input, onProgress));
  await writeSeries(output, rows);
  if (picture !== null) {
    // Loaded only where a picture is wanted: the library is large.
    const { plotSeries } = await import('../series/plot-series.ts');
    await writeText(picture, plotSeries(basename(input), rows, threshold));
  }
  return { points: rows.length, marked: rows.filter(({ surprise }) => surprise >= threshold).length };
}

function readThreshold(text: string): number {
  const threshold = Number(text);
  if (!(threshold > 0 && threshold < 1)) throw new InvalidArgumentError('expected a number between 0 and 1');
  return threshold;
}

function count(number: number, one: string, many = `${one}s`): string {
  return `${number.toLocaleString('en')} ${number === 1 ? one : many}`;
}
