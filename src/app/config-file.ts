import { readFile } from 'node:fs/promises';
import { TocsinError } from '../engine/index.ts';
import type { TocsinConfig } from './config-schema.ts';
import { formatMistake, parseConfig, type ConfigOutcome } from './config.ts';

/** Reads a configuration file. Rejects with TOC_CONFIG_UNREADABLE when there is no such file to read. */
export async function readConfigText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new TocsinError('TOC_CONFIG_UNREADABLE', `cannot read the configuration file ${file}`, { cause });
  }
}

/** Reads and checks a configuration file; without one, the built-in defaults (pages to the console). */
export async function loadConfig(
  file: string | undefined,
): Promise<ConfigOutcome & { readonly text: string }> {
  const text = file === undefined ? '' : await readConfigText(file);
  return { ...parseConfig(text), text };
}

/** As `loadConfig`, but rejects with TOC_CONFIG_INVALID, which lists every mistake, when the file is not fine. */
export async function requireConfig(
  file: string | undefined,
): Promise<{ readonly config: TocsinConfig; readonly text: string }> {
  const outcome = await loadConfig(file);
  if (outcome.ok) return outcome;
  const mistakes = outcome.mistakes.map((mistake) => formatMistake(file ?? 'configuration', mistake));
  throw new TocsinError('TOC_CONFIG_INVALID', mistakes.join('\n'));
}
