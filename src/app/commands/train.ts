import { InvalidArgumentError, type Command } from 'commander';
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { requireConfig } from '../config-file.ts';
import { readTrainingFile, readTrainingHistory } from '../models/read-training.ts';

interface TrainCommandOptions {
  readonly from: string;
  readonly out: string;
  readonly config?: string;
  readonly days: number;
}

export function addTrainCommand(program: Command): void {
  program
    .command('train')
    .description('Train the model of usual behaviours on alerts of yours.')
    .requiredOption(
      '--from <history|file>',
      'the history that the configuration names, alerts in NDJSON, or the training.csv of a model',
    )
    .requiredOption('--out <folder>', 'where model.json, manifest.json, MODEL_CARD.md and training.csv go')
    .option('--config <file>', 'configuration that names the history, and how alerts are read')
    .option('--days <days>', 'how far back the history is read', readDays, 28)
    .action(train);
}

async function train({ from, out, config: configFile, days }: TrainCommandOptions): Promise<void> {
  const { config } = await requireConfig(configFile === undefined ? {} : { configFile });
  const { periods, data, badLineCount } =
    from === 'history'
      ? await readTrainingHistory(config, days, Date.now())
      : await readTrainingFile(from, config, configFile);
  // Loaded only now: clustering is needed nowhere else.
  const { trainModel } = await import('../../../models/train.ts');
  const name = basename(resolve(out));
  const trained = trainModel(periods, { name, data: basename(data), isGenerated: false, other: null });
  await mkdir(out, { recursive: true });
  await Promise.all([
    writeFile(join(out, 'model.json'), trained.modelText),
    writeFile(join(out, 'manifest.json'), trained.manifestText),
    writeFile(join(out, 'MODEL_CARD.md'), trained.cardText),
    writeFile(join(out, 'training.csv'), trained.dataText),
  ]);
  console.log(trained.cardText);
  console.log(`${out} is written; \`tocsin models shadow ${out}\` lets it score beside the one in force`);
  if (badLineCount > 0) process.exitCode = 1;
}

function readDays(text: string): number {
  const days = Number(text);
  if (!(days > 0)) throw new InvalidArgumentError('expected a number of days');
  return days;
}
