import type { AlertsEntry } from '../incident/index.ts';
import type { DecodeContext, DecodeResult } from './decode.ts';
import { decoders, isSourceFormat, type SourceFormat } from './decoders.ts';

/** A request as it came, and all that its decoder needs beside it: decoding it again gives the same alerts. */
export interface Received {
  readonly format: SourceFormat;
  readonly context: DecodeContext;
  /** How far log time is ahead of the clock that the sender's times are of. */
  readonly aheadMs: number;
  readonly body: Uint8Array;
}

/** Reads a request. Its times become log time. */
export function decodeRequest({ format, context, aheadMs, body }: Received): DecodeResult {
  const result = decoders[format](body, context);
  if (aheadMs === 0) return result;
  const alerts = result.alerts.map((alert) => ({
    ...alert,
    startsAtMs: alert.startsAtMs + aheadMs,
    endsAtMs: alert.endsAtMs + aheadMs,
    receivedAtMs: alert.receivedAtMs + aheadMs,
  }));
  return { ...result, alerts };
}

/** What `bytes` of `encodeReceived` begin with; JSON never does. */
const mark = 1;
const prefixLength = 5;

/**
 * An entry of reports as the bytes of the request: the mark, the length of a head (32 bits, big endian), the head as JSON, the body.
 * Nothing is encoded again, and what a sender said stays as it was said.
 */
export function encodeReceived(timeMs: number, { format, context, aheadMs, body }: Received): Uint8Array {
  const head = Buffer.from(JSON.stringify({ timeMs, format, context, aheadMs }));
  const bytes = Buffer.allocUnsafe(prefixLength + head.length + body.length);
  bytes[0] = mark;
  bytes.writeUInt32BE(head.length, 1);
  bytes.set(head, prefixLength);
  bytes.set(body, prefixLength + head.length);
  return bytes;
}

export function isEncodedReceived(bytes: Uint8Array): boolean {
  return bytes[0] === mark;
}

/** Decodes the request again. Throws where the bytes are not of `encodeReceived`. */
export function decodeReceived(bytes: Uint8Array): AlertsEntry {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const bodyStart = prefixLength + view.readUInt32BE(1);
  const head = JSON.parse(view.toString('utf8', prefixLength, bodyStart)) as {
    readonly timeMs: number;
    readonly format: string;
    readonly context: DecodeContext;
    readonly aheadMs: number;
  };
  const { timeMs, format, context, aheadMs } = head;
  if (!isSourceFormat(format)) throw new RangeError(`there is no format ${format}`);
  const { alerts } = decodeRequest({ format, context, aheadMs, body: view.subarray(bodyStart) });
  return { kind: 'alerts', timeMs, payload: alerts };
}
