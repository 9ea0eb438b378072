import { TocsinError, type ErrorCode } from '../src/engine/index.ts';
import type { Life, Timeline } from './clock.ts';
import type { Faults } from './faults.ts';
import type { Random } from './random.ts';
import type { Trace } from './trace.ts';

/** Longer than this no message is under way. */
export const longestDelayMs = 3000;

/** What a service does with a question. It may answer at once, later, or never. */
export type Serve<T> = (answer: Answer<T>) => void;
export interface Answer<T> {
  give(value: T): void;
  refuse(error: TocsinError): void;
}

export interface Call<T> {
  readonly from: Life;
  /** The machine that asks; a process keeps it over its lives. */
  readonly host: string;
  readonly to: string;
  readonly what: string;
  readonly timeoutMs: number;
  /** What is said when no answer came: nobody knows whether it was done. */
  readonly silence: ErrorCode;
  readonly serve: Serve<T>;
}

/** Carries messages between machines, and now and then does not. */
export class Network {
  readonly #timeline: Timeline;
  readonly #faults: Faults;
  readonly #random: Random;
  readonly #trace: Trace;
  readonly #blocked = new Map<string, number>();
  readonly #lastArrival = new Map<string, number>();
  /** Services that take so much longer. */
  readonly #slowMs = new Map<string, number>();
  /** Told when a process ends right after it has asked something. */
  onCrash: (host: string) => void = () => undefined;

  constructor(timeline: Timeline, faults: Faults, random: Random, trace: Trace) {
    this.#timeline = timeline;
    this.#faults = faults;
    this.#random = random;
    this.#trace = trace;
  }

  block(a: string, b: string): void {
    const link = linkOf(a, b);
    this.#blocked.set(link, (this.#blocked.get(link) ?? 0) + 1);
  }

  unblock(a: string, b: string): void {
    const link = linkOf(a, b);
    const count = (this.#blocked.get(link) ?? 0) - 1;
    if (count > 0) this.#blocked.set(link, count);
    else this.#blocked.delete(link);
  }

  slowDown(service: string, extraMs: number): void {
    this.#slowMs.set(service, extraMs);
  }

  heal(): void {
    this.#blocked.clear();
    this.#slowMs.clear();
  }

  /** Asks a service. Rejects with `silence` after `timeoutMs`, else with what the service refuses with. */
  ask<T>({ from, host, to, what, timeoutMs, silence, serve }: Call<T>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    if (from.isOver) return promise;
    const text = `${from.name} > ${to}: ${what}`;
    this.#trace.add(text);
    const timer = from.setTimer(from.nowMs() + timeoutMs, () =>
      reject(new TocsinError(silence, `${to} does not answer`)),
    );
    const answerWith = (settle: () => void): void =>
      this.#send(to, host, 'answer lost', () =>
        from.meet(() => {
          timer.cancel();
          settle();
        }),
      );
    this.#send(host, to, 'loss', () => {
      const extraMs = this.#slowMs.get(to) ?? 0;
      const run = (): void => {
        if (extraMs > 0) this.#trace.add(`${to} at last begins with ${what} of ${from.name}`);
        serve({
          give: (value) => answerWith(() => resolve(value)),
          refuse: (error) => answerWith(() => reject(error)),
        });
      };
      if (extraMs === 0) run();
      else {
        this.#faults.note('slow service');
        this.#timeline.after(this.#random.between(0, extraMs), run);
      }
    });
    if (this.#faults.strikes('crash while asking', 0.03)) this.onCrash(host);
    return promise;
  }

  #send(from: string, to: string, lossKind: 'loss' | 'answer lost', deliver: () => void): void {
    if (this.#faults.strikes(lossKind)) return this.#trace.add(`  lost from ${from} to ${to}`);
    const copies = this.#faults.strikes('duplicate') ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) this.#carry(from, to, deliver);
  }

  #carry(from: string, to: string, deliver: () => void): void {
    const route = `${from}>${to}`;
    let delayMs = this.#random.between(0.2, 4);
    if (this.#faults.strikes('delay')) delayMs += this.#random.between(0, longestDelayMs - 4);
    let arrivalMs = this.#timeline.nowMs + delayMs;
    const lastMs = this.#lastArrival.get(route) ?? 0;
    if (arrivalMs < lastMs && !this.#faults.strikes('reorder', 10)) arrivalMs = lastMs;
    this.#lastArrival.set(route, Math.max(arrivalMs, lastMs));
    const isBlocked = (): boolean => {
      if (!this.#blocked.has(linkOf(from, to))) return false;
      this.#faults.note('partition');
      this.#trace.add(`  cut off from ${from} to ${to}`);
      return true;
    };
    if (isBlocked()) return;
    this.#timeline.at(arrivalMs, () => {
      if (!isBlocked()) deliver();
    });
  }
}

function linkOf(a: string, b: string): string {
  return a < b ? `${a}|${b}` : `${b}|${a}`;
}
