import type { Trouble } from '../../api/index.ts';
import { TocsinError } from '../../engine/index.ts';
import type { LogEntry } from '../../incident/index.ts';
import type { LogWriter } from '../../log/index.ts';

type AppendingWriter = Pick<LogWriter<LogEntry>, 'append'>;

/** The logs of all partitions, by number, and which of them do not take what is appended. */
export interface WatchedWriters {
  readonly writers: readonly AppendingWriter[];
  /**
   * Those that did not take the last that was to be appended, for a minute: nobody may append anything for long after that. A server may
   * answer while a stream lacks room or a majority.
   */
  troubles(): readonly Trouble[];
}

const toldForMs = 60_000;

export function watchWriters(writers: readonly AppendingWriter[], nowMs: () => number): WatchedWriters {
  const failing = new Map<number, { readonly trouble: Trouble; readonly atMs: number }>();
  return {
    writers: writers.map((writer, partition) => ({
      async append(draft) {
        try {
          const appended = await writer.append(draft);
          failing.delete(partition);
          return appended;
        } catch (error) {
          if (error instanceof TocsinError && error.code === 'TOC_LOG_UNAVAILABLE')
            failing.set(partition, {
              trouble: { code: error.code, message: `partition ${partition}: ${error.message}` },
              atMs: nowMs(),
            });
          throw error;
        }
      },
    })),
    troubles: () =>
      [...failing.values()].filter(({ atMs }) => nowMs() - atMs < toldForMs).map(({ trouble }) => trouble),
  };
}
