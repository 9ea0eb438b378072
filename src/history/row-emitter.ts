import type { Table } from '../engine/index.ts';
import type { TocsinFrame } from '../incident/index.ts';
import { timeColumn } from './columns.ts';

export interface RowCounter {
  position: number;
  count: number;
}

/**
 * Gives rows their ids: `<position>/<n>`, n counting the rows of that position. Frames of timers share the position of the
 * entry that follows them, so the count lives in a table row: after a crash the same log gives the same ids.
 */
export class RowEmitter {
  readonly #counters: Table<RowCounter>;
  #frame: TocsinFrame | null = null;

  constructor(counters: Table<RowCounter>) {
    this.#counters = counters;
  }

  /** Rows pushed from here on belong to `frame`. */
  begin(frame: TocsinFrame): void {
    this.#frame = frame;
  }

  /** Adds a row at the frame's time and position. Returns its id. */
  push(table: string, row: Readonly<Record<string, unknown>>): string {
    const frame = this.#frame;
    if (!frame) throw new Error('a row was pushed before the first frame');
    const id = this.#nextId(frame.position);
    frame.rows.push({
      table,
      id,
      row: { position: frame.position, at: timeColumn(frame.timeMs), ...row },
    });
    return id;
  }

  /** The id that the next row of the current frame gets. */
  peekId(): string {
    const counter = this.#counters.get('rows');
    const position = this.#frame?.position ?? 0;
    return `${position}/${counter?.position === position ? counter.count : 0}`;
  }

  #nextId(position: number): string {
    let counter = this.#counters.get('rows');
    if (counter?.position === position) {
      this.#counters.touch('rows');
    } else {
      counter = { position, count: 0 };
      this.#counters.set('rows', counter);
    }
    return `${position}/${counter.count++}`;
  }
}
