import { access, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { TocsinError } from '../engine/index.ts';

/** Rises with each change that an older version could not read. */
const format = 1;

/**
 * Says in a storage folder in what format its log and store are, and looks whether this version can read it. Folders of a time before
 * that was said are of format 1. Rejects with TOC_STORE_FORMAT_UNKNOWN, and with TOC_STORE_UNAVAILABLE when nothing can be written.
 */
export async function checkFolderFormat(folder: string): Promise<void> {
  const file = join(folder, 'format');
  const found = await readFile(file, 'utf8').catch(() => null);
  if (found === null) {
    try {
      await writeFile(file, `${format}\n`);
    } catch (cause) {
      throw new TocsinError('TOC_STORE_UNAVAILABLE', `cannot write to the storage folder ${folder}`, {
        cause,
      });
    }
  } else if (found.trim() !== String(format))
    throw new TocsinError(
      'TOC_STORE_FORMAT_UNKNOWN',
      `${folder} is of format ${JSON.stringify(found.trim())}, and this version reads ${format}`,
    );
}

/** As `mkdir -p`: Node's own never ends where the system denies the existence of what it has (below /proc). */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EEXIST') return;
    const parent = dirname(folder);
    if (code !== 'ENOENT' || parent === folder || (await isThere(parent))) throw error;
    await makeFolder(parent);
    await mkdir(folder);
  }
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
