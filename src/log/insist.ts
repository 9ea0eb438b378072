import pRetry from 'p-retry';
import { TocsinError } from '../engine/index.ts';

export interface InsistOptions {
  /** Ends it: it rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** How long it is tried again; for ever unless said otherwise. */
  readonly patienceMs?: number;
  /** Whether it may help to try again after this error; what the error's code says unless given. */
  readonly isTransient?: (error: Error) => boolean;
}

const firstWaitMs = 25;
const longestWaitMs = 1000;

/** Asks the servers until they answer, or say something that trying again will not change. */
export function insist<T>(
  attempt: () => Promise<T>,
  {
    signal,
    patienceMs = Infinity,
    isTransient = (error) => error instanceof TocsinError && error.retryable,
  }: InsistOptions,
): Promise<T> {
  return pRetry(attempt, {
    retries: Infinity,
    minTimeout: firstWaitMs,
    maxTimeout: longestWaitMs,
    maxRetryTime: patienceMs,
    shouldRetry: ({ error }) => isTransient(error),
    ...(signal ? { signal } : {}),
  });
}
