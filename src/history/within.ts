import { setTimeout as sleep } from 'node:timers/promises';

/** Resolves when `work` does, but after `limitMs` at the latest. */
export async function withinMs(work: Promise<unknown>, limitMs: number): Promise<void> {
  const limit = new AbortController();
  await Promise.race([work, sleep(limitMs, undefined, { signal: limit.signal }).catch(() => undefined)]);
  limit.abort();
}
