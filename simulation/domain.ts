import type { Claim, Effect, Entry, Fact, Fold } from '../src/engine/index.ts';
import type { Random } from './random.ts';

/** What is folded: the words that the engine does not know. */
export interface Domain<E extends Entry = Entry, Flow = unknown> {
  readonly name: string;
  createFold(): Fold<E, Flow>;
  /** The first entry of the log. */
  configure(timeMs: number): E;
  /** The `count`th thing that somebody outside says. */
  report(random: Random, timeMs: number, count: number): E;
  tick(timeMs: number): E;
  resume(timeMs: number, atMs: number): E;
  claim(timeMs: number, claim: Claim): E;
  fact(timeMs: number, fact: Fact): E;
  laneOf(effect: Effect): string;
  subjectOf(effect: Effect): string | null;
  /** Kinds that only ask for something, and what the answer is. */
  readonly questions: Readonly<Record<string, unknown>>;
  /** Kinds that are sent to the receiver. */
  readonly sentKinds: readonly string[];
}
