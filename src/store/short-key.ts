import { createHash } from 'node:crypto';

/** LMDB's keys end at 1978 bytes. */
const longestKeyLength = 400;

/** `key`, or its digest when it is long. */
export function shortKey(key: string): string {
  return key.length <= longestKeyLength ? key : createHash('sha256').update(key).digest('hex');
}
