import type { StageTimers } from './stage.ts';
import type { Table } from './table.ts';

interface HeapNode {
  readonly dueMs: number;
  readonly key: string;
}

/**
 * The timers of one stage, ordered by due time and then by key. What is due is a question to log time, never to a clock.
 * A binary heap over a table: set and cancel leave stale nodes behind, which are skipped when they surface, and swept out
 * when they outnumber the live ones: a timer that is moved on with every alert costs memory once.
 */
export class Timers implements StageTimers {
  readonly #due: Table<number>;
  #heap: HeapNode[] = [];

  constructor(due: Table<number>) {
    this.#due = due;
  }

  /** Rebuilds the heap from the table, after the table was loaded. Costs what there is, once. */
  restore(): void {
    const heap: HeapNode[] = [];
    for (const [key, dueMs] of this.#due.entries()) heap.push({ dueMs, key });
    this.#heap = heap;
    for (let index = (heap.length >> 1) - 1; index >= 0; index--) this.#siftDown(index, heap[index]!);
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
    if (this.#heap.length > 2 * this.#due.size + sweepSlack) this.restore();
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
    const last = this.#heap.pop();
    if (last && this.#heap.length > 0) this.#siftDown(0, last);
  }

  /** Puts `node` into the subtree at `index`, whose top is free. */
  #siftDown(start: number, node: HeapNode): void {
    const heap = this.#heap;
    let index = start;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && compare(heap[child + 1]!, heap[child]!) < 0) child++;
      if (compare(node, heap[child]!) <= 0) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = node;
  }
}

/** Stale nodes that a small heap may carry before it is worth a sweep. */
const sweepSlack = 1024;

function compare(a: HeapNode, b: HeapNode): number {
  return a.dueMs - b.dueMs || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);
}
