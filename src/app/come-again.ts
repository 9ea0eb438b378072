import pRetry from 'p-retry';
import { TocsinError } from '../engine/index.ts';

export interface ComeAgainOptions {
  /** After this long the last failure counts. */
  readonly patienceMs: number;
  readonly firstWaitMs: number;
  readonly longestWaitMs: number;
  /** Whether it may work a little later. */
  readonly isPassing: (error: TocsinError) => boolean;
}

/** Tries until it works, with waits that double, while what fails may pass. Rejects with the last failure. */
export function comeAgain<T>(
  attempt: () => Promise<T>,
  { patienceMs, firstWaitMs, longestWaitMs, isPassing }: ComeAgainOptions,
): Promise<T> {
  return pRetry(attempt, {
    retries: Infinity,
    maxRetryTime: patienceMs,
    minTimeout: firstWaitMs,
    maxTimeout: longestWaitMs,
    shouldRetry: ({ error }) => error instanceof TocsinError && isPassing(error),
  });
}
