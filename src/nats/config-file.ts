import { readFileSync } from 'node:fs';
import { TocsinError } from '../engine/index.ts';

/**
 * Reads a file that the configuration names, and what `parse` finds in its text. Throws TOC_CONFIG_UNREADABLE when the file cannot be
 * read and TOC_CONFIG_INVALID when `parse` throws; both name the key and the file, and neither shows what the file holds. Synchronous,
 * because the NATS client asks for credentials so; the files are small and read only to connect.
 */
export function readConfigFile<T>(key: string, file: string, parse: (text: string) => T): T {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new TocsinError(
      'TOC_CONFIG_UNREADABLE',
      `NATS ${key}: ${file} cannot be read: ${reasonOf(cause)}`,
      {
        cause,
      },
    );
  }
  try {
    return parse(text);
  } catch (cause) {
    throw new TocsinError('TOC_CONFIG_INVALID', `NATS ${key}: ${file}: ${reasonOf(cause)}`, { cause });
  }
}

export function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
