/**
 * The partition of a domain, 0 to `count - 1`: 32-bit FNV-1a over the UTF-16 units of its name, modulo `count`.
 * Stable for ever: it decides where a domain's history lies.
 */
export function partitionOf(domain: string, count: number): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < domain.length; i++) {
    const unit = domain.charCodeAt(i);
    hash = Math.imul(hash ^ (unit & 0xff), 0x01000193);
    hash = Math.imul(hash ^ (unit >> 8), 0x01000193);
  }
  return (hash >>> 0) % count;
}
