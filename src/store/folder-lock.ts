import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { TocsinError } from '../engine/index.ts';
import { makeFolder } from './folder-format.ts';

export interface FolderLock {
  release(): Promise<void>;
}

/**
 * Makes sure that one process works in a storage folder, also where processes do not see each other (two containers on one
 * volume). The operating system holds the lock and lets go of it when the process ends, however it ends: a process id in a
 * file may be another process by then, or the same one. Node has no call for a file lock; the SQLite that it brings has, and its
 * file `lock` stays empty.
 *
 * Rejects with TOC_STORE_LOCKED while another process, or this one, holds it, and with TOC_STORE_UNAVAILABLE when the folder
 * cannot be written.
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  let database: DatabaseSync | null = null;
  try {
    await makeFolder(folder);
    database = new DatabaseSync(join(folder, 'lock'), { timeout: 0 });
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (cause) {
    database?.close();
    if (isBusy(cause)) {
      throw new TocsinError('TOC_STORE_LOCKED', `another Tocsin process works in ${folder}`, { cause });
    }
    const message = isForeign(cause)
      ? `the file lock in ${folder} is none of this version: remove it when no other Tocsin works there`
      : `cannot write to the storage folder ${folder}`;
    throw new TocsinError('TOC_STORE_UNAVAILABLE', message, { cause });
  }
  const held = database;
  return {
    release: async () => {
      if (held.isOpen) held.close();
    },
  };
}

/** SQLITE_NOTADB. */
function isForeign(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && Number(error.errcode) === 26;
}

/** SQLITE_BUSY, with or without an extended code. */
function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && (Number(error.errcode) & 0xff) === 5;
}
