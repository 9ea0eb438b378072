import { setTimeout as sleep } from 'node:timers/promises';
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
  /**
   * Names what an effect says something about, if a later one says all of it anew. Of those that wait for their turn only the last
   * is carried out; the others end as failed with TOC_EFFECT_SUPERSEDED.
   */
  readonly subjectOf?: (effect: Effect) => string | null;
  readonly deliveries: DeliveryLog;
  /** Kinds that only ask for something: doing them again is harmless, so that their outcome goes into the log alone. */
  readonly repeatableKinds: ReadonlySet<string>;
  /** Puts the fact into the log. */
  readonly appendFact: (fact: Fact) => Promise<void>;
  readonly nowMs: () => number;
  readonly onOutcome?: (fact: Fact) => void;
  /** The store or the log did not take the outcome; both are asked again until they do. Called once an effect. */
  readonly onUnrecorded?: (effect: Effect, error: unknown) => void;
  /** The first wait before the store or the log is asked again; doubles up to a minute. One second unless said otherwise. */
  readonly retryMs?: number;
  /** How long `stop` waits for carriers that do not heed it; 10 s unless said otherwise. */
  readonly stopGraceMs?: number;
}

const defaultRetryMs = 1000;
const longestRetryMs = 60_000;
const defaultStopGraceMs = 10_000;

/**
 * Carries out effects and tells the log how they ended.
 *
 * INVARIANT: an effect once recorded as done is not carried out again: its recorded outcome is what the log is told.
 * An effect whose carrying out was cut off before it was recorded is carried out again, under the same id. While the store does not
 * answer, nothing is carried out, as nobody could say what was done; while the log takes nothing, outcomes wait in their lanes.
 */
export class EffectRunner {
  readonly #options: EffectRunnerOptions;
  readonly #lanes = new Map<string, Promise<void>>();
  readonly #known = new Set<string>();
  /** The last effect on each subject that has not begun. */
  readonly #waiting = new Map<string, string>();
  readonly #superseded = new Set<string>();
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
      this.#supersede(effect);
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

  /** Tells carriers to stop and waits for them, up to the grace; what was not carried out stays pending in the fold. */
  async stop(): Promise<void> {
    this.#stop.abort();
    const limit = new AbortController();
    const graceMs = this.#options.stopGraceMs ?? defaultStopGraceMs;
    await Promise.race([
      this.idle(),
      sleep(graceMs, undefined, { signal: limit.signal }).catch(() => undefined),
    ]);
    limit.abort();
  }

  #supersede(effect: Effect): void {
    const subject = this.#options.subjectOf?.(effect) ?? null;
    if (subject === null) return;
    const earlier = this.#waiting.get(subject);
    if (earlier !== undefined) this.#superseded.add(earlier);
    this.#waiting.set(subject, effect.id);
  }

  /** Says whether the effect, whose turn it is, has been superseded. */
  #begin(effect: Effect): boolean {
    const subject = this.#options.subjectOf?.(effect) ?? null;
    if (subject !== null && this.#waiting.get(subject) === effect.id) this.#waiting.delete(subject);
    return this.#superseded.delete(effect.id);
  }

  async #carryOut(effect: Effect): Promise<void> {
    const { deliveries, repeatableKinds, nowMs, appendFact, onOutcome } = this.#options;
    const { id, kind } = effect;
    const isRecorded = !repeatableKinds.has(kind);
    const isSuperseded = this.#begin(effect);
    try {
      if (this.#stop.signal.aborted) return;
      let outcome = isRecorded ? await this.#insist(effect, () => deliveries.outcomeOf(id)) : undefined;
      if (!outcome) {
        const attempted = isSuperseded ? superseded : await this.#attempt(effect);
        if (!attempted) return;
        outcome = attempted;
        if (isRecorded) await this.#insist(effect, () => deliveries.record(id, attempted, nowMs()));
      }
      const fact: Fact = { effectId: id, kind, outcome };
      await this.#insist(effect, () => appendFact(fact));
      onOutcome?.(fact);
    } catch {
      // The outcome could not be kept, which `onUnrecorded` was told. The effect stays pending in the fold.
    } finally {
      this.#known.delete(id);
    }
  }

  /** Asks the store or the log until it answers. Rejects when it says that it never will, or the runner is stopped meanwhile. */
  async #insist<T>(effect: Effect, ask: () => Promise<T>): Promise<T> {
    const { signal } = this.#stop;
    let waitMs = this.#options.retryMs ?? defaultRetryMs;
    for (let attempt = 1; ; attempt++) {
      try {
        return await ask();
      } catch (error) {
        if (attempt === 1) this.#options.onUnrecorded?.(effect, error);
        if (error instanceof TocsinError && !error.retryable) throw error;
        await sleep(waitMs, undefined, { signal }).catch(() => undefined);
        if (signal.aborted) throw error;
        waitMs = Math.min(2 * waitMs, longestRetryMs);
      }
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
      const result = await carrier(effect, this.#stop.signal);
      // Through JSON, so that the store and the log keep the same; what is no plain data is a defect of the carrier.
      return { status: 'done', result: JSON.parse(JSON.stringify(result ?? null)) as unknown };
    } catch (error) {
      if (this.#stop.signal.aborted) return undefined;
      const code = error instanceof TocsinError ? error.code : 'TOC_EFFECT_FAILED';
      return { status: 'failed', code, message: error instanceof Error ? error.message : String(error) };
    }
  }
}

const superseded: Fact['outcome'] = {
  status: 'failed',
  code: 'TOC_EFFECT_SUPERSEDED' satisfies ErrorCode,
  message: 'a later one about the same came before its turn',
};
