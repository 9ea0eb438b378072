import type { Clock } from '../engine/index.ts';

/** A clock that never goes back, over one that may. */
export interface SteadyClock extends Clock {
  /** How far it is ahead of the clock below, in milliseconds; 0 unless that one was set back. */
  readonly aheadMs: number;
  /** Makes it read `timeMs` or later from now on. */
  advanceTo(timeMs: number): void;
}

export interface SteadyClockOptions {
  /** Milliseconds since any point, never set. */
  readonly monotonicMs?: () => number;
  /** Called when the clock below was set back, with the milliseconds that this one is ahead of it since. */
  readonly onStepBack: (aheadMs: number) => void;
}

/** Less than this is how clocks are trimmed, and no step. */
const toleranceMs = 1000;
/** So much slower it goes while it is ahead, until the clock below has caught up. */
const slowdown = 0.1;

/**
 * Log time must not go back, and timers must not stand still because the machine's clock was set back by an hour: this clock
 * goes on from where it was, a tenth slower until the other has caught up. Steps forward are taken as they are.
 */
export function createSteadyClock(below: Clock, options: SteadyClockOptions): SteadyClock {
  const { monotonicMs = () => performance.now(), onStepBack } = options;
  let aheadMs = 0;
  let last = { nowMs: -Infinity, belowMs: below.nowMs(), monotonicMs: monotonicMs() };

  const nowMs = (): number => {
    const seen = { belowMs: below.nowMs(), monotonicMs: monotonicMs() };
    const elapsedMs = Math.max(0, seen.monotonicMs - last.monotonicMs);
    const stepMs = seen.belowMs - last.belowMs - elapsedMs;
    const isBack = stepMs < -toleranceMs;
    if (isBack || stepMs > toleranceMs) aheadMs -= stepMs;
    aheadMs = Math.max(0, aheadMs - slowdown * elapsedMs);
    last = { ...seen, nowMs: Math.max(last.nowMs, Math.floor(seen.belowMs + aheadMs)) };
    if (isBack) onStepBack(Math.round(aheadMs));
    return last.nowMs;
  };

  return {
    nowMs,
    get aheadMs() {
      return aheadMs < toleranceMs ? 0 : Math.round(aheadMs);
    },
    advanceTo(timeMs) {
      const lacksMs = timeMs - nowMs();
      if (lacksMs <= 0) return;
      aheadMs += lacksMs;
      last = { ...last, nowMs: timeMs };
      if (lacksMs > toleranceMs) onStepBack(Math.round(aheadMs));
    },
    setTimer(dueMs, fire) {
      let timer: { cancel(): void };
      const look = (): void => {
        const leftMs = dueMs - nowMs();
        timer = below.setTimer(below.nowMs() + Math.max(0, leftMs), leftMs <= 0 ? fire : look);
      };
      look();
      return { cancel: () => timer.cancel() };
    },
  };
}
