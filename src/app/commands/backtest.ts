import type { Command } from 'commander';
import { writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { TocsinError } from '../../engine/index.ts';
import { openHistory, readPastReports } from '../../history/index.ts';
import { compareOutcomes, type Comparison } from '../backtest/compare.ts';
import { foldUnder, type Outcome } from '../backtest/outcome.ts';
import { renderComparison } from '../backtest/render.ts';
import { renderReport } from '../backtest/report.ts';
import { requireConfig, type LoadedConfig } from '../config-file.ts';
import type { TocsinConfig } from '../config-schema.ts';
import { historyOptions } from '../history-parts.ts';
import { openProgressBar } from '../progress-bar.ts';
import { readRecorded, settleOption, timeOption } from '../recorded.ts';
import type { Recording } from '../recording.ts';

interface BacktestOptions {
  readonly file?: string;
  readonly from?: number;
  readonly to?: number;
  readonly data?: string;
  readonly config: string;
  readonly against?: string;
  readonly report?: string;
  readonly json?: boolean;
  readonly failOnLost?: boolean;
  readonly teamLabel: string;
  readonly settle: number;
}

export function addBacktestCommand(program: Command): void {
  program
    .command('backtest')
    .description(
      'Fold what was received once more under another configuration, and say what that would have changed.',
    )
    .requiredOption('--config <new.yml>', 'the configuration to try')
    .option('--against <old.yml>', 'the configuration to compare with; without it the defaults')
    .option('--file <file>', 'NDJSON alerts, as of `tocsin replay`; without it the history is read')
    .addOption(timeOption('--from <time>', 'read the history from this time on (RFC 3339)'))
    .addOption(timeOption('--to <time>', 'and before this time'))
    .option(
      '--data <folder>',
      'where the data lie whose history is read; without it as the configuration says',
    )
    .option('--report <out.html>', 'write a report with pictures')
    .option('--team-label <name>', 'the label that says whose an alert is', 'team')
    .option('--fail-on-lost', 'exit with 1 when a page is lost whose incident became P1 or P2')
    .addOption(settleOption())
    .option('--json', 'print the comparison as JSON')
    .action(backtest);
}

async function backtest(options: BacktestOptions, command: Command): Promise<void> {
  const [after, before] = await Promise.all([
    requireConfig({ configFile: options.config }),
    requireConfig(options.against === undefined ? {} : { configFile: options.against }),
  ]);
  const isQuiet = options.json === true;
  const current = options.against === undefined ? after : before;
  const recording = await readInput(options, current.config, command);
  if (recording.alerts.length === 0) {
    console.error('There are no alerts to fold.');
    process.exitCode = 1;
    return;
  }
  const outcomes = {
    before: await foldWithBar('before', recording, before, options.against, options),
    after: await foldWithBar('after', recording, after, options.config, options),
  };
  const comparison = compareOutcomes(outcomes.before, outcomes.after);
  if (options.report !== undefined)
    await writeReport(options.report, options, recording, outcomes, comparison);
  if (isQuiet) console.log(JSON.stringify(comparison, null, 2));
  else {
    const seconds = outcomes.before.seconds + outcomes.after.seconds;
    const rate = Math.round((2 * recording.alerts.length) / seconds);
    console.log(renderComparison(comparison));
    console.log(`\nfolded twice in ${seconds.toFixed(1)} s: ${rate.toLocaleString('en')} alerts/s`);
  }
  if (options.failOnLost && comparison.lostUrgent.length > 0) process.exitCode = 1;
}

/** The file, or what the history of the configuration holds of the time. */
async function readInput(
  options: BacktestOptions,
  config: TocsinConfig,
  command: Command,
): Promise<Recording> {
  const isQuiet = options.json === true;
  if (options.file !== undefined) return readRecorded(options.file, config, isQuiet);
  const { from: fromMs, to: toMs } = options;
  if (fromMs === undefined || toMs === undefined || fromMs >= toMs)
    command.error('error: expected --file, or --from with a later --to');
  const opened = await openHistory(historyOptions(config.history, options.data ?? config.storage.path));
  if (!opened.database) throw new TocsinError('TOC_HISTORY_UNAVAILABLE', opened.missing);
  const bar = isQuiet ? null : openProgressBar('reading', toMs - fromMs);
  try {
    const { alerts, receivedCount } = await readPastReports(opened.database, { fromMs, toMs }, (atMs) =>
      bar?.update(atMs - fromMs),
    );
    const counts = [receivedCount, alerts.length].map((each) => each.toLocaleString('en'));
    console.error(
      `history: ${counts[0]} reports, of which ${counts[1]} say something new or are the last of a while`,
    );
    const indices = Uint32Array.from(alerts, (_, index) => index);
    return { alerts, indices, lateCount: 0, badLineCount: 0 };
  } finally {
    bar?.stop();
    await opened.database.close();
  }
}

async function foldWithBar(
  what: 'before' | 'after',
  recording: Recording,
  { config }: LoadedConfig,
  configFile: string | undefined,
  { teamLabel, settle, json }: BacktestOptions,
): Promise<Outcome> {
  const bar = json ? null : openProgressBar(what, recording.alerts.length);
  try {
    return await foldUnder(recording, {
      config,
      configFile,
      settleMs: settle,
      teamLabel,
      onProgress: (count) => bar?.update(count),
    });
  } finally {
    bar?.stop();
  }
}

async function writeReport(
  file: string,
  { file: input, config, against }: BacktestOptions,
  { alerts }: Recording,
  { before, after }: Readonly<Record<'before' | 'after', Outcome>>,
  comparison: Comparison,
): Promise<void> {
  const lastPageMs = Math.max(...[before, after].map(({ pages }) => pages.at(-1)?.atMs ?? -Infinity));
  const html = renderReport({
    comparison,
    timeLine: {
      fromMs: alerts[0]!.receivedAtMs,
      toMs: Math.max(alerts.at(-1)!.receivedAtMs, lastPageMs),
      alertTimesMs: alerts.map(({ receivedAtMs }) => receivedAtMs),
      before: before.pages,
      after: after.pages,
    },
    input: input === undefined ? 'the history' : basename(input),
    before: against === undefined ? 'the defaults' : basename(against),
    after: basename(config),
    incidentsBefore: before.incidents,
    incidentsAfter: after.incidents,
  });
  await writeFile(file, html);
}
