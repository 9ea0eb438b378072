import { isBareSuffix, isDigits, isReplicaSetHash } from './mask-shapes.ts';

/** The segment with which a generated suffix begins, as in `checkout-7d9f8b6c5-x2x1z`; -1 when there is none. */
export function podSuffixStart(text: string, bounds: readonly number[]): number {
  const last = bounds.length / 2 - 1;
  if (last < 1 || isDigits(text, bounds[0]!, bounds[1]!)) return -1;
  const from = bounds[2 * last]!;
  const to = bounds[2 * last + 1]!;
  if (last >= 2 && to - from === 5 && isReplicaSetHash(text, bounds[2 * last - 2]!, bounds[2 * last - 1]!)) {
    if (isBareSuffix(text, from, to) || !hasVowel(text, from, to)) return last - 1;
  }
  if (isBareSuffix(text, from, to)) return last;
  return !isDigits(text, from, to) && isReplicaSetHash(text, from, to) ? last : -1;
}

function hasVowel(text: string, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if ('aeiouAEIOU'.includes(text[i] ?? '')) return true;
  return false;
}
