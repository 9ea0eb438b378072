import type { Clock } from '../engine/index.ts';

export type CircuitState = 'closed' | 'open' | 'half-open';

export interface CircuitOptions {
  readonly clock: Clock;
  /** Failures in a row that open it; 5 unless said otherwise. */
  readonly openAfter?: number;
  /** How long it stays open at first, 5 s unless said otherwise; doubles with each failed probe, up to a minute. */
  readonly firstWaitMs?: number;
  readonly onChange?: (state: CircuitState, lastError: string | null) => void;
}

/** What can be seen of a circuit. */
export interface CircuitView {
  readonly state: CircuitState;
  readonly sinceMs: number;
  /** Pages that wait for it to close. */
  readonly waitingCount: number;
  readonly lastError: string | null;
}

interface Waiter {
  readonly resolve: () => void;
}

const defaultOpenAfter = 5;
const defaultFirstWaitMs = 5000;
const longestWaitMs = 60_000;
/** While a probe is out, another one may follow it so long afterwards. */
const probeEveryMs = 1000;

/**
 * Keeps pages from a receiver that does not take them (the circuit breaker of Nygard, Release It!, 2007): after some failures in a row
 * it opens, and who wants to send waits instead of failing. After a while one goes as a probe; when that is taken all go.
 */
export class Circuit {
  readonly #options: CircuitOptions;
  readonly #openAfter: number;
  readonly #firstWaitMs: number;
  readonly #waiters = new Set<Waiter>();
  #state: CircuitState = 'closed';
  #sinceMs: number;
  #failureCount = 0;
  #waitMs: number;
  #lastError: string | null = null;
  #timer: { cancel(): void } | null = null;

  constructor(options: CircuitOptions) {
    this.#options = options;
    this.#openAfter = options.openAfter ?? defaultOpenAfter;
    this.#firstWaitMs = options.firstWaitMs ?? defaultFirstWaitMs;
    this.#waitMs = this.#firstWaitMs;
    this.#sinceMs = options.clock.nowMs();
  }

  get view(): CircuitView {
    return {
      state: this.#state,
      sinceMs: this.#sinceMs,
      waitingCount: this.#waiters.size,
      lastError: this.#lastError,
    };
  }

  /** Resolves when the receiver may be tried. Rejects with the reason of `stop` when that comes before. */
  admit(stop: AbortSignal): Promise<void> {
    if (stop.aborted) return Promise.reject(stop.reason as Error);
    if (this.#state === 'closed') return Promise.resolve();
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiters.delete(waiter);
        reject(stop.reason as Error);
      };
      const waiter: Waiter = {
        resolve: () => {
          stop.removeEventListener('abort', leave);
          resolve();
        },
      };
      stop.addEventListener('abort', leave, { once: true });
      this.#waiters.add(waiter);
      if (this.#state === 'half-open' && this.#timer === null) this.#probe();
    });
  }

  /** The receiver has answered, be it by a refusal. */
  succeeded(): void {
    this.#failureCount = 0;
    this.#waitMs = this.#firstWaitMs;
    if (this.#state === 'closed') return;
    this.#lastError = null;
    this.#enter('closed');
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const { resolve } of waiters) resolve();
  }

  /** It has not. `error` may be shown to people. */
  failed(error: string): void {
    this.#failureCount++;
    this.#lastError = error;
    // Those that were under way when it opened say nothing new.
    if (this.#state === 'open' || (this.#state === 'closed' && this.#failureCount < this.#openAfter)) return;
    if (this.#state === 'half-open') this.#waitMs = Math.min(2 * this.#waitMs, longestWaitMs);
    this.#enter('open');
    this.#after(this.#waitMs, () => {
      this.#enter('half-open');
      this.#probe();
    });
  }

  /** Lets one go, and another a little later: a probe that never says how it went must not keep it shut. */
  #probe(): void {
    const [first] = this.#waiters;
    if (!first) return;
    this.#waiters.delete(first);
    this.#after(probeEveryMs, () => this.#probe());
    first.resolve();
  }

  #after(lengthMs: number, act: () => void): void {
    const { clock } = this.#options;
    this.#timer = clock.setTimer(clock.nowMs() + lengthMs, () => {
      this.#timer = null;
      act();
    });
  }

  #enter(state: CircuitState): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#state = state;
    this.#sinceMs = this.#options.clock.nowMs();
    this.#options.onChange?.(state, this.#lastError);
  }
}
