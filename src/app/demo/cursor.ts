import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** How far the demo's script has come, kept in its folder so that a killed demo goes on where it was. */
export interface DemoCursor {
  /** Index of the next step. */
  readonly step: number;
  /** What the clock read when it was written. */
  readonly clockMs: number;
}

export async function readCursor(folder: string): Promise<DemoCursor | null> {
  try {
    return JSON.parse(await readFile(join(folder, 'demo-cursor.json'), 'utf8')) as DemoCursor;
  } catch {
    return null;
  }
}

/** Replaces the cursor as a whole: a kill leaves the old one or the new one. */
export async function writeCursor(folder: string, cursor: DemoCursor): Promise<void> {
  await mkdir(folder, { recursive: true });
  const file = join(folder, 'demo-cursor.json');
  await writeFile(`${file}.new`, JSON.stringify(cursor));
  await rename(`${file}.new`, file);
}
