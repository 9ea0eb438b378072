import { severityRank, type Severity } from '../alert/index.ts';
import { LshIndex, lshShape } from './lsh.ts';
import { mix, signatureLength, similarityFrom } from './minhash.ts';
import type { LiveSignal } from './signal-row.ts';
import { differInWords, type Sketch } from './sketch.ts';

/** What alerts can be compared with: a signal, or a group of texts. */
export interface Comparable {
  readonly scope: string;
  readonly sketch: Sketch;
  /** The older of two has the lower. */
  readonly order: number;
  readonly row: { readonly severity: Severity };
}

export interface Match<S extends Comparable = LiveSignal> {
  readonly signal: S;
  /** Estimated Jaccard similarity, 0..1. */
  readonly similarity: number;
  /** Whether the signal takes the alert in. If not, it is only the one that came closest. */
  readonly isTaken: boolean;
}

interface Bucket<S> {
  /** The oldest first. */
  readonly signals: S[];
  /** Once it is crowded: its signals by content, and their handles in the index. */
  crowd: Crowd<S> | null;
}

interface Crowd<S> {
  readonly byContent: Map<string, S[]>;
  readonly handles: Map<S, number>;
}

/** What is so much less similar than it had to be is still worth a word. */
const nearMiss = 0.2;
/** Up to so many signals are compared one by one. Most scopes hold one or two. */
const mostCompared = 16;

/**
 * The signals that may take alerts in, by scope. It is derived from them, and what it finds depends only on which signals are
 * in: the most similar of a scope, the oldest of equals, one of the same content before all. In a scope of more than 16
 * signals only those are compared that share a band of the LSH index.
 */
export class OpenSignals<S extends Comparable = LiveSignal> {
  readonly #buckets = new Map<string, Bucket<S>>();
  readonly #index: LshIndex<S>;
  readonly #threshold: number;
  readonly #least: number;

  /** `threshold` is the similarity from which on a signal is to be found. What is a little less similar is found as a rule. */
  constructor(threshold: number) {
    this.#threshold = threshold;
    this.#least = threshold - nearMiss;
    this.#index = new LshIndex(lshShape(signatureLength, threshold));
  }

  add(signal: S): void {
    const bucket = this.#buckets.get(signal.scope);
    if (!bucket) {
      this.#buckets.set(signal.scope, { signals: [signal], crowd: null });
      return;
    }
    insertByAge(bucket.signals, signal);
    if (bucket.crowd) this.#addToCrowd(bucket.crowd, signal);
    else if (bucket.signals.length > mostCompared) {
      const crowd = { byContent: new Map<string, S[]>(), handles: new Map<S, number>() };
      for (const member of bucket.signals) this.#addToCrowd(crowd, member);
      bucket.crowd = crowd;
    }
  }

  /** False when it was not in. */
  remove(signal: S): boolean {
    const bucket = this.#buckets.get(signal.scope);
    if (!bucket || !removeByAge(bucket.signals, signal)) return false;
    if (bucket.signals.length === 0) this.#buckets.delete(signal.scope);
    if (bucket.crowd) this.#removeFromCrowd(bucket.crowd, signal);
    return true;
  }

  #removeFromCrowd({ byContent, handles }: Crowd<S>, signal: S): void {
    const handle = handles.get(signal);
    if (handle === undefined) return;
    this.#index.remove(handle);
    handles.delete(signal);
    const equals = byContent.get(signal.sketch.content) ?? [];
    removeByAge(equals, signal);
    if (equals.length === 0) byContent.delete(signal.sketch.content);
  }

  /** The best match in the scope, be it a near miss, among signals of at least this severity. */
  best(scope: string, sketch: Sketch, leastRank: number): Match<S> | null {
    const bucket = this.#buckets.get(scope);
    if (!bucket) return null;
    const isCrowded = bucket.crowd !== null && bucket.signals.length > mostCompared;
    const equals = isCrowded ? (bucket.crowd?.byContent.get(sketch.content) ?? []) : bucket.signals;
    for (const signal of equals) {
      if (signal.sketch.content === sketch.content && hasRank(signal, leastRank))
        return { signal, similarity: 1, isTaken: true };
    }
    const candidates = isCrowded
      ? this.#index.candidates(scopeNumber(scope), sketch.signature)
      : bucket.signals;
    let best: Match<S> | null = null;
    for (const signal of candidates) {
      // The index goes by a hash of the scope.
      if (signal.scope !== scope || !hasRank(signal, leastRank)) continue;
      const similarity = similarityFrom(sketch.signature, signal.sketch.signature, this.#least);
      if (similarity === 0) continue;
      const isTaken = similarity >= this.#threshold && differInWords(sketch, signal.sketch);
      if (best && (best.isTaken !== isTaken ? best.isTaken : similarity <= best.similarity)) continue;
      best = { signal, similarity, isTaken };
    }
    return best;
  }

  #addToCrowd({ byContent, handles }: Crowd<S>, signal: S): void {
    const { content, signature } = signal.sketch;
    handles.set(signal, this.#index.add(signal, scopeNumber(signal.scope), signature));
    const equals = byContent.get(content);
    if (equals) insertByAge(equals, signal);
    else byContent.set(content, [signal]);
  }
}

function hasRank({ row }: Comparable, leastRank: number): boolean {
  return severityRank(row.severity) >= leastRank;
}

function scopeNumber(scope: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < scope.length; i++) hash = Math.imul(hash ^ scope.charCodeAt(i), 0x01000193);
  return mix(hash);
}

function insertByAge<S extends Comparable>(signals: S[], signal: S): void {
  if (signals.length === 0 || signals.at(-1)!.order < signal.order) signals.push(signal);
  else signals.splice(placeOf(signals, signal.order), 0, signal);
}

function removeByAge<S extends Comparable>(signals: S[], signal: S): boolean {
  const place = placeOf(signals, signal.order);
  if (signals[place] !== signal) return false;
  signals.splice(place, 1);
  return true;
}

/** Where the first signal stands that is not older. */
function placeOf(signals: readonly Comparable[], order: number): number {
  let low = 0;
  let high = signals.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (signals[middle]!.order < order) low = middle + 1;
    else high = middle;
  }
  return low;
}
