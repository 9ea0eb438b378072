import { TocsinError, type Appended, type Entry, type LogSlice, type OwnedLog } from '../src/engine/index.ts';
import type { Life } from './clock.ts';
import { logHost, type Kept, type LogHead, type OwnedAppend, type SimulatedLog } from './log.ts';
import type { Network, Serve } from './network.ts';

export interface OwnedLogOptions<E extends Entry> {
  readonly life: Life;
  readonly host: string;
  readonly network: Network;
  readonly log: SimulatedLog<E>;
  /** The name of this session: no other has the same. */
  readonly session: string;
  /** Null where the token is the position of the claim. */
  readonly givenToken: number | null;
  /** Makes the entry by which an owner says that it is there. It lets no time pass. */
  readonly createClaim: () => E;
  /** The id of an append; must be another for each, unless both mean the same. */
  readonly idOf: (draft: E, session: string, count: number) => string;
  /** So long an append is asked for again; Infinity where the log's own condition keeps it from being kept twice. */
  readonly patienceMs: number;
  /** Called once when somebody else owns the log by now. */
  readonly onFenced: () => void;
  /** Whether appends are refused for the moment. */
  readonly isRefused: () => boolean;
}

const askTimeoutMs = 5000;
const readTimeoutMs = 8000;
const retryMs = 250;
const longestRetryMs = 4000;
const readCount = 64;

/**
 * The log as the owner of its partition uses it. An append is asked for again under the same id until the log says what became of it:
 * its promise rejects only when the append is certain never to have happened under this owner, or the session is over. Where the log
 * would keep an append twice once it has forgotten the id, the session ends before that.
 */
export class SimulatedOwnedLog<E extends Entry> implements OwnedLog<E> {
  readonly #options: OwnedLogOptions<E>;
  readonly #listeners = new Set<(slice: LogSlice<E>) => void>();
  #lastPosition = 0;
  #lastTimeMs = -Infinity;
  #ownPosition = 0;
  #fencingToken = 0;
  #lastOwnedPosition = 0;
  #appendCount = 0;
  #appending: Promise<unknown> = Promise.resolve();
  #isOver = false;

  constructor(options: OwnedLogOptions<E>) {
    this.#options = options;
  }

  get lastPosition(): number {
    return this.#lastPosition;
  }

  get lastTimeMs(): number {
    return this.#lastTimeMs;
  }

  get firstPosition(): number {
    return 1;
  }

  /** When this session began: the last entry of an owner before it; 0 when there was none. */
  get lastOwnedPosition(): number {
    return this.#lastOwnedPosition;
  }

  async open(): Promise<void> {
    const head = await this.#head();
    this.#lastPosition = head.lastPosition;
    this.#lastTimeMs = head.lastTimeMs;
    this.#lastOwnedPosition = head.lastOwned.position;
    void this.#follow();
  }

  /** The position of this owner's claim. */
  get fencingToken(): number {
    return this.#fencingToken;
  }

  /** Says in the log that this owner is there. Resolves with the claim's position: up to there others may have written. */
  async claim(): Promise<number> {
    const { session, givenToken, createClaim } = this.#options;
    for (let attempt = 1; ; attempt++) {
      const { lastOwned, highestToken } = await this.#head();
      if (givenToken !== null && highestToken > givenToken) throw this.#fence();
      const owned = { session, fencingToken: givenToken, expectedPosition: lastOwned.position };
      try {
        const kept = await this.#insist(`${session}/claim/${attempt}`, createClaim(), owned);
        this.#ownPosition = kept.position;
        this.#fencingToken = kept.fencingToken!;
        return kept.position;
      } catch (error) {
        // Another owner was faster: it may be an older one, whose claim was under way for long.
        if (this.#isOver) throw error;
      }
    }
  }

  append(draft: E): Promise<Appended<E>> {
    const { session, idOf } = this.#options;
    const id = idOf(draft, session, ++this.#appendCount);
    const appended = this.#appending.then(() => this.#appendOne(id, structuredClone(draft)));
    this.#appending = appended.catch(() => undefined);
    return appended;
  }

  async read(fromPosition: number, maxCount: number): Promise<LogSlice<E>> {
    const kept = await this.#read(fromPosition, Math.min(maxCount, this.#lastPosition - fromPosition + 1));
    return { firstPosition: fromPosition, entries: kept.map(({ text }) => JSON.parse(text) as E) };
  }

  subscribe(listener: (slice: LogSlice<E>) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Appends and reads nothing more. */
  end(): void {
    this.#isOver = true;
  }

  async #appendOne(id: string, draft: E): Promise<Appended<E>> {
    const { session } = this.#options;
    const owned = { session, fencingToken: this.#fencingToken, expectedPosition: this.#ownPosition };
    try {
      const kept = await this.#insist(id, draft, owned);
      this.#ownPosition = kept.position;
      if (kept.isStale) throw this.#fence();
      return { position: kept.position, entry: JSON.parse(kept.text) as E };
    } catch (error) {
      if (this.#isOver || !isFenced(error)) throw error;
      // An answer may have been lost for longer than ids are remembered: then the last entry is this very one.
      const { lastOwned } = await this.#head();
      if (lastOwned.id !== id) throw this.#fence();
      const [kept] = await this.#read(lastOwned.position, 1);
      this.#ownPosition = lastOwned.position;
      return { position: lastOwned.position, entry: JSON.parse(kept!.text) as E };
    }
  }

  /** Asks until there is an answer. */
  async #insist(id: string, draft: E, owned: OwnedAppend): Promise<Kept> {
    const { life, log, isRefused, patienceMs } = this.#options;
    const deadlineMs = life.nowMs() + patienceMs;
    return this.#retry((call) => {
      if (life.nowMs() > deadlineMs) throw this.#fence();
      return call<Kept>(`append ${id}`, askTimeoutMs, (answer) => {
        if (isRefused()) answer.refuse(new TocsinError('TOC_LOG_UNAVAILABLE', 'no quorum'));
        else log.append({ id, draft, owned }, answer);
      });
    });
  }

  #head(): Promise<LogHead> {
    const { log } = this.#options;
    return this.#retry((call) => call<LogHead>('head', askTimeoutMs, (answer) => answer.give(log.head)));
  }

  #read(fromPosition: number, maxCount: number): Promise<readonly Kept[]> {
    const { log } = this.#options;
    return this.#retry((call) =>
      call<readonly Kept[]>(`read ${fromPosition}`, readTimeoutMs, (answer) =>
        log.read(fromPosition, maxCount, answer),
      ),
    );
  }

  async #retry<T>(attempt: (call: Ask) => Promise<T>): Promise<T> {
    const { life, host, network } = this.#options;
    const call: Ask = (what, timeoutMs, serve) =>
      network.ask({ from: life, host, to: logHost, what, timeoutMs, silence: 'TOC_LOG_UNAVAILABLE', serve });
    for (let waitMs = retryMs; ; waitMs = Math.min(2 * waitMs, longestRetryMs)) {
      if (this.#isOver) throw new TocsinError('TOC_LOG_CLOSED', 'the session is over');
      try {
        return await attempt(call);
      } catch (error) {
        if (!(error instanceof TocsinError) || !error.retryable) throw error;
      }
      await life.wait(waitMs);
    }
  }

  /** Reads on for as long as the session lasts. */
  async #follow(): Promise<void> {
    try {
      while (!this.#isOver) {
        const firstPosition = this.#lastPosition + 1;
        const kept = await this.#read(firstPosition, readCount);
        const last = kept.at(-1);
        if (!last) continue;
        this.#lastPosition = last.position;
        this.#lastTimeMs = last.timeMs;
        const slice = { firstPosition, entries: kept.map(({ text }) => JSON.parse(text) as E) };
        for (const listener of this.#listeners) listener(slice);
      }
    } catch {
      // The session is over.
    }
  }

  #fence(): TocsinError {
    if (!this.#isOver) {
      this.#isOver = true;
      this.#options.onFenced();
    }
    return new TocsinError('TOC_STORE_FENCED', 'another owner has claimed the log');
  }
}

type Ask = <T>(what: string, timeoutMs: number, serve: Serve<T>) => Promise<T>;

function isFenced(error: unknown): boolean {
  return error instanceof TocsinError && error.code === 'TOC_STORE_FENCED';
}
