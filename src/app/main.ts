import { Command, CommanderError } from 'commander';
import { addCheckCommand } from './commands/check.ts';
import { addDemoCommand } from './commands/demo.ts';
import { addExplainCommand } from './commands/explain.ts';
import { addReplayCommand } from './commands/replay.ts';
import { addServeCommand } from './commands/serve.ts';
import { version } from './version.ts';

const program = new Command('tocsin')
  .description('Real-time alert correlation and triage: few, deduplicated, prioritized, explained pages.')
  .version(version)
  .showHelpAfterError()
  .exitOverride();

addServeCommand(program);
addDemoCommand(program);
addReplayCommand(program);
addExplainCommand(program);
addCheckCommand(program);

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode;
  else {
    console.error(error instanceof Error ? error.message : String(error));
    if (process.env['TOCSIN_DEBUG']) console.error(error);
    process.exitCode = 1;
  }
}
