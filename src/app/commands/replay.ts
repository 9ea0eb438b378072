import type { Command } from 'commander';
import { requireConfig } from '../config-file.ts';
import { LineFile } from '../line-file.ts';
import { createPipeline } from '../pipeline.ts';
import { openProgressBar } from '../progress-bar.ts';
import { readRecorded, settleOption } from '../recorded.ts';
import type { Recording } from '../recording.ts';
import { renderReplay, summarizeReplay } from '../render-replay.ts';
import type { Assignment } from '../ledger.ts';
import { Replay } from '../replay.ts';
import { createConfigPayload, startScorer } from '../scorer.ts';

interface ReplayCommandOptions {
  readonly config?: string;
  readonly assignments?: string;
  readonly json?: boolean;
  readonly settle: number;
}

export function addReplayCommand(program: Command): void {
  program
    .command('replay')
    .description('Fold recorded alerts in virtual time and show what would have become of them.')
    .argument(
      '<file>',
      'NDJSON alerts in Alertmanager\'s shape plus optional "receivedAt"; .gz is read too, - is standard input',
    )
    .option('--config <file>', 'configuration to fold under; without it the defaults')
    .option(
      '--assignments <out.ndjson>',
      'write one line per input alert: its signal, incident, pages, surprise',
    )
    .addOption(settleOption())
    .option('--json', 'print the summary as JSON')
    .action(replay);
}

async function replay(file: string, options: ReplayCommandOptions): Promise<void> {
  const { config } = await requireConfig(options.config === undefined ? {} : { configFile: options.config });
  const { scorer, stop } = startScorer(config);
  const pipeline = createPipeline({ scorer, withHistory: false });
  const run = new Replay(pipeline, {
    config: await createConfigPayload(config, options.config),
    wantsAssignments: options.assignments !== undefined,
    settleMs: options.settle,
  });

  const isQuiet = options.json === true;
  const startedAtMs = performance.now();
  const recording = await readRecorded(file, config, isQuiet);
  try {
    await foldWithBar(run, recording, isQuiet);
  } finally {
    await stop();
  }
  const seconds = (performance.now() - startedAtMs) / 1000;
  const { badLineCount } = recording;

  if (options.assignments !== undefined) await writeAssignments(options.assignments, run.assignments());
  const summary = summarizeReplay({
    funnel: pipeline.stages.funnel.funnel(),
    incidents: run.incidents(),
    alertCount: recording.alerts.length,
    badLineCount,
    seconds,
  });
  console.log(options.json ? JSON.stringify(summary, null, 2) : renderReplay(summary));
  if (badLineCount > 0) process.exitCode = 1;
}

async function foldWithBar(run: Replay, recording: Recording, isQuiet: boolean): Promise<void> {
  const bar = isQuiet ? null : openProgressBar('folding', recording.alerts.length);
  try {
    await run.foldAll(recording, (count) => bar?.update(count));
  } finally {
    bar?.stop();
  }
}

async function writeAssignments(file: string, assignments: readonly Assignment[]): Promise<void> {
  const out = new LineFile(file);
  for (const assignment of assignments) await out.write(assignment);
  await out.close();
}
