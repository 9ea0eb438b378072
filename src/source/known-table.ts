import type { Alert } from '../alert/index.ts';

/** An alert as it was read, and the bytes that it was read from. */
export interface KnownAlert {
  /** What it depends on beside its bytes. */
  readonly scope: number;
  /** Where it is looked for; 32 bits. */
  readonly hash: number;
  /** The object; empty once it is forgotten. What stands where it says its times is of the report that was read last. */
  bytes: Buffer;
  /** Null once it is forgotten. */
  alert: Alert | null;
  /** Where in the bytes it says when it starts, and what; nowhere when the first is -1. Null is a time that is not said. */
  readonly startsFrom: number;
  readonly startsTo: number;
  startsAtMs: number | null;
  readonly endsFrom: number;
  readonly endsTo: number;
  endsAtMs: number | null;
  /** What came behind it last time. */
  next: KnownAlert | null;
  /** Was used since another alert wanted its place. */
  isUsed: boolean;
}

export interface KnownTableLimits {
  /** Alerts that are kept; a power of two, at least 4. */
  readonly count: number;
  /** Their bytes in all. */
  readonly bytes: number;
  /** What is longer is not kept. */
  readonly bytesEach: number;
}

/** Where an alert may stand. */
const placesEach = 4;
/** Hashes that are noted for each alert that can be kept. */
const seenEach = 4;
/** Places that are looked at for the room of one alert. */
const maxSteps = 64;
const noBytes = Buffer.alloc(0);

/**
 * A bounded table of alerts by hash. What was used keeps its place and its room against the first that wants them, so that more alerts in turn
 * than fit do not drive each other out.
 */
export class KnownTable {
  readonly #limits: KnownTableLimits;
  #places: (KnownAlert | undefined)[] = [];
  /** Hashes of what had to be read, in pairs of places: the later one first. */
  #seen = new Uint32Array(0);
  #byteCount = 0;
  /** The place that is looked at next when there is no room. */
  #hand = 0;

  constructor(limits: KnownTableLimits) {
    this.#limits = limits;
  }

  /** The `turn`th alert (from 0) that may stand where `hash` does. */
  candidate(hash: number, turn: number): KnownAlert | undefined {
    return this.#places[this.#firstPlace(hash) + turn];
  }

  /** How many places `candidate` has. */
  readonly turns = placesEach;

  /**
   * Whether an alert of so many bytes may be kept: what was never seen before may never be seen again, and is not worth a copy. `hash` is of
   * all its bytes, 32 bits as an unsigned number; it is noted.
   */
  admits(hash: number, byteCount: number): boolean {
    if (byteCount > this.#limits.bytesEach) return false;
    if (this.#seen.length === 0) this.#seen = new Uint32Array(this.#limits.count * seenEach);
    const first = (hash % this.#seen.length) & ~1;
    if (this.#seen[first] === hash || this.#seen[first + 1] === hash) return true;
    this.#seen[first + 1] = this.#seen[first]!;
    this.#seen[first] = hash;
    return false;
  }

  /** Keeps the alert if there is a place and room for it; says whether it does. */
  keep(known: KnownAlert): boolean {
    if (this.#places.length === 0) this.#places = Array.from({ length: this.#limits.count });
    const place = this.#placeFor(known.hash);
    const old = this.#places[place];
    if (old?.isUsed) {
      old.isUsed = false;
      return false;
    }
    this.#empty(place);
    if (!this.#makeRoom(known.bytes.length)) return false;
    this.#byteCount += known.bytes.length;
    this.#places[place] = known;
    return true;
  }

  clear(): void {
    for (const known of this.#places) if (known) forget(known);
    this.#places = [];
    this.#byteCount = 0;
  }

  /** Forgets what is not used, until so many bytes have room or something is found that is. */
  #makeRoom(byteCount: number): boolean {
    for (let step = 0; this.#byteCount + byteCount > this.#limits.bytes; step++) {
      if (step === maxSteps) return false;
      const place = this.#hand;
      this.#hand = (place + 1) % this.#limits.count;
      const known = this.#places[place];
      if (known?.isUsed) {
        known.isUsed = false;
        return false;
      }
      this.#empty(place);
    }
    return true;
  }

  #empty(place: number): void {
    const known = this.#places[place];
    if (!known) return;
    this.#byteCount -= known.bytes.length;
    this.#places[place] = undefined;
    forget(known);
  }

  /** A free place, or else one that is not used, or else any. */
  #placeFor(hash: number): number {
    const first = this.#firstPlace(hash);
    let found = first + (hash >>> 30);
    for (let place = first; place < first + placesEach; place++) {
      const known = this.#places[place];
      if (!known) return place;
      if (!known.isUsed) found = place;
    }
    return found;
  }

  #firstPlace(hash: number): number {
    return hash & (this.#limits.count - placesEach);
  }
}

/** What has lost its place holds nothing, as something may point at it for as long as that is known. */
function forget(known: KnownAlert): void {
  known.alert = null;
  known.bytes = noBytes;
  known.next = null;
}
