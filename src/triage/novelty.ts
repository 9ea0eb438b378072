import { labelValue } from '../alert/index.ts';
import type { StageContext, Table } from '../engine/index.ts';
import type { Member, TriageSignal } from './triage-signal.ts';

/** Alert names that are remembered; then the eighth that came first is forgotten. */
const maxNames = 50_000;

/** Remembers how often signals of an alert name came into an incident, by domain. */
export class KnownNames {
  readonly #counts: Table<number>;

  constructor(context: StageContext) {
    this.#counts = context.table('known-names');
  }

  /** Counts a signal that has come into an incident, and notes on it how many of its name did before. */
  note(domain: string, signal: TriageSignal): void {
    const key = `${domain}\n${labelValue(signal.labels, 'alertname')}`;
    const count = this.#counts.get(key) ?? 0;
    signal.earlierCount = count;
    this.#counts.set(key, count + 1);
    if (this.#counts.size > maxNames) this.#forget();
  }

  #forget(): void {
    let left = maxNames / 8;
    for (const key of this.#counts.keys()) {
      if (left-- <= 0) return;
      this.#counts.delete(key);
    }
  }
}

/** How often the rarest alert name among the members had been in incidents before; null where nothing is known. */
export function rarestOf(members: readonly Member[]): number | null {
  let rarest: number | null = null;
  for (const { signal } of members) {
    if (signal.earlierCount !== undefined) rarest = Math.min(rarest ?? Infinity, signal.earlierCount);
  }
  return rarest;
}
