import type { Instance } from './instance.ts';
import type { Logger } from './logger.ts';

/** Lets an instance run until the process is told to stop or the partition fails. SIGHUP loads the configuration again. */
export async function runUntilStopped(instance: Instance, logger: Logger): Promise<void> {
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
