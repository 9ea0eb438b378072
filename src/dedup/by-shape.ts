import type { LiveSignal } from './signal-row.ts';
import { hashToken } from './tokens.ts';

/**
 * The signals by the shape of their texts, so that those can be found whose sketches change when a variable is learned. Shapes of one
 * hash are not told apart: a signal that is sketched anew for nothing gets the sketch that it had.
 */
export class SignalsByShape {
  readonly #signals = new Map<number, LiveSignal[]>();

  add(signal: LiveSignal): void {
    const signals = this.#signals.get(signal.shape);
    signal.shapePlace = signals?.length ?? 0;
    if (signals) signals.push(signal);
    else this.#signals.set(signal.shape, [signal]);
  }

  remove(signal: LiveSignal): void {
    const signals = this.#signals.get(signal.shape);
    if (signals?.[signal.shapePlace] !== signal) return;
    const last = signals.pop()!;
    if (last !== signal) {
      signals[signal.shapePlace] = last;
      last.shapePlace = signal.shapePlace;
    }
    if (signals.length === 0) this.#signals.delete(signal.shape);
  }

  of(shapeKey: string): readonly LiveSignal[] {
    return this.#signals.get(shapeHash(shapeKey)) ?? [];
  }

  clear(): void {
    this.#signals.clear();
  }
}

export function shapeHash(shapeKey: string): number {
  return hashToken(shapeKey);
}
