import type { TableChange } from '../engine/index.ts';
import { encodeRow, rowKey } from './checkpoint-row.ts';

/** About what one command writes, and moves from the journal to the rows: see bench/redis-store.ts. */
const chunkBytes = 256 * 1024;
const chunkRows = 500;

/** Lengths of key and value, big endian. */
const headerLength = 8;

/**
 * A delta as chunks for the journal. A chunk is a sequence of changes: the lengths of key and value (4 bytes each), key, value; a row
 * that was deleted has a value of no length. The script that moves chunks to the rows reads the same.
 */
export function chunksOf(changes: readonly TableChange[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  let parts: Uint8Array[] = [];
  let [length, count] = [0, 0];
  const cut = (): void => {
    if (count > 0) chunks.push(Buffer.concat(parts, length));
    parts = [];
    [length, count] = [0, 0];
  };
  for (const change of changes) {
    const key = Buffer.from(rowKey(change.table, change.key));
    const value = change.value === undefined ? new Uint8Array(0) : encodeRow(change);
    const header = Buffer.allocUnsafe(headerLength);
    header.writeUInt32BE(key.length, 0);
    header.writeUInt32BE(value.length, 4);
    const size = headerLength + key.length + value.length;
    if (length + size > chunkBytes || count === chunkRows) cut();
    parts.push(header, key, value);
    length += size;
    count++;
  }
  cut();
  return chunks;
}

/** A change of a chunk; `row` is null where the row was deleted. `key` is what `fieldOf` makes of the row's key. */
export interface JournaledChange {
  readonly key: string;
  readonly row: Buffer | null;
}

/** Throws RangeError when the chunk is not whole. */
export function* changesOf(chunk: Buffer): Generator<JournaledChange> {
  for (let at = 0; at < chunk.length;) {
    const keyAt = at + headerLength;
    const valueAt = keyAt + chunk.readUInt32BE(at);
    const end = valueAt + chunk.readUInt32BE(at + 4);
    if (end > chunk.length) throw new RangeError('the chunk ends too early');
    yield {
      key: fieldOf(chunk.subarray(keyAt, valueAt)),
      row: end === valueAt ? null : chunk.subarray(valueAt, end),
    };
    at = end;
  }
}

/** The bytes of a key as text that tells them apart. */
export function fieldOf(bytes: Buffer): string {
  return bytes.toString('latin1');
}
