/** Pieces of bytes as one stream: each behind its length, 32 bits, big endian. */
export function frame(bytes: Uint8Array): Uint8Array[] {
  const head = Buffer.allocUnsafe(4);
  head.writeUInt32BE(bytes.length);
  return [head, bytes];
}

/** The pieces of such a stream. Rejects with RangeError when it ends inside of one. */
export async function* unframe(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0);
  for await (const chunk of stream) {
    rest = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk]);
    let at = 0;
    while (rest.length - at >= 4) {
      const end = at + 4 + rest.readUInt32BE(at);
      if (rest.length < end) break;
      yield rest.subarray(at + 4, end);
      at = end;
    }
    rest = rest.subarray(at);
  }
  if (rest.length > 0) throw new RangeError(`the stream ended ${rest.length} bytes into a piece`);
}
