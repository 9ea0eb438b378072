import type { HistoryOptions, OpenedHistory } from './clickhouse.ts';

/** Opens the history as `clickhouse.ts` says. Its client is loaded only now: it costs a tenth of a process's start. */
export async function openHistory(options: HistoryOptions): Promise<OpenedHistory> {
  const clickhouse = await import('./clickhouse.ts');
  return clickhouse.openHistory(options);
}

/** Whether there may be a history: a server is configured, or the embedded engine is installed. Loads nothing. */
export function canOpenHistory(options: HistoryOptions): boolean {
  if (!('path' in options)) return true;
  try {
    return import.meta.resolve('chdb') !== '';
  } catch {
    return false;
  }
}
