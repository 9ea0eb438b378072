import type { Clock } from '../engine/index.ts';
import type { Logger } from './logger.ts';
import { createSteadyClock, type SteadyClock } from './steady-clock.ts';

/** The clock by which a log is written. Says when the machine's was set back. */
export function createLogClock(below: Clock, logger: Logger): SteadyClock {
  return createSteadyClock(below, {
    onStepBack: (aheadMs) =>
      logger.error(
        { aheadSeconds: Math.round(aheadMs / 1000) },
        "The machine's clock was set back. Log time goes on, ahead of it, until it has caught up; times of reports and silences are moved along.",
      ),
  });
}
