import { open, type FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';

/** Rows of one table, as lines of JSON. */
export interface RowBatch {
  readonly table: string;
  readonly lines: readonly string[];
}

export interface SpillRecord extends RowBatch {
  /** Where the next record begins. */
  readonly endOffset: number;
}

export interface SegmentExtent {
  /** Rows of the whole records, by what their heads say. */
  readonly rowCount: number;
  /** Where the last whole record ends. What is behind it was cut off by a crash. */
  readonly endOffset: number;
}

/**
 * A record: 16 bytes of head (`TSP1`, bytes of the body, rows in it, CRC-32 of those three and the body; unsigned 32-bit, big-endian),
 * then the body: the table's name and the rows, a line each.
 */
const headBytes = 16;
const magic = 0x54535031;

export function encodeRecord({ table, lines }: RowBatch): Buffer {
  const body = Buffer.from(`${table}\n${lines.join('\n')}`, 'utf8');
  const head = Buffer.alloc(headBytes);
  head.writeUInt32BE(magic, 0);
  head.writeUInt32BE(body.length, 4);
  head.writeUInt32BE(lines.length, 8);
  head.writeUInt32BE(checksum(head, body), 12);
  return Buffer.concat([head, body]);
}

/** The record at `offset`, before `limit`, or null when what is there is none, or not what was written. */
export async function readRecord(
  file: FileHandle,
  offset: number,
  limit: number,
): Promise<SpillRecord | null> {
  const head = await readHead(file, offset);
  if (!head || offset + headBytes + head.bodyBytes > limit) return null;
  const body = Buffer.alloc(head.bodyBytes);
  const { bytesRead } = await file.read(body, 0, body.length, offset + headBytes);
  if (bytesRead < body.length || checksum(head.bytes, body) !== head.checksum) return null;
  const [table = '', ...lines] = body.toString('utf8').split('\n');
  return { table, lines, endOffset: offset + headBytes + body.length };
}

/** Goes from head to head, without reading the rows: a gibibyte of them costs a few thousand small reads. */
export async function scanSegment(path: string): Promise<SegmentExtent> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    let rowCount = 0;
    let endOffset = 0;
    for (;;) {
      const head = await readHead(file, endOffset);
      if (!head || endOffset + headBytes + head.bodyBytes > size) return { rowCount, endOffset };
      rowCount += head.rowCount;
      endOffset += headBytes + head.bodyBytes;
    }
  } finally {
    await file.close();
  }
}

interface Head {
  readonly bytes: Buffer;
  readonly bodyBytes: number;
  readonly rowCount: number;
  readonly checksum: number;
}

async function readHead(file: FileHandle, offset: number): Promise<Head | null> {
  const bytes = Buffer.alloc(headBytes);
  const { bytesRead } = await file.read(bytes, 0, headBytes, offset);
  if (bytesRead < headBytes || bytes.readUInt32BE(0) !== magic) return null;
  return {
    bytes,
    bodyBytes: bytes.readUInt32BE(4),
    rowCount: bytes.readUInt32BE(8),
    checksum: bytes.readUInt32BE(12),
  };
}

function checksum(head: Buffer, body: Buffer): number {
  return crc32(body, crc32(head.subarray(0, 12)));
}
