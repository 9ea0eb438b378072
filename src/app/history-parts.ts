import { join } from 'node:path';
import type { Logger } from './logger.ts';
import type { Carrier } from '../engine/index.ts';
import {
  createMissingRecall,
  createRecall,
  HistoryReader,
  HistoryWriter,
  openHistory,
} from '../history/index.ts';
import type { TocsinConfig } from './config-schema.ts';
import type { Telemetry } from './telemetry.ts';

/** The history of this process, or what stands in for it when there is none. */
export interface HistoryParts {
  readonly writer: HistoryWriter | null;
  readonly reader: HistoryReader | null;
  readonly recall: Carrier;
  close(): Promise<void>;
}

const closeGraceMs = 5000;

/**
 * Opens the history that the configuration asks for. Without an engine it says so plainly and goes on: incidents are then
 * marked `historyMissing`.
 */
export async function openHistoryParts(
  { history }: TocsinConfig,
  folder: string,
  { logger, telemetry }: { readonly logger: Logger; readonly telemetry: Telemetry },
): Promise<HistoryParts> {
  const missing: HistoryParts = {
    writer: null,
    reader: null,
    recall: createMissingRecall(),
    close: async () => undefined,
  };
  if (!history.enabled) {
    logger.info(
      'The history is turned off: nothing is kept for analysts, and there is no recall of similar incidents.',
    );
    return missing;
  }
  const { url, user, password_file, database } = history;
  const opened = await openHistory(
    url === undefined
      ? { path: join(folder, 'history') }
      : { url, user, database, ...(password_file === undefined ? {} : { passwordFile: password_file }) },
  );
  if (opened.database === null) {
    logger.warn(
      `There is no history: ${opened.missing} Nothing is kept for analysts, and there is no recall of similar incidents.`,
    );
    return missing;
  }
  if (opened.problem) logger.warn({ code: opened.problem.code }, opened.problem.message);
  const source = opened.database;
  const writer = new HistoryWriter(source, {
    partition: '0',
    flushIntervalMs: history.flush_interval,
    maxBatchRows: history.max_batch_rows,
    maxBufferedRows: history.max_buffered_rows,
    maxBufferedBytes: history.max_buffered_mib * 1024 * 1024,
    onDropped: (count, reason) => {
      telemetry.count('tocsin_history_rows_dropped_total', count, { reason });
      logger.error({ count, reason }, 'Rows are missing in the history.');
    },
    onRetry: (error, attempt) => logger.warn({ code: error.code, attempt }, error.message),
  });
  return {
    writer,
    reader: new HistoryReader(source),
    recall: createRecall(source, {
      timeoutMs: history.recall_timeout,
      onProblem: (error) =>
        logger.warn({ err: error }, 'The history could not be asked for similar incidents.'),
    }),
    async close() {
      await writer.close(closeGraceMs);
      await source.close();
    },
  };
}
