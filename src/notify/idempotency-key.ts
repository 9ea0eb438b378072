import { createHash } from 'node:crypto';

/**
 * An effect's id as a header may hold it: the id itself where it is short printable ASCII, else its SHA-256 in hex. The same id always
 * gives the same key, so that whoever gets a page twice can tell.
 */
export function idempotencyKey(effectId: string): string {
  if (/^[\x21-\x7e]{1,200}$/.test(effectId)) return effectId;
  return createHash('sha256').update(effectId).digest('hex');
}
