import { TocsinError } from '../engine/index.ts';
import type { HistoryDatabase } from './database.ts';
import type { RowBatch } from './spill-segment.ts';

export interface InsertOptions {
  /** Told of each row that the engine refuses; it is passed over. */
  readonly onRefused: (error: TocsinError) => void;
  /** Asked when the rows could not be inserted now. True: they are taken care of otherwise. False: try again. */
  readonly onUnavailable: (error: TocsinError, attempt: number, batch: RowBatch) => Promise<boolean>;
  /** Once it is aborted, an attempt that is on its way is not waited for and counts as failed. */
  readonly impatience?: AbortSignal | undefined;
}

/** Inserts rows until each of them is in the history, refused, or taken care of otherwise. Never rejects by itself. */
export async function insertRows(
  database: HistoryDatabase,
  batch: RowBatch,
  options: InsertOptions,
): Promise<void> {
  const { table, lines } = batch;
  for (let attempt = 1; ; attempt++) {
    try {
      await orAborted(database.insert(table, lines), options.impatience);
      return;
    } catch (thrown) {
      const error = asTocsinError(thrown);
      if (error.code !== 'TOC_HISTORY_ROW_REFUSED') {
        if (await options.onUnavailable(error, attempt, batch)) return;
        continue;
      }
      if (lines.length === 1) {
        options.onRefused(error);
        return;
      }
      // One bad row takes no other with it: it is found by halving.
      const middle = lines.length >> 1;
      await insertRows(database, { table, lines: lines.slice(0, middle) }, options);
      await insertRows(database, { table, lines: lines.slice(middle) }, options);
      return;
    }
  }
}

const firstBackoffMs = 200;
const longestBackoffMs = 30_000;

/** How long to wait after the given attempt, the first being 1. */
export function backoffMs(attempt: number): number {
  return Math.min(firstBackoffMs * 2 ** (attempt - 1), longestBackoffMs);
}

async function orAborted(work: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (!signal) return work;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = (): void =>
    reject(new TocsinError('TOC_HISTORY_UNAVAILABLE', 'the history was not waited for'));
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort);
  try {
    await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function asTocsinError(thrown: unknown): TocsinError {
  return thrown instanceof TocsinError
    ? thrown
    : new TocsinError('TOC_HISTORY_UNAVAILABLE', 'the history failed unexpectedly', { cause: thrown });
}
