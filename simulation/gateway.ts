import { TocsinError, type Entry } from '../src/engine/index.ts';
import type { Life } from './clock.ts';
import { logHost, type Kept } from './log.ts';
import type { World } from './world.ts';

const askMs = 5000;
const retryMs = 300;
const longestRetryMs = 3000;
/** Less than ids are remembered, by more than a message may be under way. */
const patienceMs = 30_000;

/** What was said to those who sent reports. */
export interface Ledger {
  /** Ids of appends that were answered with yes. */
  readonly acknowledged: Set<string>;
  /** Ids of all that were tried. */
  readonly tried: Set<string>;
}

/**
 * Takes a report in: appends it under an id, and asks again under the same id until the log answers. Resolves with whether the sender
 * is told that it was kept; when not, it may be in the log or not.
 */
export async function takeIn<E extends Entry, Flow>(
  { network, log, faults, ledger, defect }: World<E, Flow>,
  { host, life, id, draft }: { host: string; life: Life; id: string; draft: E },
): Promise<boolean> {
  const deadlineMs = life.nowMs() + patienceMs;
  let attempt = 0;
  for (let waitMs = retryMs; ; waitMs = Math.min(2 * waitMs, longestRetryMs)) {
    const name = defect === 'new id for each retry' && attempt > 0 ? `${id}/${attempt}` : id;
    attempt++;
    ledger.tried.add(name);
    if (defect === 'acknowledged too early') ledger.acknowledged.add(id);
    try {
      await network.ask<Kept>({
        from: life,
        host,
        to: logHost,
        what: `append ${name}`,
        timeoutMs: askMs,
        silence: 'TOC_LOG_UNAVAILABLE',
        serve: (answer) => {
          if (faults.strikes('append refused'))
            answer.refuse(new TocsinError('TOC_LOG_UNAVAILABLE', 'no quorum'));
          else log.append({ id: name, draft, owned: null }, answer);
        },
      });
      ledger.acknowledged.add(name);
      return true;
    } catch {
      if (life.nowMs() + waitMs + askMs > deadlineMs) return false;
    }
    await life.wait(waitMs);
  }
}
