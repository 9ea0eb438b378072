import type { Entry } from '../engine/index.ts';
import type { JetStreamLogOptions } from './jetstream.ts';
import type { LogWriter, SharedLog } from './log.ts';
import type { Snapshots } from './stream-snapshots.ts';

/**
 * Opens the log of a partition on a JetStream stream, for who follows it. A message is an entry, and its sequence number the position.
 * Durable means: kept by a majority of the stream's servers, each of which writes through as its own `sync_interval` says.
 * Rejects with TOC_LOG_UNAVAILABLE where the servers do not answer, with TOC_LOG_MISMATCH where the stream was made for another number of
 * partitions, and with TOC_LOG_CORRUPT where the last entry cannot be read.
 *
 * The client is loaded only where it is used: it costs a tenth of the start.
 */
export async function openJetStreamLog<E extends Entry>(
  options: JetStreamLogOptions<E>,
): Promise<SharedLog<E>> {
  const { followStream } = await import('./jetstream.ts');
  return followStream(options);
}

/** As `openJetStreamLog`, for who only appends reports and commands. Its appends resolve before anybody has been handed the entry. */
export async function openJetStreamWriter<E extends Entry>(
  options: JetStreamLogOptions<E>,
): Promise<LogWriter<E>> {
  const { writeStream } = await import('./jetstream.ts');
  return writeStream(options);
}

/**
 * Opens what lies beside the log of a partition: whole checkpoints, in a stream of its own on the same servers with as many replicas. A log
 * is trimmed only up to the last of them. Rejects with TOC_LOG_UNAVAILABLE where the servers do not answer.
 */
export async function openJetStreamSnapshots(
  options: Omit<JetStreamLogOptions<Entry>, 'codec'>,
): Promise<Snapshots> {
  const { openStreamSnapshots } = await import('./stream-snapshots.ts');
  return openStreamSnapshots(options);
}
