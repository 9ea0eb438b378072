/**
 * What the log holds. `timeMs` (milliseconds since the epoch) is the only clock of the fold, which never lets it go back: of an
 * entry that is earlier than the one before it (several processes write, each by its own clock) the time of that one counts. What a
 * payload means is for the stages to know.
 *
 * - `alerts`: a micro-batch of reports from outside.
 * - `command`: an operator's act.
 * - `fact`: how an effect ended (`payload` is a `Fact`).
 * - `claim`: an effect is about to be carried out (`payload` is a `Claim`).
 * - `tick`: nothing but time; written by the partition's owner when a timer falls due.
 * - `config`: the configuration in force from here on.
 * - `owner`: from here on the process that wrote it owns the partition (`payload` is an `Ownership`).
 * - `resume`: from here to the time that it names nobody followed the log (the process was down, or its machine slept): what falls due
 *   in between was not done at its time, and what was not heard then says nothing.
 */
export interface Entry<Kind extends EntryKind = EntryKind, Payload = unknown> {
  readonly kind: Kind;
  readonly timeMs: number;
  readonly payload: Payload;
}

export type EntryKind = 'alerts' | 'command' | 'claim' | 'fact' | 'tick' | 'config' | 'resume' | 'owner';

/** Who owns a partition from here on. */
export interface Ownership {
  /** One process in one life. */
  readonly name: string;
  /** That of its lease: rises with each new owner. */
  readonly fencingToken: number;
  /** `identity` of the log that it was written to. */
  readonly log: string;
}

/** An entry at its place in one partition's log. */
export interface Appended<E extends Entry = Entry> {
  readonly position: number;
  readonly entry: E;
}

/** Entries `firstPosition`, `firstPosition + 1`, ... of one partition's log. Positions start at 1. */
export interface LogSlice<E extends Entry = Entry> {
  readonly firstPosition: number;
  readonly entries: readonly E[];
}
