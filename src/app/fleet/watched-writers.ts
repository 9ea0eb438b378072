import type { Trouble } from '../../api/index.ts';
import { TocsinError } from '../../engine/index.ts';
import type { LogEntry } from '../../incident/index.ts';
import type { LogWriter } from '../../log/index.ts';

type AppendingWriter = Pick<LogWriter<LogEntry>, 'append' | 'trouble'>;

/** The logs of all partitions, by number, and which of them do not take what is appended. */
export interface WatchedWriters {
  readonly writers: readonly Pick<AppendingWriter, 'append'>[];
  /**
   * Those that do not answer or were replaced, and those that did not take the last that was to be appended, for a minute: nobody may append
   * anything for long after that. A server may answer while a stream lacks room or a majority.
   */
  troubles(): readonly Trouble[];
  /** Whether no log takes anything at the moment. */
  areAllAway(): boolean;
}

const toldForMs = 60_000;

export function watchWriters(writers: readonly AppendingWriter[], nowMs: () => number): WatchedWriters {
  const failing = new Map<number, { readonly error: TocsinError; readonly atMs: number }>();
  return {
    writers: writers.map((writer, partition) => ({
      async append(draft) {
        try {
          const appended = await writer.append(draft);
          failing.delete(partition);
          return appended;
        } catch (error) {
          if (error instanceof TocsinError && error.code === 'TOC_LOG_UNAVAILABLE')
            failing.set(partition, { error, atMs: nowMs() });
          throw error;
        }
      },
    })),
    troubles: () =>
      writers.flatMap(({ trouble }, partition) => {
        const failed = failing.get(partition);
        const { code, message } =
          trouble ?? (failed && nowMs() - failed.atMs < toldForMs ? failed.error : null) ?? {};
        return code === undefined ? [] : [{ code, message: `partition ${partition}: ${message}` }];
      }),
    // What failed a while ago may be over, and nobody sends to an unready process to find out.
    areAllAway: () => writers.every(({ trouble }) => trouble !== null),
  };
}
