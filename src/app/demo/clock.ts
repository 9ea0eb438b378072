import type { Clock } from '../../engine/index.ts';

/** A clock whose rate can be changed while it runs. */
export interface DemoClock extends Clock {
  /** How many seconds of its time pass in one real second. */
  setRate(rate: number): void;
  /** Resolves when the clock reads `timeMs` or later. */
  reach(timeMs: number): Promise<void>;
}

/** Longest real wait before a timer looks again how late it is, so that a change of rate takes effect. */
const glanceMs = 50;

/** Lets a morning pass in a minute: log time runs `rate` times as fast as real time, from `startMs` on. */
export function createDemoClock(startMs: number, rate: number): DemoClock {
  let base = { clockMs: startMs, realMs: performance.now(), rate };
  const nowMs = (): number => base.clockMs + (performance.now() - base.realMs) * base.rate;

  const setTimer: Clock['setTimer'] = (dueMs, fire) => {
    let timeout: NodeJS.Timeout;
    const look = (): void => {
      const leftRealMs = (dueMs - nowMs()) / base.rate;
      if (leftRealMs <= 0) fire();
      else timeout = setTimeout(look, Math.min(Math.ceil(leftRealMs), glanceMs));
    };
    timeout = setTimeout(look, 0);
    return { cancel: () => clearTimeout(timeout) };
  };

  return {
    nowMs: () => Math.floor(nowMs()),
    setTimer,
    setRate(next) {
      base = { clockMs: nowMs(), realMs: performance.now(), rate: next };
    },
    reach: (timeMs) =>
      new Promise((resolve) => {
        setTimer(timeMs, resolve);
      }),
  };
}
