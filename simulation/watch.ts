import type { Effect, Frame, TocsinError } from '../src/engine/index.ts';
import type { Kept } from './log.ts';
import { brokenMark, type Trace } from './trace.ts';

/** No machine's clock is further from the true time than this. */
export const longestSkewMs = 400;

/** Looks on while a run goes on, and notes what must never happen. */
export class Watch {
  readonly violations: string[] = [];
  readonly #trace: Trace;
  /** What each session's fold said at each position: its effects, as text. */
  readonly folded: { readonly session: string; readonly position: number; readonly effects: string }[] = [];
  /** The sessions that wrote the log, in the order of their first entries. */
  readonly #owned = new Set<string>();
  readonly #writers: string[] = [];

  constructor(trace: Trace) {
    this.#trace = trace;
  }

  add(violation: string): void {
    if (this.violations.includes(violation)) return;
    this.violations.push(violation);
    this.#trace.add(`${brokenMark} ${violation}`);
  }

  noteKept({ position, id, timeMs, atMs, session, isStale }: Kept): void {
    if (timeMs > atMs + longestSkewMs)
      this.add(`early: ${id} at ${position} says a time ${Math.round(timeMs - atMs)} ms ahead`);
    if (session === null || isStale) return;
    if (this.#owned.has(id)) this.add(`twice: ${id} of an owner is in the log again, at ${position}`);
    this.#owned.add(id);
    const newest = this.#writers.at(-1);
    if (!this.#writers.includes(session)) this.#writers.push(session);
    else if (session !== newest)
      this.add(`fencing: ${session} writes ${id} into the log, after ${newest} has begun to`);
  }

  /** `granted` are all owners so far, the last of them the one that has the lease or had it last. */
  noteWritten(what: string, owner: string, granted: readonly string[]): void {
    const newest = granted.at(-1);
    if (owner !== newest)
      this.add(`fencing: ${what} of ${owner} is in the store, after ${newest} had the lease`);
  }

  /** An effect is about to be sent; `isRecorded` says whether the delivery log has its outcome. */
  noteSend({ id }: Effect, isRecorded: boolean, session: string): void {
    if (isRecorded) this.add(`once: ${session} carries out ${id}, which was done before`);
  }

  noteFrames(session: string, frames: readonly Frame[]): void {
    for (const [position, effects] of effectsByPosition(frames)) {
      this.folded.push({ session, position, effects });
    }
  }

  notePartitionFailed(session: string, { code, message, cause }: TocsinError): void {
    const reason = cause instanceof Error ? `: ${cause.message}` : '';
    this.add(`failed: ${session} stands still, ${code} ${message}${reason}`);
  }
}

/** The effects of each position, as text. */
export function effectsByPosition(frames: readonly Frame[]): Map<number, string> {
  const texts = new Map<number, string>();
  for (const { position, effects } of frames) {
    const text = effects.length === 0 ? '' : JSON.stringify(effects);
    texts.set(position, (texts.get(position) ?? '') + text);
  }
  return texts;
}
