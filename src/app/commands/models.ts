import type { Command } from 'commander';
import { readdir } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { plainText } from '../../alert/index.ts';
import { TocsinError } from '../../engine/index.ts';
import {
  loadScoreModel,
  modelFolder,
  openModel,
  readModelTexts,
  type ModelsView,
} from '../../score/index.ts';
import { callApi, type ApiOptions } from '../api-client.ts';
import { requireConfig } from '../config-file.ts';
import { compareModels } from '../models/compare-models.ts';
import {
  renderComparison,
  renderManifest,
  renderManifestDifference,
  renderModels,
} from '../models/render-models.ts';
import { readRecorded } from '../recorded.ts';
import { createConfigPayload } from '../scorer.ts';

interface ActOptions extends ApiOptions {
  readonly by: string;
}

export function addModelsCommand(program: Command): void {
  const models = program
    .command('models')
    .description('The models by which surprise is judged: look at them, compare them, put them in force.');

  models
    .command('list')
    .description('List the models in a folder.')
    .argument('[folder]', 'folder of folders that `tocsin train` wrote', 'models')
    .action(list);

  models
    .command('validate')
    .description('Check that a model is what its manifest says and fits this version.')
    .argument('<model>', 'folder of a model, or `builtin`')
    .action(async (name: string) => {
      const folder = modelFolder(name);
      console.log(`${renderManifest(folder, (await openModel(folder)).manifest)}\nfine`);
    });

  models
    .command('diff')
    .description('Say in what two models differ; with --on, whom the second would page otherwise.')
    .argument('<before>', 'folder of a model, `builtin` or `none`')
    .argument('<after>', 'folder of a model, `builtin` or `none`')
    .option('--on <file>', 'alerts in NDJSON, which are folded under both')
    .option('--config <file>', 'configuration to fold under; without it the defaults')
    .option('--json', 'print the comparison as JSON')
    .action(diff);

  onServer(
    models.command('status').description('Show what a server has in force, beside it, and how that fares.'),
  )
    .option('--json', 'print the answer as JSON')
    .action(async (options: ApiOptions & { readonly json?: boolean }) => {
      const views = await callApi(options, '/api/v1/models');
      console.log(options.json ? JSON.stringify(views, null, 2) : renderModels(views as ModelsView[]));
    });

  onServer(
    models
      .command('activate')
      .description('Put a model in force, until another is or the configuration names another.'),
  )
    .argument('<model>', 'folder of a model, `builtin`, or `configured` for what the configuration names')
    .option('--by <name>', 'who does it', userInfo().username)
    .action((name: string, options: ActOptions) => choose('activate', name, 'configured', options));

  onServer(
    models.command('shadow').description('Let a model score beside the one in force, deciding nothing.'),
  )
    .argument('<model>', 'folder of a model, `builtin`, or `none` to end it')
    .option('--by <name>', 'who does it', userInfo().username)
    .action((name: string, options: ActOptions) => choose('shadow', name, 'none', options));
}

function onServer(command: Command): Command {
  return command
    .option('--url <url>', 'where the server answers', 'http://127.0.0.1:9093')
    .option('--token-file <file>', 'file that holds the bearer token');
}

async function list(folder: string): Promise<void> {
  let found = 0;
  for (const entry of await entriesOf(folder)) {
    if (!entry.isDirectory()) continue;
    const path = join(folder, entry.name);
    try {
      console.log(renderManifest(path, (await openModel(path)).manifest));
      found++;
    } catch (error) {
      if (!(error instanceof TocsinError)) throw error;
      console.error(`${error.code}: ${plainText(error.message, 1000)}`);
      process.exitCode = 1;
    }
  }
  if (found === 0) console.error(`there is no model in ${folder}`);
}

async function entriesOf(folder: string): ReturnType<typeof readFolder> {
  try {
    return await readFolder(folder);
  } catch (cause) {
    throw new TocsinError('TOC_MODEL_UNREADABLE', `cannot read the folder ${folder}`, { cause });
  }
}

function readFolder(folder: string) {
  return readdir(folder, { withFileTypes: true });
}

interface DiffOptions {
  readonly on?: string;
  readonly config?: string;
  readonly json?: boolean;
}

async function diff(
  before: string,
  after: string,
  { on, config: configFile, json }: DiffOptions,
): Promise<void> {
  if (on === undefined) {
    const [a, b] = await Promise.all([openModel(modelFolder(before)), openModel(modelFolder(after))]);
    console.log(
      json
        ? JSON.stringify({ before: a.manifest, after: b.manifest }, null, 2)
        : renderManifestDifference(a.manifest, b.manifest),
    );
    return;
  }
  const { config } = await requireConfig(configFile === undefined ? {} : { configFile });
  const [a, b] = await Promise.all([loadScoreModel(before), loadScoreModel(after)]);
  const { alerts, badLineCount } = await readRecorded(on, config, json === true);
  const comparison = await compareModels(alerts, await createConfigPayload(config, configFile), a, b);
  console.log(json ? JSON.stringify(comparison, null, 2) : renderComparison(comparison));
  if (badLineCount > 0) process.exitCode = 1;
}

/** `back` names the choice that takes one back. */
async function choose(
  act: 'activate' | 'shadow',
  name: string,
  back: string,
  options: ActOptions,
): Promise<void> {
  const model = name === back ? null : await readModelTexts(modelFolder(name));
  const answer = await callApi(options, `/api/v1/models/${act}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ by: options.by, model }),
  });
  const chosen = (answer as { readonly model?: { readonly name: string; readonly hash: string } | null })
    .model;
  const what = chosen ? `${plainText(chosen.name, 200)} ${chosen.hash.slice(0, 12)}` : 'no model';
  console.log(act === 'activate' ? `in force: ${what}` : `beside the one in force: ${what}`);
}
