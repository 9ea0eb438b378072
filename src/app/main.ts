import { TocsinError } from '../engine/index.ts';
import { Command, CommanderError } from 'commander';
import { addBacktestCommand } from './commands/backtest.ts';
import { addCheckCommand } from './commands/check.ts';
import { addDedupCommand } from './commands/dedup.ts';
import { addDemoCommand } from './commands/demo.ts';
import { addExplainCommand } from './commands/explain.ts';
import { addModelsCommand } from './commands/models.ts';
import { addReplayCommand } from './commands/replay.ts';
import { addScoreCommand } from './commands/score.ts';
import { addServeCommand } from './commands/serve.ts';
import { addTrainCommand } from './commands/train.ts';
import { version } from './version.ts';

const program = new Command('tocsin')
  .description('Real-time alert correlation and triage: few, deduplicated, prioritized, explained pages.')
  .version(version)
  .showHelpAfterError()
  .exitOverride();

addServeCommand(program);
addDemoCommand(program);
addReplayCommand(program);
addBacktestCommand(program);
addScoreCommand(program);
addTrainCommand(program);
addModelsCommand(program);
addDedupCommand(program);
addExplainCommand(program);
addCheckCommand(program);

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode;
  else {
    console.error(describe(error));
    if (process.env['TOCSIN_DEBUG']) console.error(error);
    process.exitCode = 1;
  }
}

/** With its code, by which docs/errors.md says what to do; the mistakes of a configuration speak for themselves. */
function describe(error: unknown): string {
  if (error instanceof TocsinError && error.code !== 'TOC_CONFIG_INVALID') {
    const { cause } = error;
    return `${error.code}: ${error.message}${cause instanceof Error ? ` (${cause.message})` : ''}`;
  }
  return error instanceof Error ? error.message : String(error);
}
