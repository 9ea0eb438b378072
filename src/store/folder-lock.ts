import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { TocsinError } from '../engine/index.ts';

export interface FolderLock {
  release(): Promise<void>;
}

/**
 * Makes sure that one process works in a storage folder. The lock of a process that is gone (killed, crashed) is taken over.
 * Rejects with TOC_STORE_LOCKED while its holder lives.
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  await mkdir(folder, { recursive: true });
  const file = join(folder, 'lock');
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      const handle = await open(file, 'wx');
      await handle.writeFile(String(process.pid));
      await handle.close();
      return { release: () => rm(file, { force: true }) };
    } catch (cause) {
      if (!isAlreadyThere(cause)) {
        throw new TocsinError('TOC_STORE_UNAVAILABLE', `cannot write to the storage folder ${folder}`, {
          cause,
        });
      }
      const holder = Number(await readFile(file, 'utf8').catch(() => ''));
      if (holder !== process.pid && isAlive(holder)) break;
      await rm(file, { force: true });
    }
  }
  throw new TocsinError('TOC_STORE_LOCKED', `another Tocsin process works in ${folder}`);
}

function isAlreadyThere(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EEXIST';
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
