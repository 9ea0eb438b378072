import { TocsinError, type Appended, type Entry } from '../engine/index.ts';
import type { EncodedEntry, EntryCodec } from './encode-entry.ts';
import type { PublishOptions, PublishOutcome } from './jetstream-client.ts';
import { publishSurely } from './publish.ts';

export interface PublisherOptions<E extends Entry> {
  readonly codec: EntryCodec<E>;
  /** Tells this publisher from all others, in all their lives. */
  readonly writer: string;
  /** The largest message that the servers take. */
  readonly maxMessageBytes: () => number;
  readonly publish: (data: Uint8Array, options: PublishOptions) => Promise<PublishOutcome>;
  /** How long a message is sent again of which nobody can say whether it was kept. */
  readonly patienceMs: number;
  /** At most so many bytes wait; beyond them appends are refused. */
  readonly maxWaitingBytes: number;
  /** Appends that are joined into one message at most. */
  readonly maxJoined: number;
}

/** An append that waits for its turn. */
interface Turn<E extends Entry> {
  readonly encoded: EncodedEntry<E>;
  readonly resolve: (appended: Appended<E>) => void;
  readonly reject: (error: TocsinError) => void;
}

/** Room for subject and headers in a message. */
const headBytes = 1024;

/**
 * Sends entries to a stream, one message after the other, so that they keep their order also where one has to be sent again. What comes
 * while a message is on its way makes up the next one: alone an entry waits for nobody, and in a storm many share a message.
 */
export class Publisher<E extends Entry> {
  readonly #options: PublisherOptions<E>;
  #turns: Turn<E>[] = [];
  #isClosed = false;
  #waitingBytes = 0;
  #sentCount = 0;
  #lastPosition = 0;
  #sending: Promise<void> | null = null;

  constructor(options: PublisherOptions<E>) {
    this.#options = options;
  }

  /** Rejects as `PartitionLog.append`. */
  async append(draft: E): Promise<Appended<E>> {
    const { codec, maxMessageBytes, maxWaitingBytes } = this.#options;
    if (this.#isClosed) throw new TocsinError('TOC_LOG_CLOSED', 'the log is closed');
    if (!Number.isFinite(draft.timeMs)) throw new RangeError(`an entry has no time: ${draft.timeMs}`);
    const encoded = codec.encode(draft);
    const { length } = encoded.bytes;
    const limit = maxMessageBytes() - headBytes;
    if (length > limit) {
      const found = `an entry of ${length} bytes is larger than the ${limit} that the NATS servers take`;
      throw new TocsinError('TOC_LOG_ENTRY_TOO_LARGE', found);
    }
    if (this.#waitingBytes > 0 && this.#waitingBytes + length > maxWaitingBytes) {
      const found = `${this.#waitingBytes} bytes wait for the NATS servers already`;
      throw new TocsinError('TOC_LOG_UNAVAILABLE', found);
    }
    this.#waitingBytes += length;
    return new Promise((resolve, reject) => {
      this.#turns.push({ encoded, resolve, reject });
      this.#sending ??= this.#send().finally(() => (this.#sending = null));
    });
  }

  /** Sends what waits, for as long as its patience lasts, and takes nothing more. Resolves with the position of the last that was kept. */
  async close(): Promise<number> {
    this.#isClosed = true;
    await this.#sending;
    return this.#lastPosition;
  }

  async #send(): Promise<void> {
    // What is asked for in one turn of the event loop shares a message.
    await Promise.resolve();
    while (this.#turns.length > 0) {
      const turns = this.#takeTurns();
      const parts = turns.map(({ encoded }) => encoded);
      const { codec } = this.#options;
      const message = parts.length === 1 ? parts[0]! : codec.join!(parts);
      try {
        const position = await this.#insist(message.bytes);
        this.#lastPosition = position;
        for (const { encoded, resolve } of turns) resolve({ position, entry: encoded.entry });
      } catch (error) {
        for (const { reject } of turns) reject(error as TocsinError);
      }
      for (const { bytes } of parts) this.#waitingBytes -= bytes.length;
    }
  }

  /** Those that make up the next message. */
  #takeTurns(): Turn<E>[] {
    const { codec, maxJoined, maxMessageBytes } = this.#options;
    const limit = maxMessageBytes() - headBytes;
    let bytes = 0;
    let count = 0;
    for (const { encoded } of this.#turns) {
      const isJoinable = codec.join !== undefined && encoded.entry.kind === 'alerts';
      bytes += encoded.bytes.length + joinBytes;
      if (count > 0 && (!isJoinable || bytes > limit || count >= maxJoined)) break;
      count++;
      if (!isJoinable) break;
    }
    return this.#turns.splice(0, count);
  }

  /** Sends a message until somebody says what became of it. */
  #insist(data: Uint8Array): Promise<number> {
    const { writer, publish, patienceMs } = this.#options;
    const id = `${writer}-${++this.#sentCount}`;
    return publishSurely(() => publish(data, { id, writer }), patienceMs);
  }
}

/** What joining adds to a part at most. */
const joinBytes = 16;
