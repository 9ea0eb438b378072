import { readFile } from 'node:fs/promises';
import { TocsinError } from '../engine/index.ts';

/** The token in the file that the setting `name` names. Rejects with TOC_CONFIG_UNREADABLE. */
export async function readToken(name: string, file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (cause) {
    throw new TocsinError('TOC_CONFIG_UNREADABLE', `cannot read ${name} ${file}`, { cause });
  }
}
