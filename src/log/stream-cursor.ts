import type { Entry, LogSlice } from '../engine/index.ts';
import type { EntryCodec } from './encode-entry.ts';
import type { MessageReader, StreamClient } from './jetstream-client.ts';
import { gap, unreadable } from './stream-tail.ts';

/** Reads a stream again from any position. Made for reading on: the servers send ahead what comes next. */
export class StreamCursor<E extends Entry> {
  readonly #client: Pick<StreamClient, 'stream' | 'read'>;
  readonly #codec: EntryCodec<E>;
  #reader: MessageReader | null = null;
  /** Where the reader stands. */
  #next = 0;
  #isClosed = false;

  constructor(client: Pick<StreamClient, 'stream' | 'read'>, codec: EntryCodec<E>) {
    this.#client = client;
    this.#codec = codec;
  }

  /**
   * Gives `count` entries from `fromPosition` on, which the stream must hold; fewer once it is closed. Rejects with TOC_LOG_GAP,
   * TOC_LOG_CORRUPT, and TOC_LOG_UNAVAILABLE. Calls must not overlap.
   */
  async read(fromPosition: number, count: number): Promise<LogSlice<E>> {
    const entries: E[] = [];
    while (entries.length < count && !this.#isClosed) {
      const position = fromPosition + entries.length;
      const reader = await this.#readerAt(position);
      const message = await reader.next();
      if (!message) {
        this.#reader = null;
        continue;
      }
      if (message.position > position) throw gap(this.#client.stream, position, message.position - 1);
      if (message.position < position) continue;
      this.#next = position + 1;
      try {
        entries.push(this.#codec.decode(message.data));
      } catch (cause) {
        throw unreadable(position, cause);
      }
    }
    return { firstPosition: fromPosition, entries };
  }

  /** Lets the servers forget the reader, until the next read. */
  async rest(): Promise<void> {
    const reader = this.#reader;
    this.#reader = null;
    await reader?.close();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#reader?.close();
  }

  async #readerAt(position: number): Promise<MessageReader> {
    if (this.#reader && this.#next === position) return this.#reader;
    await this.rest();
    this.#reader = await this.#client.read(position);
    this.#next = position;
    return this.#reader;
  }
}
