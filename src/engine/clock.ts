/** Where a process gets its time from. The fold never sees it: only what appends to the log does. */
export interface Clock {
  /** Milliseconds since the epoch. */
  nowMs(): number;
  /** Calls `fire` once `nowMs()` has reached `dueMs`. */
  setTimer(dueMs: number, fire: () => void): { cancel(): void };
}
