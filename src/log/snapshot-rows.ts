import { decode, encode, type Checkpoint, type TableChange } from '../engine/index.ts';

/** Length of a row, in front of it: 32 bits, big endian. */
const lengthBytes = 4;

/** A row as table, key, order (0 for one that keeps its place) and value; the last two are left out where it was deleted. */
export function frameRow({ table, key, order, value }: TableChange): Buffer {
  const content = encode(value === undefined ? [table, key] : [table, key, order ?? 0, value]);
  const frame = Buffer.allocUnsafe(lengthBytes + content.length);
  frame.writeUInt32BE(content.length);
  frame.set(content, lengthBytes);
  return frame;
}

/** Puts rows together again, out of bytes that were cut anywhere. */
export class RowCollector {
  readonly #rows = new Map<string, Checkpoint['rows'][number]>();
  #rest: Buffer = Buffer.alloc(0);

  /** Throws where the bytes are no rows. */
  take(bytes: Uint8Array): void {
    const all = this.#rest.length === 0 ? Buffer.from(bytes) : Buffer.concat([this.#rest, bytes]);
    let at = 0;
    while (at + lengthBytes <= all.length) {
      const end = at + lengthBytes + all.readUInt32BE(at);
      if (end > all.length) break;
      this.#put(decode(all.subarray(at + lengthBytes, end)) as readonly [string, string, number?, unknown?]);
      at = end;
    }
    this.#rest = all.subarray(at);
  }

  /** Throws RangeError where the last row is cut off. */
  end(): Checkpoint['rows'] {
    if (this.#rest.length > 0) throw new RangeError('the last row is cut off');
    return [...this.#rows.values()];
  }

  #put([table, key, order = 0, value]: readonly [string, string, number?, unknown?]): void {
    const name = `${table}\u0000${key}`;
    if (value === undefined) this.#rows.delete(name);
    else this.#rows.set(name, { table, key, order: order || (this.#rows.get(name)?.order ?? 0), value });
  }
}
