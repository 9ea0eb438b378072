import { TocsinError } from '../engine/index.ts';
import type { Instance } from './instance.ts';
import type { Logger } from './logger.ts';

/**
 * Lets instances run until the process is told to stop or the partition fails: when another process of the cluster leads, the next one
 * begins where that one is. SIGHUP loads the configuration again.
 */
export async function runUntilStopped(start: () => Promise<Instance>, logger: Logger): Promise<void> {
  let instance = await startAnew(start, logger);
  process.on('SIGHUP', () => {
    void instance.reload();
  });
  const stopped = new Promise<'stopped'>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve('stopped'));
  });
  for (;;) {
    const failed = instance.failed.then(() => 'failed' as const);
    const outcome = await Promise.race([
      stopped,
      failed,
      instance.outranked.then(() => 'outranked' as const),
    ]);
    await instance.stop();
    if (outcome === 'failed') process.exitCode = 1;
    if (outcome !== 'outranked') return;
    logger.warn('Another process leads the cluster: this one begins anew as its follower.');
    instance = await startAnew(start, logger);
  }
}

/** Starts again where another process took the lead meanwhile. */
async function startAnew(start: () => Promise<Instance>, logger: Logger): Promise<Instance> {
  for (;;) {
    try {
      const instance = await start();
      logger.info(`Tocsin answers at ${instance.url}`);
      return instance;
    } catch (error) {
      if (!(error instanceof TocsinError) || error.code !== 'TOC_CLUSTER_NO_LEADER') throw error;
      logger.warn(
        { code: error.code },
        'The cluster chose another leader during the start, which begins anew.',
      );
    }
  }
}
