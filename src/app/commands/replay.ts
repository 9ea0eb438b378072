import { SingleBar } from 'cli-progress';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import { parseDuration } from '../../alert/index.ts';
import { readAlertLines, type LineContext } from '../../source/index.ts';
import { requireConfig } from '../config-file.ts';
import type { TocsinConfig } from '../config-schema.ts';
import { createPipeline } from '../pipeline.ts';
import { renderReplay, summarizeReplay } from '../render-replay.ts';
import { Replay, type Assignment } from '../replay.ts';
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
    .addOption(
      new Option('--settle <duration>', 'how far time runs on after the last alert')
        .argParser(duration)
        .default(600_000, '10m'),
    )
    .option('--json', 'print the summary as JSON')
    .action(replay);
}

async function replay(file: string, options: ReplayCommandOptions): Promise<void> {
  const { config } = await requireConfig(options.config);
  const { scorer, stop } = startScorer(config);
  const pipeline = createPipeline({ scorer, withHistory: false });
  const run = new Replay(pipeline, {
    config: await createConfigPayload(config, options.config),
    wantsAssignments: options.assignments !== undefined,
    settleMs: options.settle,
  });

  const bar = await openProgressBar(file, options.json === true);
  const startedAtMs = performance.now();
  let alertCount = 0;
  let badLineCount = 0;
  try {
    for await (const { alerts, errors, bytesRead } of readAlertLines(file, lineContext(config))) {
      for (const { line, message } of errors) console.error(`${file}:${line}: ${message}`);
      badLineCount += errors.length;
      await run.push(alerts, alertCount);
      alertCount += alerts.length;
      bar?.update(bytesRead, { alerts: alertCount.toLocaleString('en') });
    }
    await run.finish();
  } finally {
    bar?.stop();
    await stop();
  }
  const seconds = (performance.now() - startedAtMs) / 1000;

  if (options.assignments !== undefined) await writeAssignments(options.assignments, run.assignments());
  const summary = summarizeReplay({
    funnel: pipeline.stages.funnel.funnel(),
    incidents: run.incidents(),
    alertCount,
    badLineCount,
    seconds,
  });
  console.log(options.json ? JSON.stringify(summary, null, 2) : renderReplay(summary));
  if (badLineCount > 0) process.exitCode = 1;
}

function lineContext({ global, source }: TocsinConfig): LineContext {
  return {
    resolveTimeoutMs: global.resolve_timeout,
    defaultDomain: source.default_domain,
    domainLabel: source.domain_label,
  };
}

async function openProgressBar(file: string, isQuiet: boolean): Promise<SingleBar | null> {
  if (isQuiet || file === '-' || !process.stderr.isTTY) return null;
  const bar = new SingleBar({
    format: '{bar} {percentage} % | {alerts} alerts | {duration_formatted}',
    stream: process.stderr,
  });
  bar.start((await stat(file)).size, 0, { alerts: '0' });
  return bar;
}

async function writeAssignments(file: string, assignments: readonly Assignment[]): Promise<void> {
  const out = createWriteStream(file);
  for (const assignment of assignments) {
    if (!out.write(`${JSON.stringify(assignment)}\n`)) await once(out, 'drain');
  }
  out.end();
  await finished(out);
}

function duration(text: string): number {
  const parsed = parseDuration(text);
  if (!parsed.ok) throw new InvalidArgumentError(parsed.error);
  return parsed.ms;
}
