import { decode, encode, type Checkpoint, type TableChange } from '../engine/index.ts';
import { shortKey } from './short-key.ts';

export type CheckpointRow = Checkpoint['rows'][number];

/** A row is its order (a double, big endian) and then its table, key and value. Orders begin at 1. */
const orderLength = 8;
const noOrder = new Uint8Array(orderLength);

/** The name under which a row is kept. What a row is called stands in its value too. */
export function rowKey(table: string, key: string): string {
  return shortKey(`${table}\u0000${key}`);
}

/** A row that is not new has no order yet: see `inItsPlace`. */
export function encodeRow({ table, key, order, value }: TableChange): Uint8Array {
  const content = encode([table, key, value]);
  const bytes = Buffer.allocUnsafe(orderLength + content.length);
  bytes.writeDoubleBE(order ?? 0);
  bytes.set(content, orderLength);
  return bytes;
}

/** `bytes` with the order that the row was written with first, where it has none itself. Changes `bytes`. */
export function inItsPlace(bytes: Uint8Array, former: Uint8Array | undefined): Uint8Array {
  if (bytes[0] === 0) bytes.set(former?.subarray(0, orderLength) ?? noOrder);
  return bytes;
}

export function decodeRow(bytes: Uint8Array): CheckpointRow {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const [table, key, value] = decode(view.subarray(orderLength)) as [string, string, unknown];
  return { table, key, order: view.readDoubleBE(0), value };
}
