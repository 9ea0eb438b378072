/** Where a process gets its time from. The fold never sees it: only what appends to the log does. */
export interface Clock {
  /** Milliseconds since the epoch. */
  nowMs(): number;
  /** Calls `fire` once `nowMs()` has reached `dueMs`. */
  setTimer(dueMs: number, fire: () => void): { cancel(): void };
}

/** Resolves after `lengthMs`, or at once when `stop` is aborted. */
export function sleep(clock: Clock, lengthMs: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (stop.aborted) return resolve();
    const end = (): void => {
      timer.cancel();
      stop.removeEventListener('abort', end);
      resolve();
    };
    const timer = clock.setTimer(clock.nowMs() + lengthMs, end);
    stop.addEventListener('abort', end);
  });
}
