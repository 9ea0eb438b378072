import { formatDuration } from '../alert/index.ts';
import type { StageContext, Table } from '../engine/index.ts';
import type { TransientsConfig } from './config.ts';

/** How a signal went the last times, the oldest first: after how many seconds it was over by itself, or -1. */
interface Past {
  readonly seconds: readonly number[];
  readonly lastMs: number;
}

/** How long there is reason to wait, counted from a signal's begin, and why. */
export interface Patience {
  readonly holdMs: number;
  readonly text: string;
}

const maxEpisodes = 32;
/** What may be waited for. */
const steps = [30, 60, 120, 180, 300, 600, 900].map((seconds) => seconds * 1000);

/** Learns of each signal how often it is over by itself, and after how long. */
export class Transients {
  /** Those unseen for longest first. */
  readonly #past: Table<Past>;

  constructor(context: StageContext) {
    this.#past = context.table<Past>('past');
  }

  /** Notes how it went; `lastedMs` is null where it did not go by itself. */
  learn(
    key: string,
    lastedMs: number | null,
    nowMs: number,
    { max_signals, forget_after }: TransientsConfig,
  ): void {
    const seconds = [
      ...(this.#past.get(key)?.seconds ?? []),
      lastedMs === null ? -1 : Math.ceil(lastedMs / 1000),
    ];
    this.#past.delete(key);
    this.#past.set(key, { seconds: seconds.slice(-maxEpisodes), lastMs: nowMs });
    for (const [oldest, { lastMs }] of this.#past.entries()) {
      if (this.#past.size <= max_signals && nowMs - lastMs <= forget_after) break;
      this.#past.delete(oldest);
    }
  }

  /**
   * The shortest time after which it was over often enough; null where there is none, or too little is known. The share is
   * estimated with one time more of each kind (Laplace), so that few times prove less than many.
   */
  patienceFor(key: string, { min_episodes, share, max_hold }: TransientsConfig): Patience | null {
    const seconds = this.#past.get(key)?.seconds ?? [];
    if (seconds.length < min_episodes) return null;
    for (const step of [...steps.filter((step) => step < max_hold), max_hold]) {
      const count = seconds.filter((lasted) => lasted >= 0 && lasted * 1000 <= step).length;
      if ((count + 1) / (seconds.length + 2) < share) continue;
      const text = `${count} of the last ${seconds.length} times it was over by itself within ${formatDuration(step)}`;
      return { holdMs: step, text };
    }
    return null;
  }
}
