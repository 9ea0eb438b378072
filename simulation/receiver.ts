import { TocsinError, type Carrier, type Effect } from '../src/engine/index.ts';
import type { Life } from './clock.ts';
import type { Faults } from './faults.ts';
import type { Answer, Network } from './network.ts';
import type { Trace } from './trace.ts';

export const receiverHost = 'receiver';

/** Who gets the pages. It honours idempotency keys: what it has taken under a key it takes no second time. */
export class SimulatedReceiver {
  /** What it has taken, in order. */
  readonly taken: Effect[] = [];
  /** How often it was sent what it had already. */
  repeatCount = 0;
  readonly #keys = new Set<string>();
  readonly #faults: Faults;
  readonly #trace: Trace;

  constructor(faults: Faults, trace: Trace) {
    this.#faults = faults;
    this.#trace = trace;
  }

  take(effect: Effect, answer: Answer<null>): void {
    const { id } = effect;
    if (this.#faults.strikes('receiver fails', 4)) {
      this.#trace.add(`receiver fails to take ${id}`);
      return answer.refuse(new TocsinError('TOC_NOTIFY_FAILED', '500'));
    }
    if (this.#keys.has(id)) this.repeatCount++;
    else {
      this.#keys.add(id);
      this.taken.push(effect);
      this.#trace.add(`receiver takes ${id}`);
    }
    if (this.#faults.strikes('receiver hangs', 2)) return;
    answer.give(null);
  }
}

export interface CarrierOptions {
  readonly life: Life;
  readonly host: string;
  readonly network: Network;
  readonly receiver: SimulatedReceiver;
  /** Whether nobody else can have the lease before what is sent now has arrived. */
  readonly holdsLease: () => boolean;
  /** Called before each sending. */
  readonly onSend: (effect: Effect) => void;
}

const timeoutMs = 5000;
const firstRetryMs = 500;
const longestRetryMs = 4000;
const patienceMs = 20_000;

/** Sends an effect to the receiver, with its id as idempotency key, again and again for a while. */
export function createCarrier(options: CarrierOptions): Carrier {
  const { life, host, network, receiver, holdsLease, onSend } = options;
  return async (effect, stop, outdated) => {
    const deadlineMs = life.nowMs() + patienceMs;
    for (let waitMs = firstRetryMs; ; waitMs = Math.min(2 * waitMs, longestRetryMs)) {
      while (!holdsLease()) {
        // Either it is renewed, or this session ends.
        await life.wait(firstRetryMs);
        stop.throwIfAborted();
      }
      onSend(effect);
      try {
        await network.ask<null>({
          from: life,
          host,
          to: receiverHost,
          what: `send ${effect.id}`,
          timeoutMs,
          silence: 'TOC_NOTIFY_FAILED',
          serve: (answer) => receiver.take(effect, answer),
        });
        return null;
      } catch (error) {
        stop.throwIfAborted();
        if (outdated.aborted)
          throw new TocsinError('TOC_EFFECT_SUPERSEDED', 'a later one says it', { cause: error });
        if (life.nowMs() + waitMs > deadlineMs) throw error;
      }
      await life.wait(waitMs);
    }
  };
}
