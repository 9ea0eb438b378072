import { TocsinError, type Entry, type LogSlice } from '../engine/index.ts';
import type { EntryCodec } from './encode-entry.ts';
import { insist } from './insist.ts';
import type { MessageReader, StreamClient } from './jetstream-client.ts';
import { confirmGap, unreadable } from './stream-faults.ts';

/** A reader that gives nothing for so long, where there is something, is made anew. */
const stuckMs = 3000;

/**
 * Reads a stream again from any position, however long the servers do not answer. Made for reading on: the servers send ahead what comes
 * next.
 */
export class StreamCursor<E extends Entry> {
  readonly #client: Pick<StreamClient, 'stream' | 'read' | 'message'>;
  readonly #codec: EntryCodec<E>;
  readonly #stop = new AbortController();
  #reader: MessageReader | null = null;
  /** Where the reader stands. */
  #next = 0;

  constructor(client: Pick<StreamClient, 'stream' | 'read' | 'message'>, codec: EntryCodec<E>) {
    this.#client = client;
    this.#codec = codec;
  }

  /**
   * Gives `count` entries from `fromPosition` on, which the stream must hold. Rejects with TOC_LOG_GAP, TOC_LOG_CORRUPT, and with what it
   * was closed with. Calls must not overlap.
   */
  async read(fromPosition: number, count: number): Promise<LogSlice<E>> {
    const entries: E[] = [];
    await insist(() => this.#readOn(fromPosition, count, entries), { signal: this.#stop.signal });
    return { firstPosition: fromPosition, entries };
  }

  /** Lets the servers forget the reader, until the next read. */
  async rest(): Promise<void> {
    const reader = this.#reader;
    this.#reader = null;
    await reader?.close();
  }

  /** Ends what is being read with `reason`. */
  async close(reason: TocsinError): Promise<void> {
    this.#stop.abort(reason);
    await this.#reader?.close();
  }

  async #readOn(fromPosition: number, count: number, entries: E[]): Promise<void> {
    const reader = await this.#readerAt(fromPosition + entries.length);
    const watch = setTimeout(() => void reader.close(), stuckMs);
    try {
      while (entries.length < count) {
        await this.#takeNext(reader, fromPosition + entries.length, entries);
        watch.refresh();
      }
    } catch (error) {
      await this.rest();
      throw error;
    } finally {
      clearTimeout(watch);
    }
  }

  async #takeNext(reader: MessageReader, position: number, entries: E[]): Promise<void> {
    const message = await reader.next();
    if (!message)
      throw new TocsinError('TOC_LOG_UNAVAILABLE', `the stream ${this.#client.stream} does not send entries`);
    if (message.position > position) throw await confirmGap(this.#client, position, message.position - 1);
    if (message.position < position) return;
    this.#next = position + 1;
    try {
      entries.push(this.#codec.decode(message.data));
    } catch (cause) {
      throw unreadable(position, cause);
    }
  }

  async #readerAt(position: number): Promise<MessageReader> {
    if (this.#reader && this.#next === position) return this.#reader;
    await this.rest();
    const reader = await this.#client.read(position);
    this.#reader = reader;
    this.#next = position;
    if (this.#stop.signal.aborted) await reader.close();
    return reader;
  }
}
