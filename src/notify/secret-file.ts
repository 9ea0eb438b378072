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

/** Where a secret stands: in the configuration, or in a file. */
export interface SecretPlace {
  readonly value: string | undefined;
  readonly file: string | undefined;
}

/**
 * Reads the integration's own secret, or else the one of section `global`. Throws TOC_CONFIG_INVALID where neither is set; `what` and `globalKey`
 * are its name here and there.
 */
export function ownOrGlobal(
  own: SecretPlace,
  global: SecretPlace,
  { what, globalKey }: { readonly what: string; readonly globalKey: string },
): () => Promise<string> {
  for (const { value, file } of [own, global])
    if ((value ?? file) !== undefined) return () => secretOf(value, file);
  throw new TocsinError('TOC_CONFIG_INVALID', `no ${what} is set, neither here nor as global.${globalKey}`);
}

/** A secret that stands in the configuration, or else in a file; empty where it stands nowhere. */
export async function secretOf(value: string | undefined, file: string | undefined): Promise<string> {
  if (value !== undefined && value !== '') return value;
  return file === undefined || file === '' ? '' : readSecret(file);
}
