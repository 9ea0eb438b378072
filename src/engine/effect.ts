/**
 * Something to be done outside of the fold, such as sending a page.
 * `id` is derived from the cause (`incident/revision/receiver`), never from chance or time of day: after a crash the
 * same log gives the same ids, and what was done is not done again.
 */
export interface Effect<Kind extends string = string, Payload = unknown> {
  readonly id: string;
  readonly kind: Kind;
  readonly payload: Payload;
}

/**
 * Says in the log that an effect is about to be carried out. Where no fact follows, the process ended in between, and nobody knows whether
 * the world has seen it. `isRepeated`: it was claimed before, and is carried out again because of that.
 */
export interface Claim {
  readonly effectId: string;
  readonly kind: string;
  readonly isRepeated: boolean;
}

/** How an effect ended. Appended to the log by the effect runner as an entry of kind `fact`. */
export interface Fact<Result = unknown> {
  readonly effectId: string;
  readonly kind: string;
  readonly outcome:
    | { readonly status: 'done'; readonly result: Result }
    | { readonly status: 'failed'; readonly code: string; readonly message: string };
}

/**
 * A row for the history: a projection of the log. Written at least once; `id` makes a second writing harmless.
 * `row` holds plain values (string, number, boolean, arrays of them).
 */
export interface HistoryRow {
  readonly table: string;
  readonly id: string;
  readonly row: Readonly<Record<string, unknown>>;
}
