import type { StageContext, Table } from '../engine/index.ts';

/** How a resolved alert left a group. */
export interface Departure {
  readonly key: string;
  readonly receiver: string;
  readonly incidentId: string | null;
  readonly atMs: number;
  /** The page that told its end; null when no page did. */
  readonly pageId: string | null;
  /** Why no page told its end; empty when one did. */
  readonly heldBecause: string;
}

/** How many alerts are remembered after they have left: those that left last. */
const keptCount = 10_000;

/** Remembers of alerts that no group holds any more what became of them, for who asks why there was no page. */
export class Departures {
  readonly #departures: Table<readonly Departure[]>;

  constructor(context: StageContext) {
    this.#departures = context.table<readonly Departure[]>('departures');
  }

  of(fingerprint: string): readonly Departure[] {
    return this.#departures.get(fingerprint) ?? [];
  }

  /** Of several departures from one group the last counts. */
  note(fingerprint: string, departure: Departure): void {
    const others = this.of(fingerprint).filter(
      ({ key, receiver }) => key !== departure.key || receiver !== departure.receiver,
    );
    this.#departures.delete(fingerprint);
    this.#departures.set(fingerprint, [...others, departure]);
    if (this.#departures.size <= keptCount) return;
    for (const oldest of this.#departures.keys()) {
      this.#departures.delete(oldest);
      break;
    }
  }

  /** Forgets those of an alert that fires again. */
  forget(fingerprint: string): void {
    this.#departures.delete(fingerprint);
  }
}
