import type { Clock } from '../engine/index.ts';

/** The longest wait that Node's timers take; longer ones are cut into pieces. */
const longestWaitMs = 2_147_483_647;

/** The machine's own clock. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  setTimer(dueMs, fire) {
    let timeout: NodeJS.Timeout;
    const wait = (): void => {
      const leftMs = dueMs - Date.now();
      if (leftMs <= 0) timeout = setTimeout(fire, 0);
      else if (leftMs > longestWaitMs) timeout = setTimeout(wait, longestWaitMs);
      else timeout = setTimeout(fire, Math.ceil(leftMs));
    };
    wait();
    return { cancel: () => clearTimeout(timeout) };
  },
};
