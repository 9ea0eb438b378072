import { sleep, type Clock } from './clock.ts';
import type { Claim, Effect, Fact } from './effect.ts';
import { TocsinError, type ErrorCode } from './error.ts';

/**
 * Carries out effects of one kind. What it rejects with becomes the fact's failure; retrying is its own affair. With TOC_LOG_FENCED it
 * says that another process is the one to act by now. `outdated` is aborted when
 * a later effect says all of it anew: whoever waits for another attempt may leave it to that one.
 */
export type Carrier = (effect: Effect, stop: AbortSignal, outdated: AbortSignal) => Promise<unknown>;

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
  /**
   * Resolves when the effect may be carried out; until then it can still be superseded. Rejects when `stop` is aborted before.
   * Unless given, all may at once.
   */
  readonly admit?: (effect: Effect, stop: AbortSignal) => Promise<void>;
  readonly deliveries: DeliveryLog;
  /** Kinds that only ask for something: doing them again is harmless, so that their outcome goes into the log alone. */
  readonly repeatableKinds: ReadonlySet<string>;
  /** Puts the claim into the log. Rejects where another process is the one to act by now. */
  readonly appendClaim: (claim: Claim) => Promise<void>;
  /**
   * What becomes of an effect that was claimed in an earlier life and of which nobody knows whether it was carried out: it is carried out again
   * under its id, or left alone, and ends as failed with TOC_EFFECT_UNCERTAIN. Unless given, all are carried out again.
   */
  readonly onUncertain?: (effect: Effect) => 'repeat' | 'leave';
  /** Puts the fact into the log. */
  readonly appendFact: (fact: Fact) => Promise<void>;
  readonly clock: Clock;
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
 * INVARIANT: an effect is claimed in the log before it is carried out, so that whoever may not write the log any more carries nothing out.
 * An effect whose carrying out was cut off before it was recorded is carried out again, under the same id, unless `onUncertain` says
 * otherwise. While the store does not answer, what was claimed in an earlier life waits, as nobody could say what was done; while the log takes
 * nothing, nothing is carried out, and outcomes wait in their lanes.
 */
export class EffectRunner {
  readonly #options: EffectRunnerOptions;
  /** What waits for its turn, by lane, in order. A lane that is here is being worked on. */
  readonly #lanes = new Map<string, Set<Effect>>();
  /** Everything under way that `idle` waits for. */
  readonly #work = new Set<Promise<void>>();
  readonly #known = new Set<string>();
  /** Those of them that were claimed in an earlier life. */
  readonly #uncertain = new Set<string>();
  /** The last effect on each subject that has not begun. */
  readonly #waiting = new Map<string, Effect>();
  /** What is being carried out, by subject. */
  readonly #begun = new Map<string, AbortController>();
  /** Those that are superseded and whose end is not in the log yet, by subject. */
  readonly #ending = new Map<string, Set<Promise<void>>>();
  readonly #stop = new AbortController();

  constructor(options: EffectRunnerOptions) {
    this.#options = options;
  }

  /** Effects taken on and not yet ended. */
  get inFlightCount(): number {
    return this.#known.size;
  }

  /** Takes effects on. One that is under way already is left alone. `isClaimed` says of which the log has a claim. */
  run(effects: readonly Effect[], isClaimed: (effectId: string) => boolean = () => false): void {
    for (const effect of effects) {
      if (this.#stop.signal.aborted || this.#known.has(effect.id)) continue;
      this.#known.add(effect.id);
      if (isClaimed(effect.id)) this.#uncertain.add(effect.id);
      this.#supersede(effect);
      const name = this.#options.laneOf(effect);
      const lane = this.#lanes.get(name);
      if (lane) lane.add(effect);
      else {
        const begun = new Set([effect]);
        this.#lanes.set(name, begun);
        this.#follow(this.#workOn(name, begun));
      }
    }
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    while (this.#work.size > 0) await Promise.all(this.#work);
  }

  /** Tells carriers to stop and waits for them, up to the grace; what was not carried out stays pending in the fold. */
  async stop(): Promise<void> {
    this.#stop.abort();
    const limit = new AbortController();
    const { clock, stopGraceMs = defaultStopGraceMs } = this.#options;
    await Promise.race([this.idle(), sleep(clock, stopGraceMs, limit.signal)]);
    limit.abort();
  }

  #follow(work: Promise<void>): void {
    this.#work.add(work);
    void work.finally(() => this.#work.delete(work));
  }

  async #workOn(name: string, lane: Set<Effect>): Promise<void> {
    for (const effect of lane) {
      await this.#carryOut(effect);
      lane.delete(effect);
    }
    this.#lanes.delete(name);
  }

  /** Ends the effect that says less, at once unless it is next: what waits for a receiver that is away must not pile up. */
  #supersede(effect: Effect): void {
    const subject = this.#subjectOf(effect);
    if (subject === null) return;
    const earlier = this.#waiting.get(subject);
    this.#waiting.set(subject, effect);
    this.#begun.get(subject)?.abort();
    if (!earlier) return;
    const lane = this.#lanes.get(this.#options.laneOf(earlier));
    const [next] = lane ?? [];
    if (earlier !== next && lane?.delete(earlier)) this.#endAsSuperseded(earlier, subject);
  }

  #endAsSuperseded(effect: Effect, subject: string): void {
    const end = this.#end(effect, async () => superseded);
    this.#follow(end);
    const ending = this.#ending.get(subject) ?? new Set();
    this.#ending.set(subject, ending.add(end));
    void end.finally(() => {
      ending.delete(end);
      if (ending.size === 0) this.#ending.delete(subject);
    });
  }

  /** INVARIANT: once the log may know of an effect, a crash brings back nothing that it superseded: the old news would come after the new. */
  async #earlierEnded(subject: string): Promise<void> {
    for (let ending = this.#ending.get(subject); ending; ending = this.#ending.get(subject)) {
      await Promise.all(ending);
    }
  }

  async #carryOut(effect: Effect): Promise<void> {
    const subject = this.#subjectOf(effect);
    const isSuperseded = () => subject !== null && this.#waiting.get(subject) !== effect;
    try {
      this.#stop.signal.throwIfAborted();
      // What is superseded has nothing to wait for.
      if (!isSuperseded()) await this.#options.admit?.(effect, this.#stop.signal);
      if (subject !== null) await this.#earlierEnded(subject);
    } catch {
      // Stopped: it stays pending in the fold.
      this.#known.delete(effect.id);
      return;
    }
    if (isSuperseded()) {
      await this.#end(effect, async () => superseded);
      return;
    }
    const outdated = new AbortController();
    if (subject !== null) {
      this.#waiting.delete(subject);
      this.#begun.set(subject, outdated);
    }
    await this.#end(effect, () => this.#attempt(effect, outdated.signal));
    if (subject !== null && this.#begun.get(subject) === outdated) this.#begun.delete(subject);
  }

  #subjectOf(effect: Effect): string | null {
    return this.#options.subjectOf?.(effect) ?? null;
  }

  /** Finds out how the effect ended, by `act` where nobody has noted it yet, and tells store and log. Never rejects. */
  async #end(effect: Effect, act: () => Promise<Fact['outcome'] | undefined>): Promise<void> {
    const { deliveries, repeatableKinds, appendFact, onOutcome } = this.#options;
    const { id, kind } = effect;
    const isRecorded = !repeatableKinds.has(kind);
    try {
      if (this.#stop.signal.aborted) return;
      // What nobody has claimed nobody has begun.
      const isUncertain = isRecorded && this.#uncertain.has(id);
      let outcome = isUncertain ? await this.#insist(effect, () => deliveries.outcomeOf(id)) : undefined;
      if (!outcome) {
        const acted = await act();
        if (!acted) return;
        outcome = acted;
        if (isRecorded) this.#follow(this.#record(effect, acted));
      }
      const fact: Fact = { effectId: id, kind, outcome };
      await this.#insist(effect, () => appendFact(fact));
      onOutcome?.(fact);
    } catch {
      // The outcome could not be kept, which `onUnrecorded` was told. The effect stays pending in the fold.
    } finally {
      this.#known.delete(id);
      this.#uncertain.delete(id);
    }
  }

  /** For the case that the process ends before the log has the fact. Where the store does not take it, the effect is uncertain then. */
  async #record(effect: Effect, outcome: Fact['outcome']): Promise<void> {
    const { deliveries, clock, onUnrecorded } = this.#options;
    try {
      await deliveries.record(effect.id, outcome, clock.nowMs());
    } catch (error) {
      onUnrecorded?.(effect, error);
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
        await sleep(this.#options.clock, waitMs, signal);
        if (signal.aborted) throw error;
        waitMs = Math.min(2 * waitMs, longestRetryMs);
      }
    }
  }

  /** False where the effect is to be left alone. */
  async #claim(effect: Effect): Promise<boolean> {
    const { repeatableKinds, appendClaim, onUncertain } = this.#options;
    const { id: effectId, kind } = effect;
    if (repeatableKinds.has(kind)) return true;
    const isRepeated = this.#uncertain.has(effectId);
    if (isRepeated && onUncertain?.(effect) === 'leave') return false;
    await this.#insist(effect, () => appendClaim({ effectId, kind, isRepeated }));
    return true;
  }

  /** The outcome, or undefined when the runner was stopped or replaced meanwhile and nothing can be said. */
  async #attempt(effect: Effect, outdated: AbortSignal): Promise<Fact['outcome'] | undefined> {
    const carrier = this.#options.carriers[effect.kind];
    if (!carrier)
      return {
        status: 'failed',
        code: 'TOC_EFFECT_UNKNOWN' satisfies ErrorCode,
        message: `nothing carries out ${effect.kind}`,
      };
    if (!(await this.#claim(effect))) return uncertain;
    try {
      const result = await carrier(effect, this.#stop.signal, outdated);
      // Through JSON, so that the store and the log keep the same; what is no plain data is a defect of the carrier.
      return { status: 'done', result: JSON.parse(JSON.stringify(result ?? null)) as unknown };
    } catch (error) {
      if (this.#stop.signal.aborted) return undefined;
      const code = error instanceof TocsinError ? error.code : 'TOC_EFFECT_FAILED';
      // Another process has the effect by now, and it is for that one to say how it ends.
      if (code === 'TOC_LOG_FENCED') return undefined;
      return { status: 'failed', code, message: error instanceof Error ? error.message : String(error) };
    }
  }
}

const uncertain: Fact['outcome'] = {
  status: 'failed',
  code: 'TOC_EFFECT_UNCERTAIN' satisfies ErrorCode,
  message: 'the process ended while it was carried out, and nobody knows how far it came',
};

const superseded: Fact['outcome'] = {
  status: 'failed',
  code: 'TOC_EFFECT_SUPERSEDED' satisfies ErrorCode,
  message: 'a later one about the same came before its turn',
};
