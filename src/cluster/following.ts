import type { Checkpoint, Entry } from '../engine/index.ts';
import type { ReplicaLog } from '../log/index.ts';
import { isBeginningOf, type Lineage } from './lineage.ts';
import type { HelloReply } from './standing.ts';
import { NoAnswer, type Caller } from './wire.ts';

export interface Leader {
  readonly id: string;
  readonly address: string;
  readonly epochId: string;
}

export interface FollowingOptions<E extends Entry> {
  readonly leader: Leader;
  /** Where the leader's log ended when this member began to follow it. */
  readonly goalPosition: number;
  readonly followerId: string;
  readonly caller: Caller;
  readonly log: ReplicaLog<E>;
  readonly monotonicMs: () => number;
  readonly stop: AbortSignal;
}

/** A leader that holds requests for a second answers well within this. */
const entriesTimeoutMs = 3000;
const checkpointTimeoutMs = 600_000;

/** One leader's log as it is copied here. */
export class Following<E extends Entry> {
  readonly leader: Leader;
  readonly #options: FollowingOptions<E>;
  #heardMs: number;

  constructor(options: FollowingOptions<E>) {
    this.leader = options.leader;
    this.#options = options;
    this.#heardMs = options.monotonicMs();
  }

  get isCaughtUp(): boolean {
    return this.#options.log.lastPosition >= this.#options.goalPosition;
  }

  /** How long ago the leader has answered. */
  get silentMs(): number {
    return this.#options.monotonicMs() - this.#heardMs;
  }

  /**
   * Takes the next entries over; resolves when there were some, or none for a second. Rejects with NoAnswer when the leader gave none,
   * and with what the log rejects with.
   */
  async copy(fromPosition = this.#options.log.lastPosition + 1): Promise<void> {
    const { caller, followerId, log, monotonicMs, stop } = this.#options;
    const { address, epochId } = this.leader;
    const call = { address, timeoutMs: entriesTimeoutMs, signal: stop };
    const bytes = await caller.entries(call, { followerId, epochId, fromPosition });
    this.#heardMs = monotonicMs();
    await log.replicate(fromPosition, bytes);
  }
}

/** Whether the log can go on where it is as a copy of the leader's. */
export function canGoOn(
  log: { readonly lastPosition: number },
  { epochs }: Pick<Lineage, 'epochs'>,
  leader: HelloReply,
): boolean {
  return (
    log.lastPosition + 1 >= leader.firstPosition &&
    isBeginningOf(
      { epochs, lastPosition: log.lastPosition },
      { epochs: leader.epochs, lastPosition: leader.standing.position },
    )
  );
}

export interface StateTransfer {
  readonly caller: Caller;
  readonly address: string;
  readonly lineage: Lineage;
  readonly replaceState: (checkpoint: Checkpoint | null) => Promise<void>;
  readonly stop: AbortSignal;
}

/**
 * Replaces log and state by the leader's last checkpoint. Resolves with the position from which on its log must be copied: that of the
 * checkpoint itself, so that the copy is never empty. Null when the leader did not give it, and nothing was touched.
 */
export async function takeState({
  caller,
  address,
  lineage,
  replaceState,
  stop,
}: StateTransfer): Promise<number | null> {
  let checkpoint: Checkpoint | null;
  try {
    checkpoint = await caller.checkpoint({ address, timeoutMs: checkpointTimeoutMs, signal: stop });
  } catch (error) {
    if (error instanceof NoAnswer) return null;
    throw error;
  }
  // Should this be cut off, the log is empty afterwards, and everything begins anew.
  await lineage.adopt([]);
  await replaceState(checkpoint);
  return checkpoint?.position ?? 1;
}
