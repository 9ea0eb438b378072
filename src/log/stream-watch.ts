import { setTimeout as sleep } from 'node:timers/promises';
import { TocsinError } from '../engine/index.ts';
import type { StreamClient, StreamState } from './jetstream-client.ts';
import { replaced, withoutMajority } from './stream-faults.ts';

export interface StreamWatchOptions {
  readonly client: Pick<StreamClient, 'stream' | 'state'>;
  /** Of the stream when it was opened. */
  readonly identity: string;
  readonly intervalMs: number;
  /** What is wrong with a stream that is there, by what the watcher knows of it; null for nothing. */
  readonly examine: (state: StreamState) => TocsinError | null;
  /** Called once: the stream can be used no further. */
  readonly onFailure: (error: TocsinError) => void;
  readonly onTrouble: ((trouble: TocsinError | null) => void) | undefined;
}

/** So many looks in a row must agree before a stream counts as gone or cut off: servers that start anew may know less for a moment. */
const agreeingLooks = 3;

/** Looks at a stream again and again, from outside of its messages: whether it is there, the same, and answered for. */
export class StreamWatch {
  readonly #options: StreamWatchOptions;
  #trouble: TocsinError | null = null;
  #suspicions = 0;

  constructor(options: StreamWatchOptions) {
    this.#options = options;
  }

  /** Why the stream cannot be used at the moment; null while it can. */
  get trouble(): TocsinError | null {
    return this.#trouble;
  }

  /** Watches until `signal` is aborted, or the stream has failed. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(this.#options.intervalMs, undefined, { signal }).catch(() => undefined);
      if (!signal.aborted) await this.#look();
    }
  }

  async #look(): Promise<void> {
    const { client, onFailure } = this.#options;
    let state: StreamState | null;
    try {
      state = await client.state();
    } catch (error) {
      this.#note(error as TocsinError);
      return;
    }
    if (state && !state.hasMajority) {
      this.#note(withoutMajority(client.stream));
      return;
    }
    const finding = this.#examine(state);
    const isSuspicion = finding !== null && !finding.retryable;
    this.#suspicions = isSuspicion ? this.#suspicions + 1 : 0;
    this.#note(finding);
    if (isSuspicion && this.#suspicions >= agreeingLooks) onFailure(finding);
  }

  #examine(state: StreamState | null): TocsinError | null {
    const { client, identity, examine } = this.#options;
    if (state?.identity !== identity) return replaced(client.stream, identity, state?.identity ?? null);
    return examine(state);
  }

  #note(trouble: TocsinError | null): void {
    const before = this.#trouble;
    this.#trouble = trouble;
    if (before?.code !== trouble?.code) this.#options.onTrouble?.(trouble);
  }
}
