/** Slots of a signature. The standard error of an estimate is sqrt(j(1-j)/128): at most 0.044. */
export const signatureLength = 128;

const slotBits = 7;
const empty = 0xffffffff;

/**
 * Computes MinHash signatures by one-permutation hashing with optimal densification (Shrivastava, ICML 2017): each shingle is
 * hashed once and put into one of 128 slots; a slot that stays empty borrows from one that a hash of its own number picks.
 * Allocates nothing per call but what the caller hands in.
 */
export function sign(shingles: Uint32Array, count: number, signature: Uint32Array): void {
  if (signature.length !== signatureLength)
    throw new RangeError(`signature must have ${signatureLength} slots`);
  signature.fill(empty);
  for (let i = 0; i < count; i++) {
    const hash = mix(shingles[i]!);
    const slot = hash >>> (32 - slotBits);
    const value = mix(hash ^ 0x9e3779b9);
    if (value < signature[slot]!) signature[slot] = value;
  }
  if (count > 0) densify(signature);
}

const borrowed = new Uint32Array(signatureLength);

function densify(signature: Uint32Array): void {
  borrowed.set(signature);
  for (let slot = 0; slot < signatureLength; slot++) {
    if (signature[slot] !== empty) continue;
    for (let attempt = 1; ; attempt++) {
      const from = mix(Math.imul(slot + 1, 0x85ebca6b) ^ Math.imul(attempt, 0xc2b2ae35)) >>> (32 - slotBits);
      if (signature[from] === empty) continue;
      borrowed[slot] = signature[from]!;
      break;
    }
  }
  signature.set(borrowed);
}

/**
 * Estimates the Jaccard similarity of the two shingle sets behind `a` and `b`, in [0, 1].
 * Throws RangeError when the lengths differ.
 */
export function estimateSimilarity(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length)
    throw new RangeError(`signatures of ${a.length} and ${b.length} slots cannot be compared`);
  let equal = 0;
  for (let i = 0; i < a.length; i++) if (a[i] === b[i]) equal++;
  return a.length === 0 ? 0 : equal / a.length;
}

/** A 32-bit finalizer with full avalanche (lowbias32, Wellons 2018). */
export function mix(value: number): number {
  let x = value | 0;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}

let shingles = new Uint32Array(256);

/** The signature of a list of words: the set of its single words and of its pairs of neighbours. */
export function signWords(words: readonly string[], signature: Uint32Array): void {
  if (shingles.length < 2 * words.length) shingles = new Uint32Array(4 * words.length);
  let count = 0;
  let before = 0;
  for (let i = 0; i < words.length; i++) {
    const hash = hashWord(words[i]!);
    shingles[count++] = hash;
    if (i > 0) shingles[count++] = Math.imul(before, 31) + hash;
    before = hash;
  }
  sign(shingles, count, signature);
}

/** 32-bit FNV-1a over UTF-16 units. */
function hashWord(word: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < word.length; i++) hash = Math.imul(hash ^ word.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
