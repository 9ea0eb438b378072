/** Slots in one band. Two sketches of Jaccard similarity j share a given band with probability j^4. */
const slotsPerBand = 4;

/**
 * The locality-sensitive bands of a MinHash sketch: one 52-bit number for each four slots (32 for a sketch of 128), which
 * two sketches have in common only where all four slots agree. With 32 bands two texts of similarity 0.42 meet with
 * probability 0.63, of 0.7 with 0.9998 (Leskovec, Rajaraman, Ullman, Mining of Massive Datasets, 3.4).
 */
export function bandsOf(signature: readonly number[]): number[] {
  const bands: number[] = [];
  for (let start = 0; start + slotsPerBand <= signature.length; start += slotsPerBand) {
    let high = mix(start + 1, 0x9e3779b9);
    let low = mix(start + 1, 0x85ebca6b);
    for (let i = start; i < start + slotsPerBand; i++) {
      high = mix(high, signature[i] ?? 0);
      low = mix(low, Math.imul(signature[i] ?? 0, 0x27d4eb2f));
    }
    bands.push((high >>> 12) * 0x1_0000_0000 + (low >>> 0));
  }
  return bands;
}

/** One round of MurmurHash3's 32-bit mixing. */
function mix(hash: number, value: number): number {
  let k = Math.imul(value, 0xcc9e2d51);
  k = (k << 15) | (k >>> 17);
  k = Math.imul(k, 0x1b873593);
  let h = hash ^ k;
  h = (h << 13) | (h >>> 19);
  h = (Math.imul(h, 5) + 0xe6546b64) | 0;
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  return h ^ (h >>> 13);
}
