import type { Trouble } from '../../api/index.ts';
import { TocsinError } from '../../engine/index.ts';
import type { LogEntry } from '../../incident/index.ts';
import type { LogWriter } from '../../log/index.ts';

type AppendingWriter = Pick<LogWriter<LogEntry>, 'append'>;

/** The logs of all partitions, by number, and which of them do not take what is appended. */
export interface WatchedWriters {
  readonly writers: readonly AppendingWriter[];
  /** Those that did not take the last that was to be appended. A server may answer while a stream lacks room or a majority. */
  troubles(): readonly Trouble[];
}

export function watchWriters(writers: readonly AppendingWriter[]): WatchedWriters {
  const failing = new Map<number, Trouble>();
  return {
    writers: writers.map((writer, partition) => ({
      async append(draft) {
        try {
          const appended = await writer.append(draft);
          failing.delete(partition);
          return appended;
        } catch (error) {
          if (error instanceof TocsinError && error.code === 'TOC_LOG_UNAVAILABLE')
            failing.set(partition, { code: error.code, message: `partition ${partition}: ${error.message}` });
          throw error;
        }
      },
    })),
    troubles: () => [...failing.values()],
  };
}
