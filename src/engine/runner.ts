import type { Effect, Fact } from './effect.ts';
import { TocsinError, type ErrorCode } from './error.ts';

/** Carries out effects of one kind. What it rejects with becomes the fact's failure; retrying is its own affair. */
export type Carrier = (effect: Effect, stop: AbortSignal) => Promise<unknown>;

/** What has been carried out, by effect id: kept outside of the log so that a crash between the act and its fact is survived. */
export interface DeliveryLog {
  outcomeOf(effectId: string): Promise<Fact['outcome'] | undefined>;
  record(effectId: string, outcome: Fact['outcome'], atMs: number): Promise<void>;
}

export interface EffectRunnerOptions {
  readonly carriers: Readonly<Record<string, Carrier>>;
  /** Effects of one lane go one after the other, in order; lanes do not wait for each other. */
  readonly laneOf: (effect: Effect) => string;
  readonly deliveries: DeliveryLog;
  /** Kinds that only ask for something: doing them again is harmless, so that their outcome goes into the log alone. */
  readonly repeatableKinds: ReadonlySet<string>;
  /** Puts the fact into the log. */
  readonly appendFact: (fact: Fact) => Promise<void>;
  readonly nowMs: () => number;
  readonly onOutcome?: (fact: Fact) => void;
  /** The store or the log did not take the outcome. The effect stays pending in the fold and is taken on again after a restart. */
  readonly onUnrecorded?: (effect: Effect, error: unknown) => void;
}

/**
 * Carries out effects and tells the log how they ended.
 *
 * INVARIANT: an effect once recorded as done is not carried out again: its recorded outcome is what the log is told.
 * An effect whose carrying out was cut off before it was recorded is carried out again, under the same id.
 */
export class EffectRunner {
  readonly #options: EffectRunnerOptions;
  readonly #lanes = new Map<string, Promise<void>>();
  readonly #known = new Set<string>();
  readonly #stop = new AbortController();

  constructor(options: EffectRunnerOptions) {
    this.#options = options;
  }

  /** Effects taken on and not yet ended. */
  get inFlightCount(): number {
    return this.#known.size;
  }

  /** Takes effects on. One that is under way already is left alone. */
  run(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (this.#stop.signal.aborted || this.#known.has(effect.id)) continue;
      this.#known.add(effect.id);
      const lane = this.#options.laneOf(effect);
      const turn = (this.#lanes.get(lane) ?? Promise.resolve()).then(() => this.#carryOut(effect));
      this.#lanes.set(lane, turn);
      void turn.finally(() => {
        if (this.#lanes.get(lane) === turn) this.#lanes.delete(lane);
      });
    }
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    while (this.#lanes.size > 0) await Promise.all(this.#lanes.values());
  }

  /** Tells carriers to stop and waits for them; what was not carried out stays pending in the fold. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.idle();
  }

  async #carryOut(effect: Effect): Promise<void> {
    try {
      if (this.#stop.signal.aborted) return;
      const { deliveries, repeatableKinds, nowMs, appendFact, onOutcome } = this.#options;
      const isRecorded = !repeatableKinds.has(effect.kind);
      let outcome = isRecorded ? await deliveries.outcomeOf(effect.id) : undefined;
      if (!outcome) {
        outcome = await this.#attempt(effect);
        if (!outcome) return;
        if (isRecorded) await deliveries.record(effect.id, outcome, nowMs());
      }
      const fact: Fact = { effectId: effect.id, kind: effect.kind, outcome };
      await appendFact(fact);
      onOutcome?.(fact);
    } catch (error) {
      this.#options.onUnrecorded?.(effect, error);
    } finally {
      this.#known.delete(effect.id);
    }
  }

  /** The outcome, or undefined when the runner was stopped meanwhile and nothing can be said. */
  async #attempt(effect: Effect): Promise<Fact['outcome'] | undefined> {
    const carrier = this.#options.carriers[effect.kind];
    if (!carrier)
      return {
        status: 'failed',
        code: 'TOC_EFFECT_UNKNOWN' satisfies ErrorCode,
        message: `nothing carries out ${effect.kind}`,
      };
    try {
      return { status: 'done', result: await carrier(effect, this.#stop.signal) };
    } catch (error) {
      if (this.#stop.signal.aborted) return undefined;
      const code = error instanceof TocsinError ? error.code : 'TOC_EFFECT_FAILED';
      return { status: 'failed', code, message: error instanceof Error ? error.message : String(error) };
    }
  }
}
