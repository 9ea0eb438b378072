import { createHash } from 'node:crypto';
import type { Timeline } from './clock.ts';

/** Begins the line of an invariant that was broken. */
export const brokenMark = 'BROKEN';

/** Everything that happened in a run, a line each. Two runs with the same hash were the same. */
export class Trace {
  readonly lines: string[] = [];
  readonly #timeline: Timeline;
  readonly #startMs: number;

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
    this.#startMs = timeline.nowMs;
  }

  add(text: string): void {
    this.lines.push(`${((this.#timeline.nowMs - this.#startMs) / 1000).toFixed(4)} ${text}`);
  }

  hash(): string {
    return createHash('sha256').update(this.lines.join('\n')).digest('hex').slice(0, 16);
  }
}
