import type { Command } from 'commander';

import { systemClock } from '../clock.ts';
import { startInstance, type InstanceOptions } from '../instance.ts';
import { createLogger } from '../logger.ts';
import { runUntilStopped } from '../run-until-stopped.ts';

interface ServeOptions {
  readonly config?: string;
  readonly alertmanagerConfig?: string;
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
      '--alertmanager-config <file>',
      'an Alertmanager configuration, run as it stands: notifications as Alertmanager would send them',
    )
    .option(
      '--data <folder>',
      'where the log, the checkpoints and the embedded history lie; overrides storage.path',
    )
    .option('--listen <host:port>', 'overrides server.listen')
    .option('--log-level <level>', 'error, warn, info or debug', 'info')
    .action(serve);
}

async function serve({ config, alertmanagerConfig, data, listen, logLevel }: ServeOptions): Promise<void> {
  const logger = createLogger(logLevel);
  const options: InstanceOptions = {
    ...(config === undefined ? {} : { configFile: config }),
    ...(alertmanagerConfig === undefined ? {} : { alertmanagerFile: alertmanagerConfig }),
    override: (file) => ({
      ...file,
      storage: { ...file.storage, path: data ?? file.storage.path },
      server: { ...file.server, listen: listen ?? file.server.listen },
    }),
    clock: systemClock,
    logger,
    print: (text) => console.log(text),
  };
  await runUntilStopped(() => startInstance(options), logger);
}
