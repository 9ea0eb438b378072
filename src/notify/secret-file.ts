import { readFile } from 'node:fs/promises';
import { TocsinError } from '../engine/index.ts';

/** What a secret file holds, without white space around it. Read anew each time. Rejects with TOC_NOTIFY_FAILED where it cannot be. */
export async function readSecret(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (cause) {
    throw new TocsinError('TOC_NOTIFY_FAILED', `the secret file ${file} cannot be read`, { cause });
  }
}

/** A secret that stands in the configuration, or else in a file; empty where it stands nowhere. */
export async function secretOf(value: string | undefined, file: string | undefined): Promise<string> {
  if (value !== undefined && value !== '') return value;
  return file === undefined || file === '' ? '' : readSecret(file);
}
