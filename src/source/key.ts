import { fingerprint } from '../alert/index.ts';
import { clip, typeName } from './decode.ts';

/** Names under which senders give the key of an alert, as PagerDuty (Events v2) and Opsgenie call it. The first that says something counts. */
const fieldNames = ['dedup_key', 'dedupKey', 'alias'] as const;

/** Opsgenie's limit of an alias; PagerDuty's is 255. */
const maxKeyLength = 512;

/**
 * Reads the sender's key of a report; empty where it gives none. What is longer than 512 characters is cut, with the hash of the whole
 * behind it: no report is refused for a length, and no two keys become one.
 */
export function readKey(
  report: Readonly<Record<string, unknown>>,
  path: string,
): { readonly ok: true; readonly key: string } | { readonly ok: false; readonly error: string } {
  for (const name of fieldNames) {
    const value = report[name];
    if (value === undefined || value === null || value === '') continue;
    if (typeof value !== 'string')
      return {
        ok: false,
        error: `${path}.${name}: expected a string, got ${typeName(value)} ${clip(value)}`,
      };
    return { ok: true, key: shortened(value.toWellFormed()) };
  }
  return { ok: true, key: '' };
}

function shortened(key: string): string {
  if (key.length <= maxKeyLength) return key;
  const hash = fingerprint(['key', key]);
  return `${key.slice(0, maxKeyLength - hash.length - 1).toWellFormed()}…${hash}`;
}
