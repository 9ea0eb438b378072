import { join } from 'node:path';
import type { Logger } from './logger.ts';
import { TocsinError, type Carrier } from '../engine/index.ts';
import {
  canOpenHistory,
  createMissingRecall,
  createRecall,
  HistoryReader,
  HistoryWriter,
  LaterDatabase,
  openHistory,
  type HistoryDatabase,
  type HistoryOptions,
} from '../history/index.ts';
import type { TocsinConfig } from './config-schema.ts';
import { seldom } from './seldom.ts';
import type { Telemetry } from './telemetry.ts';

/** The history of this process, or what stands in for it when there is none. */
export interface HistoryParts {
  readonly writer: HistoryWriter | null;
  readonly reader: HistoryReader | null;
  readonly recall: Carrier;
  /** Opens now what was to be opened later: the process is about to end, and rows wait. */
  hurry(): void;
  close(): Promise<void>;
}

export interface HistoryPartsOptions {
  readonly logger: Logger;
  readonly telemetry: Telemetry;
  /** How long to wait before the engine is loaded; 0 loads it before this resolves. */
  readonly delayMs: number;
}

const closeGraceMs = 5000;
/** In a storm each incident asks. */
const problemEveryMs = 30_000;
const mib = 1024 * 1024;

/**
 * Opens the history that the configuration asks for. Without an engine it says so plainly and goes on: incidents are then
 * marked `historyMissing`.
 */
export async function openHistoryParts(
  { history }: TocsinConfig,
  folder: string,
  { logger, telemetry, delayMs }: HistoryPartsOptions,
): Promise<HistoryParts> {
  const missing: HistoryParts = {
    writer: null,
    reader: null,
    recall: createMissingRecall(),
    hurry: () => undefined,
    close: async () => undefined,
  };
  if (!history.enabled) {
    logger.info(
      'The history is turned off: nothing is kept for analysts, and there is no recall of similar incidents.',
    );
    return missing;
  }
  const place = historyOptions(history, folder);
  const warnOfMissing = (why: string): void =>
    logger.warn(
      `There is no history: ${why} Nothing is kept for analysts, and there is no recall of similar incidents.`,
    );
  let source: HistoryDatabase;
  let later: LaterDatabase | null = null;
  const isServer = 'url' in place;
  // A server that keeps silent must not keep the start waiting: nothing but rows and recall needs it.
  if (isServer || (delayMs > 0 && canOpenHistory(place))) {
    const open = async (): Promise<HistoryDatabase> => {
      const opened = await openHistory(place);
      if (opened.problem) logger.warn({ code: opened.problem.code }, opened.problem.message);
      if (opened.database) return opened.database;
      throw new TocsinError('TOC_HISTORY_UNAVAILABLE', opened.missing);
    };
    const onMissing = (error: unknown): void => {
      if (!isServer) warnOfMissing(error instanceof Error ? error.message : '');
      else {
        logger.error(
          { err: error },
          'The history on the ClickHouse server cannot be used. Rows wait on the disk until this is put right; it is tried again.',
        );
      }
    };
    // Rows for a server wait on the disk until somebody has put right what keeps it closed.
    const onLost = isServer
      ? null
      : (count: number): void =>
          telemetry.count('tocsin_history_rows_dropped_total', count, { reason: 'missing' });
    source = later = new LaterDatabase({ delayMs, open, onMissing, onLost });
  } else {
    const opened = await openHistory(place);
    if (opened.database === null) {
      warnOfMissing(opened.missing);
      return missing;
    }
    if (opened.problem) logger.warn({ code: opened.problem.code }, opened.problem.message);
    source = opened.database;
  }
  const opening = later?.opened ?? Promise.resolve();
  const writer = await HistoryWriter.open(source, {
    partition: '0',
    flushIntervalMs: history.flush_interval,
    maxBatchRows: history.max_batch_rows,
    maxBufferedRows: history.max_buffered_rows,
    maxBufferedBytes: history.max_buffered_mib * mib,
    spill: isServer
      ? { folder: join(folder, 'history-spill'), maxBytes: history.max_spill_mib * mib }
      : undefined,
    onDropped: (count, reason) => {
      telemetry.count('tocsin_history_rows_dropped_total', count, { reason });
      logger.error({ count, reason }, 'Rows are missing in the history.');
    },
    onRetry: (error, attempt) => logger.warn({ code: error.code, attempt }, error.message),
    onSpillFailure: (error) =>
      logger.error(
        { err: error },
        'The spill of the history cannot be written or read: rows wait in memory, and what is on the disk waits there.',
      ),
    onBacklog: (isWaiting) =>
      isWaiting
        ? logger.warn('Rows wait on the disk until the ClickHouse server takes them.')
        : logger.info('The ClickHouse server has all rows that waited on the disk.'),
  });
  const recall = createRecall(source, {
    timeoutMs: history.recall_timeout,
    onProblem: seldom(problemEveryMs, (error, count) =>
      logger.warn({ err: error, count }, 'The history could not be asked for similar incidents.'),
    ),
  });
  return {
    writer,
    reader: new HistoryReader(source),
    recall: async (effect, stop) => {
      await opening;
      return recall(effect, stop);
    },
    hurry: () => later?.hurry(),
    async close() {
      await writer.close(closeGraceMs);
      await source.close();
    },
  };
}

/** Where the history is, and how its server is spoken to. */
export function historyOptions(history: TocsinConfig['history'], folder: string): HistoryOptions {
  const { url, ttl, tls } = history;
  if (url === undefined) return { path: join(folder, 'history'), ttl };
  return {
    url,
    user: history.user,
    passwordFile: history.password_file,
    database: history.database,
    tls: tls && { caFile: tls.ca_file, certFile: tls.cert_file, keyFile: tls.key_file },
    connectTimeoutMs: history.connect_timeout,
    requestTimeoutMs: history.request_timeout,
    compression: history.compression,
    asyncInsert: history.async_insert,
    placement: {
      cluster: history.cluster,
      replicated: history.replicated
        ? { path: history.replica_path, replica: history.replica_name }
        : undefined,
    },
    ttl,
  };
}
