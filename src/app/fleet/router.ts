import { TocsinError, partitionOf } from '../../engine/index.ts';
import type { Alert } from '../../alert/index.ts';
import type { AlertsEntry, LogEntry } from '../../incident/index.ts';
import type { LogWriter } from '../../log/index.ts';
import type { AlertsDraft } from '../entry-codec.ts';

/**
 * Appends reports to the logs of their domains' partitions; resolves once all are durable. A request whose alerts all belong to one partition
 * is kept as it came; otherwise, and where it is larger than a log takes at once, its alerts are kept in parts. Rejects when one of the
 * parts could not be kept: the sender comes again with all of them, which is harmless.
 */
export async function appendByDomain(
  writers: readonly Pick<LogWriter<LogEntry>, 'append'>[],
  draft: AlertsDraft,
): Promise<void> {
  const byPartition = Map.groupBy(draft.payload, ({ domain }) => partitionOf(domain, writers.length));
  const [only] = byPartition.keys();
  if (byPartition.size === 1) {
    await appendInParts(writers[only!]!, draft);
    return;
  }
  await Promise.all(
    [...byPartition].map(([partition, payload]) =>
      appendInParts(writers[partition]!, plainEntry(draft, payload)),
    ),
  );
}

async function appendInParts(writer: Pick<LogWriter<LogEntry>, 'append'>, entry: AlertsEntry): Promise<void> {
  try {
    await writer.append(entry);
  } catch (error) {
    const { payload } = entry;
    if (!isTooLarge(error) || payload.length < 2) throw error;
    const middle = Math.ceil(payload.length / 2);
    // What is too large alone keeps none of the others out.
    let refused: TocsinError | null = null;
    for (const part of [payload.slice(0, middle), payload.slice(middle)]) {
      try {
        await appendInParts(writer, plainEntry(entry, part));
      } catch (inner) {
        if (!isTooLarge(inner)) throw inner;
        refused = inner;
      }
    }
    if (refused) throw refused;
  }
}

function isTooLarge(error: unknown): error is TocsinError {
  return error instanceof TocsinError && error.code === 'TOC_LOG_ENTRY_TOO_LARGE';
}

function plainEntry({ timeMs }: AlertsEntry, payload: readonly Alert[]): AlertsEntry {
  return { kind: 'alerts', timeMs, payload };
}
