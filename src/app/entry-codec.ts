import type { AlertsEntry, LogEntry } from '../incident/index.ts';
import { jsonCodec, type EntryCodec } from '../log/index.ts';
import { decodeReceived, encodeReceived, isEncodedReceived, type Received } from '../source/index.ts';

/** Reports on their way into the log, with the request that they were read from. */
export interface AlertsDraft extends AlertsEntry {
  readonly received: Received;
}

const json = jsonCodec<LogEntry>();

/** Entries as JSON; reports as the request that brought them. */
export const entryCodec: EntryCodec<LogEntry> = {
  encode(draft) {
    if (!('received' in draft)) return json.encode(draft);
    const { kind, timeMs, payload, received } = draft as AlertsDraft;
    return { entry: { kind, timeMs, payload }, bytes: encodeReceived(timeMs, received) };
  },
  decode: (bytes) => (isEncodedReceived(bytes) ? decodeReceived(bytes) : json.decode(bytes)),
};
