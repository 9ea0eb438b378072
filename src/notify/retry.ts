import pRetry, { AbortError } from 'p-retry';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatDuration } from '../alert/index.ts';
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
  /** At least 1. */
  readonly attempts: number;
  readonly firstWaitMs: number;
  readonly longestWaitMs: number;
  /** For all attempts and waits together. */
  readonly deadlineMs: number;
  readonly stop: AbortSignal;
}

/**
 * Tries until it works, with exponential backoff and jitter. A receiver that says when to come again is never asked earlier. What is
 * not retryable ends it at once, and so does a wait that would pass the deadline. Rejects with the last failure, in whose message
 * stands how often it was tried.
 */
export async function retry(
  attempt: (signal: AbortSignal) => Promise<void>,
  { attempts, firstWaitMs, longestWaitMs, deadlineMs, stop }: RetryOptions,
): Promise<void> {
  const deadline = AbortSignal.timeout(deadlineMs);
  const signal = AbortSignal.any([stop, deadline]);
  const startMs = performance.now();
  let count = 0;
  let last: unknown = null;
  try {
    await pRetry(
      async () => {
        count++;
        try {
          await attempt(signal);
        } catch (error) {
          last = error;
          if (error instanceof TocsinError && !error.retryable) throw new AbortError(error);
          throw error;
        }
      },
      {
        retries: attempts - 1,
        factor: 2,
        minTimeout: firstWaitMs,
        maxTimeout: longestWaitMs,
        randomize: true,
        signal,
        onFailedAttempt: async ({ error, retriesLeft, retryDelay }) => {
          if (!(error instanceof RetryAfter) || error.afterMs === null || retriesLeft === 0) return;
          const leftMs = deadlineMs - (performance.now() - startMs);
          if (error.afterMs > leftMs) throw new AbortError(error);
          await sleep(Math.max(0, error.afterMs - retryDelay), undefined, { signal });
        },
      },
    );
  } catch (error) {
    if (stop.aborted) throw error;
    const failure = last ?? error;
    if (failure instanceof TocsinError && !failure.retryable) throw failure;
    throw new TocsinError(
      'TOC_NOTIFY_FAILED',
      `${messageOf(failure)} (${describe(count, deadline, deadlineMs)})`,
      {
        cause: failure,
      },
    );
  }
}

function describe(count: number, deadline: AbortSignal, deadlineMs: number): string {
  const tried = `tried ${count === 1 ? 'once' : `${count} times`}`;
  return deadline.aborted ? `${tried} within ${formatDuration(deadlineMs)}` : tried;
}

/** Our own words only: a foreign error's text stays in the cause. */
function messageOf(error: unknown): string {
  return error instanceof TocsinError ? error.message : 'the notification could not be sent';
}
