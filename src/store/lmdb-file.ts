import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { TocsinError } from '../engine/index.ts';

/** `MDB_page_header`, and of the `MDB_meta` behind it: magic, page size, roots and last transaction (liblmdb/mdb.c, 64 bit). */
const magicAt = 24;
const pageSizeAt = 48;
const freeRootAt = 88;
const mainRootAt = 136;
const transactionAt = 152;
const metaLength = 160;
const magic = 0xbeefc0de;
const noRoot = 0xffff_ffff_ffff_ffffn;

/**
 * Looks whether the LMDB file in `folder` can be opened at all. LMDB maps the file into memory and trusts it: one that was
 * overwritten or cut off would end the process by a signal, without a word. A folder without a file is fine.
 * Rejects with `code` when the file is not whole as far as its two meta pages tell.
 */
export async function checkLmdbFile(
  folder: string,
  code: 'TOC_LOG_CORRUPT' | 'TOC_STORE_CORRUPT',
): Promise<void> {
  const path = join(folder, 'data.mdb');
  const file = await open(path).catch(() => null);
  if (!file) return;
  try {
    const { size } = await file.stat();
    if (size === 0) return;
    const metaAt = async (offset: number): Promise<Buffer> =>
      (await file.read(Buffer.alloc(metaLength), 0, metaLength, offset)).buffer;
    const first = await metaAt(0);
    const pageSize = first.readUInt32LE(pageSizeAt);
    const isFirstMeta = first.readUInt32LE(magicAt) === magic;
    const second = await metaAt(isFirstMeta ? pageSize : 0);
    if (!isFirstMeta || second.readUInt32LE(magicAt) !== magic)
      throw new TocsinError(code, `${path} does not begin as it should: it was overwritten`);
    const newest =
      first.readBigUInt64LE(transactionAt) >= second.readBigUInt64LE(transactionAt) ? first : second;
    for (const at of [freeRootAt, mainRootAt]) {
      const root = newest.readBigUInt64LE(at);
      if (root !== noRoot && (root + 1n) * BigInt(pageSize) > BigInt(size))
        throw new TocsinError(
          code,
          `${path} ends after ${size} bytes, before its newest page: it was cut off`,
        );
    }
  } finally {
    await file.close();
  }
}
