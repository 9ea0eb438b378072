import { Packr } from 'msgpackr';

/** Plain data (numbers, strings, booleans, null, arrays, plain objects) as bytes and back. Each piece stands alone. */
const packr = new Packr({ useRecords: false });

/** Encodes at once: later changes of `value` do not reach the bytes. */
export function encode(value: unknown): Uint8Array {
  return packr.pack(value);
}

export function decode(bytes: Uint8Array): unknown {
  return packr.unpack(bytes);
}
