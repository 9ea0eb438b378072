import type { Command } from 'commander';

import { systemClock } from '../clock.ts';
import { startInstance, type Instance } from '../instance.ts';
import { createLogger, type Logger } from '../logger.ts';

interface ServeOptions {
  readonly config?: string;
  readonly data?: string;
  readonly listen?: string;
  readonly logLevel: string;
}

export function addServeCommand(program: Command): void {
  program
    .command('serve')
    .description('Run Tocsin.')
    .option('--config <file>', 'configuration; without it the defaults: loopback, pages to the console')
    .option(
      '--data <folder>',
      'where the log, the checkpoints and the embedded history lie; overrides storage.path',
    )
    .option('--listen <host:port>', 'overrides server.listen')
    .option('--log-level <level>', 'error, warn, info or debug', 'info')
    .action(serve);
}

async function serve({ config, data, listen, logLevel }: ServeOptions): Promise<void> {
  const logger = createLogger(logLevel);
  const instance = await startInstance({
    ...(config === undefined ? {} : { configFile: config }),
    overrides: {
      ...(data === undefined ? {} : { storagePath: data }),
      ...(listen === undefined ? {} : { listen }),
    },
    clock: systemClock,
    logger,
    print: (text) => console.log(text),
  });
  logger.info(`Tocsin answers at ${instance.url}`);

  process.on('SIGHUP', () => {
    void reload(instance, logger);
  });
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
  const failure = await Promise.race([stopped, instance.failed]);
  await instance.stop();
  if (failure) process.exitCode = 1;
}

async function reload(instance: Instance, logger: Logger): Promise<void> {
  const outcome = await instance.reload();
  if (!outcome.ok)
    logger.error({ errors: outcome.errors }, 'The configuration was not loaded: it has mistakes.');
}
