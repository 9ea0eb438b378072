import type { Checkpoint, CheckpointDelta } from '../../src/engine/index.ts';

type Row = Checkpoint['rows'][number];

/** What a store makes of deltas: of each row the last change counts, and one that is not new stays in its place. */
export class CheckpointSum {
  readonly #rows = new Map<string, Row>();
  #position = 0;
  #timeMs = 0;

  add({ position, timeMs, changes }: CheckpointDelta): this {
    this.#position = position;
    this.#timeMs = timeMs;
    for (const { table, key, order, value } of structuredClone(changes)) {
      const name = JSON.stringify([table, key]);
      if (value === undefined) this.#rows.delete(name);
      else this.#rows.set(name, { table, key, order: order ?? this.#rows.get(name)?.order ?? NaN, value });
    }
    return this;
  }

  get checkpoint(): Checkpoint {
    // A store gives rows back in the order of their names, not in that of their making.
    const names = [...this.#rows.keys()].toSorted();
    const rows = names.map((name) => structuredClone(this.#rows.get(name)!));
    return { position: this.#position, timeMs: this.#timeMs, rows };
  }

  /** The names of the tables that have rows. */
  get tables(): string[] {
    return [...this.#rows.values()].map(({ table }) => table);
  }
}

export function sumOf(deltas: readonly CheckpointDelta[]): Checkpoint {
  const sum = new CheckpointSum();
  for (const delta of deltas) sum.add(delta);
  return sum.checkpoint;
}
