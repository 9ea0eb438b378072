import { MinHeap } from './min-heap.ts';
import type { StageTimers } from './stage.ts';
import type { Table } from './table.ts';

interface TimerNode {
  readonly dueMs: number;
  readonly key: string;
}

/** The timers of one span of time: in no order, until it is the earliest. A second may have a million of them. */
interface Slot {
  readonly number: number;
  waiting: TimerNode[];
  ordered: MinHeap<TimerNode> | null;
}

/** Of a million timers within an hour a slot has some 300. */
const slotMs = 1000;

/**
 * The timers of one stage, ordered by due time and then by key. What is due is a question to log time, never to a clock.
 *
 * A timing wheel over a table (Varghese and Lauck 1987), whose slots are those in use: a timer goes to the slot of its second, a heap knows
 * which slot is the earliest, and only that one is put in order. Setting a timer costs one step however many there are (in the earliest slot the
 * logarithm of those in it), and nothing ever walks over all of them but `restore`. Set and cancel leave stale nodes behind, which are skipped when they surface, and swept out when they
 * outnumber the live ones: a timer that is moved on with every alert costs memory once.
 */
export class Timers implements StageTimers {
  readonly #due: Table<number>;
  readonly #slots = new Map<number, Slot>();
  #earliest = new MinHeap<Slot>(isEarlier);
  #nodeCount = 0;

  constructor(due: Table<number>) {
    this.#due = due;
  }

  /** Rebuilds the slots from the table, after the table was loaded. Costs what there is, once. */
  restore(): void {
    this.#slots.clear();
    this.#earliest = new MinHeap<Slot>(isEarlier);
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
    return this.#peek()?.first?.dueMs;
  }

  /** Takes the earliest timer due at or before `timeMs`, or undefined when there is none. */
  takeDue(timeMs: number): TimerNode | undefined {
    const nodes = this.#peek();
    const next = nodes?.first;
    if (!nodes || !next || next.dueMs > timeMs) return undefined;
    nodes.pop();
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
      const made = { number, waiting: [node], ordered: null };
      this.#slots.set(number, made);
      this.#earliest.push(made);
    } else if (slot.ordered) slot.ordered.push(node);
    else slot.waiting.push(node);
  }

  /** The nodes of the earliest slot, the first of them live; slots without any are forgotten. */
  #peek(): MinHeap<TimerNode> | undefined {
    for (let slot = this.#earliest.first; slot; slot = this.#earliest.first) {
      const nodes = (slot.ordered ??= this.#order(slot));
      for (let first = nodes.first; first; first = nodes.first) {
        if (this.#due.get(first.key) === first.dueMs) return nodes;
        nodes.pop();
        this.#nodeCount--;
      }
      this.#slots.delete(slot.number);
      this.#earliest.pop();
    }
    return undefined;
  }

  #order(slot: Slot): MinHeap<TimerNode> {
    const live = slot.waiting.filter(({ key, dueMs }) => this.#due.get(key) === dueMs);
    this.#nodeCount -= slot.waiting.length - live.length;
    slot.waiting = [];
    return new MinHeap(isDueBefore, live);
  }
}

/** Stale nodes that few timers may carry before it is worth a sweep. */
const sweepSlack = 1024;

function isEarlier(left: Slot, right: Slot): boolean {
  return left.number < right.number;
}

function isDueBefore(left: TimerNode, right: TimerNode): boolean {
  return left.dueMs < right.dueMs || (left.dueMs === right.dueMs && left.key < right.key);
}
