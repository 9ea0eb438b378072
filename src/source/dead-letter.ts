/** A message that was not taken as a whole. */
export interface BadMessage {
  readonly subject: string;
  /** Null where they cannot be read. */
  readonly headers: Iterable<readonly [name: string, values: readonly string[]]> | null;
  readonly data: Uint8Array;
  /** Of `docs/errors.md`. */
  readonly code: string;
  readonly reasons: readonly string[];
  /** The same for each delivery of the message; null where the message has no identity. */
  readonly id: string | null;
}

/** What is published of it. */
export interface DeadLetter {
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly data: Uint8Array;
}

type Headers = DeadLetter['headers'];

const maxReasonLength = 1000;
const originalPrefix = 'Tocsin-Header-';

/**
 * A bad message as dead letters that a server takes whose `max_payload` is `maxBytes`: one with all its bytes, or several parts that
 * are joined in their order. None where not even the headers have room in it.
 *
 * - `Tocsin-Error-Code`, `Tocsin-Error`: why, at most 1,000 characters of printable ASCII
 * - `Tocsin-Subject`: where it was published
 * - `Tocsin-Header-<name>`: its own headers; where they have no room or cannot be read, `Tocsin-Headers-Omitted` says so
 * - `Tocsin-Part` (`2/3`), `Tocsin-Letter` (the same for all parts) and `Tocsin-Size` (bytes of all parts): only where it has parts
 * - `Nats-Msg-Id`: so that a stream keeps one of each, however often the message is delivered; only where the message has an identity
 */
export function deadLetters(message: BadMessage, maxBytes: number): readonly DeadLetter[] {
  const { data, id } = message;
  const headers = headersOf(message, maxBytes);
  if (sizeOf(identified(headers, id)) + data.length <= maxBytes)
    return [{ headers: identified(headers, id), data }];
  const letter = id ?? crypto.randomUUID();
  const part = (index: number, count: number): Headers =>
    identified(
      [
        ...headers,
        ['Tocsin-Part', `${index + 1}/${count}`],
        ['Tocsin-Letter', letter],
        ['Tocsin-Size', String(data.length)],
      ],
      id === null ? null : `${id}/${index + 1}`,
    );
  // No message has more parts than bytes.
  const room = maxBytes - sizeOf(part(data.length, data.length));
  if (room < 1) return [];
  const count = Math.ceil(data.length / room);
  return Array.from({ length: count }, (_, index) => ({
    headers: part(index, count),
    data: data.subarray(index * room, (index + 1) * room),
  }));
}

/** The bytes of headers on the wire, which count into `max_payload`. */
export function sizeOf(headers: Headers): number {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.byteLength(`NATS/1.0\r\n${lines.join('')}\r\n`);
}

function headersOf({ subject, headers, code, reasons }: BadMessage, maxBytes: number): Headers {
  const own: Headers = [
    ['Tocsin-Error-Code', code],
    ['Tocsin-Error', asHeader(reasons.join('; '))],
    ['Tocsin-Subject', subject],
  ];
  if (headers === null) return [...own, ['Tocsin-Headers-Omitted', 'they cannot be read']];
  const originals = [...headers].flatMap(([name, values]) =>
    values.map((value) => [`${originalPrefix}${name}`, value] as const),
  );
  const all = [...own, ...originals];
  // Every part has the headers, so they may not take the room of the data.
  if (sizeOf(all) <= maxBytes / 2) return all;
  return [...own, ['Tocsin-Headers-Omitted', `${originals.length}, which are too large`]];
}

/** A text as the value of a header: one line of printable ASCII. */
function asHeader(text: string): string {
  const cut = text.length > maxReasonLength ? `${text.slice(0, maxReasonLength - 3)}...` : text;
  return cut.replaceAll(/[^\x20-\x7e]/g, '?').trim();
}

function identified(headers: Headers, id: string | null): Headers {
  return id === null ? headers : [...headers, ['Nats-Msg-Id', id]];
}
