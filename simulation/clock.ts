import type { Clock } from '../src/engine/index.ts';

interface Event {
  readonly atMs: number;
  readonly order: number;
  readonly act: () => void;
}

/**
 * Simulated time and everything that is going to happen in it. One event runs at a time, and all that follows from it without waiting
 * (microtasks) before the next. Nothing in the simulation may use a timer, a file, a thread or the time of day of the machine: then
 * the same seed gives the same events.
 */
export class Timeline {
  /** In order of time; of the same time, as they were set. */
  readonly #events: Event[] = [];
  #order = 0;
  #nowMs: number;

  constructor(startMs: number) {
    this.#nowMs = startMs;
  }

  /** Milliseconds, with fractions: those keep events of the same millisecond apart. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Lets `act` happen at `atMs`, or now when that has passed. */
  at(atMs: number, act: () => void): { cancel(): void } {
    const event = { atMs: Math.max(atMs, this.#nowMs), order: this.#order++, act };
    this.#events.splice(this.#placeOf(event), 0, event);
    return {
      cancel: () => {
        const place = this.#placeOf(event);
        if (this.#events[place] === event) this.#events.splice(place, 1);
      },
    };
  }

  after(lengthMs: number, act: () => void): { cancel(): void } {
    return this.at(this.#nowMs + lengthMs, act);
  }

  /** Lets time pass until `isDone` says so after an event, or `limitMs` is reached; says whether it was done. */
  async run(limitMs: number, isDone: () => boolean): Promise<boolean> {
    await allMicrotasks();
    while (!isDone()) {
      const next = this.#events[0];
      if (!next || next.atMs > limitMs) {
        this.#nowMs = Math.max(this.#nowMs, limitMs);
        return false;
      }
      this.#events.shift();
      this.#nowMs = next.atMs;
      next.act();
      await allMicrotasks();
    }
    return true;
  }

  #placeOf({ atMs, order }: Event): number {
    let low = 0;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = this.#events[middle]!;
      if (other.atMs < atMs || (other.atMs === atMs && other.order < order)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Node begins a turn of its loop only when no microtask is left. */
function allMicrotasks(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/**
 * One life of a process. Once it is over nothing that it waited for comes back to it. While it is paused (SIGSTOP, a machine that
 * sleeps) time goes on without it, and what came meanwhile happens when it goes on.
 */
export class Life implements Clock {
  readonly name: string;
  readonly #timeline: Timeline;
  /** How far its clock is ahead of the true time. */
  readonly #skewMs: number;
  #isOver = false;
  #backlog: (() => void)[] | null = null;

  constructor(name: string, timeline: Timeline, skewMs: number) {
    this.name = name;
    this.#timeline = timeline;
    this.#skewMs = skewMs;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  get isPaused(): boolean {
    return this.#backlog !== null;
  }

  end(): void {
    this.#isOver = true;
    this.#backlog = null;
  }

  pause(): void {
    this.#backlog ??= [];
  }

  goOn(): void {
    const backlog = this.#backlog ?? [];
    this.#backlog = null;
    for (const act of backlog) this.#timeline.after(0, () => this.meet(act));
  }

  /** Lets something happen to it. */
  meet(act: () => void): void {
    if (this.#isOver) return;
    if (this.#backlog) this.#backlog.push(act);
    else act();
  }

  nowMs(): number {
    return Math.floor(this.#timeline.nowMs + this.#skewMs);
  }

  setTimer(dueMs: number, fire: () => void): { cancel(): void } {
    let isSet = true;
    const timer = this.#timeline.at(dueMs - this.#skewMs, () =>
      this.meet(() => {
        if (isSet) fire();
      }),
    );
    return {
      cancel: () => {
        isSet = false;
        timer.cancel();
      },
    };
  }

  wait(lengthMs: number): Promise<void> {
    return new Promise((resolve) => this.setTimer(this.nowMs() + lengthMs, resolve));
  }
}
