import type { StageContext, Table } from '../engine/index.ts';
import type { UsualRate } from '../incident/index.ts';
import type { StormsConfig } from './config.ts';
import { createLearnedRate, learnWindow, usualRate, type LearnedRate } from './usual-rate.ts';

/** Parts of a window that are counted for themselves, so that the last window is known at any time. */
const stepsPerWindow = 5;
/** Domains that are counted at most; beyond that what was learned of those silent for longest is forgotten. 4 KB each. */
const mostDomains = 10_000;
/** Of a longer silence only so many empty windows are learned: a week of five minutes. */
const mostEmptyWindows = 2016;

interface Counted {
  /** The last step that is counted, since the epoch, and the counts of the steps up to it, the oldest first. */
  step: number;
  counts: number[];
  /** The window that is being filled, since the epoch, and what came in it. Windows lie end to end, on the clock. */
  window: number;
  inWindow: number;
}

/** Counts what comes, by domain, and learns what is usual. */
export class Arrivals {
  /** Those silent for longest first, by windows. */
  readonly #counted: Table<Counted>;
  readonly #rates: Table<LearnedRate>;
  #windowMs: number;

  constructor(context: StageContext, { window }: Pick<StormsConfig, 'window'>) {
    this.#counted = context.table<Counted>('counted');
    this.#rates = context.table<LearnedRate>('rates');
    this.#windowMs = window;
  }

  get stepMs(): number {
    return this.#windowMs / stepsPerWindow;
  }

  /** Goes on with what the tables hold, which was counted in this window. */
  restore({ window }: Pick<StormsConfig, 'window'>): void {
    this.#windowMs = window;
  }

  /** Counts of another window cannot be compared: all is learned anew. */
  configure({ window }: Pick<StormsConfig, 'window'>): void {
    if (window === this.#windowMs) return;
    this.#windowMs = window;
    for (const domain of this.#counted.keys()) this.#counted.delete(domain);
    for (const domain of this.#rates.keys()) this.#rates.delete(domain);
  }

  /** Counts one. No window is learned to have had more than `mostLearned` gives, so that a storm does not become usual. */
  add(domain: string, timeMs: number, mostLearned: () => number): void {
    const window = Math.floor(timeMs / this.#windowMs);
    let row = this.#counted.get(domain);
    if (!row) {
      row = { step: this.#stepOf(timeMs), counts: [0], window, inWindow: 0 };
      this.#counted.set(domain, row);
      this.#forgetOldest();
    }
    if (window > row.window) this.#learn(domain, row, window, mostLearned());
    row.inWindow++;
    this.#turnTo(row, timeMs);
    row.counts[row.counts.length - 1]! += 1;
    this.#counted.touch(domain);
  }

  /** How many came within the last window, the current step included. */
  lastCount(domain: string, timeMs: number): number {
    const row = this.#counted.get(domain);
    if (!row) return 0;
    const passed = this.#stepOf(timeMs) - row.step;
    return row.counts.slice(Math.max(0, row.counts.length + passed - stepsPerWindow)).reduce(add, 0);
  }

  /** What is usual at that time; null where too little is known. */
  usual(domain: string, timeMs: number, leastWindows: number): UsualRate | null {
    const rate = this.#rates.get(domain);
    return rate ? usualRate(rate, timeMs, leastWindows) : null;
  }

  /** What was usual is so no more. */
  forgetUsual(domain: string): void {
    this.#rates.delete(domain);
  }

  #learn(domain: string, row: Counted, window: number, mostLearned: number): void {
    const rate = this.#rates.get(domain) ?? createLearnedRate();
    learnWindow(rate, row.window * this.#windowMs, Math.min(row.inWindow, mostLearned));
    for (let empty = Math.max(row.window + 1, window - mostEmptyWindows); empty < window; empty++)
      learnWindow(rate, empty * this.#windowMs, 0);
    this.#rates.set(domain, rate);
    row.window = window;
    row.inWindow = 0;
    this.#counted.delete(domain);
    this.#counted.set(domain, row);
  }

  #forgetOldest(): void {
    if (this.#counted.size <= mostDomains) return;
    for (const domain of this.#counted.keys()) {
      this.#counted.delete(domain);
      this.#rates.delete(domain);
      return;
    }
  }

  #turnTo(row: Counted, timeMs: number): void {
    const step = this.#stepOf(timeMs);
    const passed = Math.min(step - row.step, stepsPerWindow);
    for (let i = 0; i < passed; i++) row.counts.push(0);
    row.counts = row.counts.slice(-stepsPerWindow);
    row.step = step;
  }

  #stepOf(timeMs: number): number {
    return Math.floor(timeMs / this.stepMs);
  }
}

function add(a: number, b: number): number {
  return a + b;
}
