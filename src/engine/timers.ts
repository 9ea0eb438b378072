import type { StageTimers } from './stage.ts';
import type { Table } from './table.ts';

interface TimerNode {
  readonly dueMs: number;
  readonly key: string;
}

/** The timers of one span of time. Sorted, the last due first, once it is the earliest: what is taken is at the end. */
interface Slot {
  readonly number: number;
  nodes: TimerNode[];
  isSorted: boolean;
}

/** Of a million timers within an hour a slot has some 300. */
const slotMs = 1000;

/**
 * The timers of one stage, ordered by due time and then by key. What is due is a question to log time, never to a clock.
 *
 * A timing wheel over a table (Varghese and Lauck 1987), whose slots are those in use: a timer goes to the slot of its second, a heap knows
 * which slot is the earliest, and only that one is sorted. Setting a timer costs one step however many there are, and nothing ever walks over
 * all of them but `restore`. Set and cancel leave stale nodes behind, which are skipped when they surface, and swept out when they
 * outnumber the live ones: a timer that is moved on with every alert costs memory once.
 */
export class Timers implements StageTimers {
  readonly #due: Table<number>;
  readonly #slots = new Map<number, Slot>();
  /** The slots as a binary heap. */
  #earliest: Slot[] = [];
  #nodeCount = 0;

  constructor(due: Table<number>) {
    this.#due = due;
  }

  /** Rebuilds the slots from the table, after the table was loaded. Costs what there is, once. */
  restore(): void {
    this.#slots.clear();
    this.#earliest = [];
    this.#nodeCount = 0;
    for (const [key, dueMs] of this.#due.entries()) this.#add(key, dueMs);
  }

  set(key: string, dueMs: number): void {
    if (!Number.isFinite(dueMs)) throw new RangeError(`timer ${key}: dueMs must be finite, got ${dueMs}`);
    if (this.#due.get(key) === dueMs) return;
    this.#due.set(key, dueMs);
    // What is set is in the table, and so among what a sweep finds there.
    if (this.#nodeCount > 2 * this.#due.size + sweepSlack) this.restore();
    else this.#add(key, dueMs);
  }

  cancel(key: string): void {
    this.#due.delete(key);
  }

  dueMs(key: string): number | undefined {
    return this.#due.get(key);
  }

  /** When the next timer falls due, or undefined when none is set. */
  nextDueMs(): number | undefined {
    return this.#peek()?.nodes.at(-1)?.dueMs;
  }

  /** Takes the earliest timer due at or before `timeMs`, or undefined when there is none. */
  takeDue(timeMs: number): TimerNode | undefined {
    const slot = this.#peek();
    const next = slot?.nodes.at(-1);
    if (!slot || !next || next.dueMs > timeMs) return undefined;
    slot.nodes.pop();
    this.#nodeCount--;
    this.#due.delete(next.key);
    return next;
  }

  #add(key: string, dueMs: number): void {
    const number = Math.floor(dueMs / slotMs);
    const node = { dueMs, key };
    this.#nodeCount++;
    const slot = this.#slots.get(number);
    if (!slot) {
      const made = { number, nodes: [node], isSorted: false };
      this.#slots.set(number, made);
      this.#push(made);
    } else if (slot.isSorted) slot.nodes.splice(placeOf(slot.nodes, node), 0, node);
    else slot.nodes.push(node);
  }

  /** The earliest slot, whose last node is live; slots without any are forgotten. */
  #peek(): Slot | undefined {
    for (let slot = this.#earliest[0]; slot; slot = this.#earliest[0]) {
      if (!slot.isSorted) {
        const live = slot.nodes.filter(({ key, dueMs }) => this.#due.get(key) === dueMs);
        this.#nodeCount -= slot.nodes.length - live.length;
        slot.nodes = live.sort((a, b) => compare(b, a));
        slot.isSorted = true;
      }
      for (let last = slot.nodes.at(-1); last; last = slot.nodes.at(-1)) {
        if (this.#due.get(last.key) === last.dueMs) return slot;
        slot.nodes.pop();
        this.#nodeCount--;
      }
      this.#slots.delete(slot.number);
      this.#pop();
    }
    return undefined;
  }

  #push(slot: Slot): void {
    const heap = this.#earliest;
    let index = heap.push(slot) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (heap[parent]!.number <= slot.number) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = slot;
  }

  #pop(): void {
    const heap = this.#earliest;
    const last = heap.pop();
    if (!last || heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1]!.number < heap[child]!.number) child++;
      if (last.number <= heap[child]!.number) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = last;
  }
}

/** Stale nodes that few timers may carry before it is worth a sweep. */
const sweepSlack = 1024;

function compare(a: TimerNode, b: TimerNode): number {
  return a.dueMs - b.dueMs || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);
}

/** Where a node belongs among those that are sorted with the last due first. */
function placeOf(nodes: readonly TimerNode[], node: TimerNode): number {
  let low = 0;
  let high = nodes.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compare(nodes[middle]!, node) > 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
