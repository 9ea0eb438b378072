import { TocsinError } from '../engine/index.ts';
import type { StreamClient } from './jetstream-client.ts';

export function gap(stream: string, first: number, last: number): TocsinError {
  const which = first === last ? `entry ${first} was` : `entries ${first} to ${last} were`;
  return new TocsinError('TOC_LOG_GAP', `${which} taken out of the stream ${stream} before being read`);
}

/** What a hole in what a reader gave means: a gap only where the stream's leader does not have the entry either. Rejects where it cannot be asked. */
export async function confirmGap(
  client: Pick<StreamClient, 'stream' | 'message'>,
  first: number,
  last: number,
): Promise<TocsinError> {
  const isThere = (await client.message(first)) !== null;
  return isThere
    ? new TocsinError('TOC_LOG_UNAVAILABLE', `the stream ${client.stream} was read with a hole at ${first}`)
    : gap(client.stream, first, last);
}

export function unreadable(position: number, cause: unknown): TocsinError {
  return new TocsinError('TOC_LOG_CORRUPT', `the entry at position ${position} cannot be read`, { cause });
}

export function replaced(stream: string, identity: string, found: string | null): TocsinError {
  const instead = found === null ? '' : `; one of ${found} is in its place`;
  return new TocsinError('TOC_LOG_REPLACED', `the stream ${stream} of ${identity} is gone${instead}`);
}

export function withoutMajority(stream: string): TocsinError {
  return new TocsinError(
    'TOC_LOG_UNAVAILABLE',
    `most of the servers that keep the stream ${stream} are away`,
  );
}
