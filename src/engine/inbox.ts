import type { Entry, LogSlice } from './entry.ts';

/** Reports that wait in memory at most; what comes after them is read from the log again when its turn comes. */
const maxWaitingWeight = 100_000;

/** Live slices of the log that wait to be folded in. Bounded: a storm fills the log and not the memory. */
export class Inbox<E extends Entry> {
  #slices: LogSlice<E>[] = [];
  #weight = 0;

  /** Keeps the slice if there is room for it. */
  push(slice: LogSlice<E>): void {
    if (this.#weight > maxWaitingWeight) return;
    this.#slices.push(slice);
    this.#weight += weightOf(slice.entries);
  }

  /**
   * Takes entries from `fromPosition` on: slices as they came, until `maxWeight` reports or `maxCount` entries are reached.
   * Null when the entry at `fromPosition` is not here. What lies before it is thrown away.
   */
  take(fromPosition: number, maxCount: number, maxWeight: number): E[] | null {
    const entries: E[] = [];
    let weight = 0;
    let taken = 0;
    for (const slice of this.#slices) {
      const skip = fromPosition + entries.length - slice.firstPosition;
      if (skip < 0 || entries.length >= maxCount || weight >= maxWeight) break;
      const sliceWeight = weightOf(slice.entries);
      for (let index = skip; index < slice.entries.length; index++) entries.push(slice.entries[index]!);
      weight += sliceWeight;
      this.#weight -= sliceWeight;
      taken++;
    }
    this.#slices.splice(0, taken);
    return entries.length === 0 ? null : entries;
  }

  clear(): void {
    this.#slices = [];
    this.#weight = 0;
  }
}

/** What folding entries costs, roughly: a batch of reports as many as there are in it, everything else one. */
export function weightOf(entries: readonly Entry[]): number {
  let weight = 0;
  for (const { payload } of entries) weight += Array.isArray(payload) ? Math.max(1, payload.length) : 1;
  return weight;
}
