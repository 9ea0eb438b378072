import type { StageTimers } from './stage.ts';
import type { Table } from './table.ts';

interface HeapNode {
  readonly dueMs: number;
  readonly key: string;
}

/**
 * The timers of one stage, ordered by due time and then by key. What is due is a question to log time, never to a clock.
 * A binary heap over a table: set and cancel leave stale nodes behind, which are skipped when they surface.
 */
export class Timers implements StageTimers {
  readonly #due: Table<number>;
  #heap: HeapNode[] = [];

  constructor(due: Table<number>) {
    this.#due = due;
  }

  /** Rebuilds the heap from the table, after the table was loaded. */
  restore(): void {
    this.#heap = [...this.#due.entries()].map(([key, dueMs]) => ({ dueMs, key })).sort(compare);
  }

  set(key: string, dueMs: number): void {
    if (!Number.isFinite(dueMs)) throw new RangeError(`timer ${key}: dueMs must be finite, got ${dueMs}`);
    if (this.#due.get(key) === dueMs) return;
    this.#due.set(key, dueMs);
    this.#push({ dueMs, key });
  }

  cancel(key: string): void {
    this.#due.delete(key);
  }

  dueMs(key: string): number | undefined {
    return this.#due.get(key);
  }

  /** When the next timer falls due, or undefined when none is set. */
  nextDueMs(): number | undefined {
    return this.#peek()?.dueMs;
  }

  /** Takes the earliest timer due at or before `timeMs`, or undefined when there is none. */
  takeDue(timeMs: number): HeapNode | undefined {
    const next = this.#peek();
    if (!next || next.dueMs > timeMs) return undefined;
    this.#pop();
    this.#due.delete(next.key);
    return next;
  }

  #peek(): HeapNode | undefined {
    let top = this.#heap[0];
    while (top && this.#due.get(top.key) !== top.dueMs) {
      this.#pop();
      top = this.#heap[0];
    }
    return top;
  }

  #push(node: HeapNode): void {
    const heap = this.#heap;
    let index = heap.push(node) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (compare(heap[parent]!, node) <= 0) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = node;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (!last || heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && compare(heap[child + 1]!, heap[child]!) < 0) child++;
      if (compare(last, heap[child]!) <= 0) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = last;
  }
}

function compare(a: HeapNode, b: HeapNode): number {
  return a.dueMs - b.dueMs || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);
}
