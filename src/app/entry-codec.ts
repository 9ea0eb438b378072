import type { AlertsEntry, LogEntry } from '../incident/index.ts';
import { jsonCodec, type EncodedEntry, type EntryCodec } from '../log/index.ts';
import { decodeReceived, encodeReceived, isEncodedReceived, type Received } from '../source/index.ts';

/** Reports on their way into the log, with the request that they were read from. */
export interface AlertsDraft extends AlertsEntry {
  readonly received: Received;
}

const json = jsonCodec<LogEntry>();

/** Entries as JSON; reports as the request that brought them; several requests that share an entry one behind the other. */
export const entryCodec: EntryCodec<LogEntry> = {
  encode(draft) {
    if (!('received' in draft)) return json.encode(draft);
    const { kind, timeMs, payload, received } = draft as AlertsDraft;
    return { entry: { kind, timeMs, payload }, bytes: encodeReceived(timeMs, received) };
  },
  decode(bytes) {
    if (isEncodedReceived(bytes)) return decodeReceived(bytes);
    return bytes[0] === joinedMark ? joinEntries(partsOf(bytes).map(decodeAlerts)) : json.decode(bytes);
  },
  join: (parts) => ({
    entry: joinEntries(parts.map(({ entry }) => entry as AlertsEntry)),
    bytes: joinBytes(parts),
  }),
};

/** What joined entries begin with; neither JSON nor a request does. */
const joinedMark = 2;
const lengthBytes = 4;

/** The reports of all, in their order; the time is the latest. */
function joinEntries(entries: readonly AlertsEntry[]): AlertsEntry {
  return {
    kind: 'alerts',
    timeMs: Math.max(...entries.map(({ timeMs }) => timeMs)),
    payload: entries.flatMap(({ payload }) => payload),
  };
}

/** The mark, and then of each part its length (32 bits, big endian) and itself. */
function joinBytes(parts: readonly EncodedEntry<LogEntry>[]): Uint8Array {
  const chunks: Uint8Array[] = [Uint8Array.of(joinedMark)];
  for (const { bytes } of parts) {
    const length = Buffer.allocUnsafe(lengthBytes);
    length.writeUInt32BE(bytes.length);
    chunks.push(length, bytes);
  }
  return Buffer.concat(chunks);
}

function partsOf(bytes: Uint8Array): Uint8Array[] {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const parts: Uint8Array[] = [];
  for (let start = 1; start < view.length;) {
    const end = start + lengthBytes + view.readUInt32BE(start);
    if (end > view.length) throw new RangeError('a joined entry ends too early');
    parts.push(view.subarray(start + lengthBytes, end));
    start = end;
  }
  return parts;
}

function decodeAlerts(bytes: Uint8Array): AlertsEntry {
  return (isEncodedReceived(bytes) ? decodeReceived(bytes) : json.decode(bytes)) as AlertsEntry;
}
