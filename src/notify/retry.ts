import pRetry, { AbortError } from 'p-retry';
import { setTimeout as sleep } from 'node:timers/promises';
import { TocsinError } from '../engine/index.ts';

/** A failure of which the receiver said when to come again. */
export class RetryAfter extends TocsinError {
  readonly afterMs: number | null;

  constructor(message: string, afterMs: number | null) {
    super('TOC_NOTIFY_FAILED', message);
    this.afterMs = afterMs;
  }
}

export interface RetryOptions {
  readonly attempts: number;
  readonly firstWaitMs: number;
  readonly longestWaitMs: number;
  readonly stop: AbortSignal;
}

/** Tries until it works, with exponential backoff and jitter. What is not retryable ends it at once. */
export async function retry(
  attempt: () => Promise<void>,
  { attempts, firstWaitMs, longestWaitMs, stop }: RetryOptions,
): Promise<void> {
  try {
    await pRetry(
      async () => {
        try {
          await attempt();
        } catch (error) {
          if (error instanceof TocsinError && !error.retryable) throw new AbortError(error);
          if (error instanceof RetryAfter && error.afterMs !== null) {
            await sleep(Math.min(error.afterMs, longestWaitMs), undefined, { signal: stop });
          }
          throw error;
        }
      },
      {
        retries: attempts - 1,
        factor: 2,
        minTimeout: firstWaitMs,
        maxTimeout: longestWaitMs,
        randomize: true,
        signal: stop,
      },
    );
  } catch (error) {
    if (error instanceof TocsinError) throw error;
    throw new TocsinError('TOC_NOTIFY_FAILED', 'the notification was given up', { cause: error });
  }
}
