import { createHash, randomUUID } from 'node:crypto';
import {
  TocsinError,
  type Checkpoint,
  type CheckpointDelta,
  type Entry,
  type TableChange,
  type WholeCheckpoint,
} from '../engine/index.ts';
import { insist } from './insist.ts';
import { StreamClient, type MessageReader } from './jetstream-client.ts';
import type { JetStreamLogOptions } from './jetstream.ts';
import { publishSurely } from './publish.ts';
import { frameRow, RowCollector } from './snapshot-rows.ts';

/** Whole checkpoints of a partition, in a stream beside the one of its log. */
export interface Snapshots {
  /** The last complete one that is known of here; null before the first. */
  readonly last: { readonly position: number; readonly timeMs: number } | null;
  /**
   * Begins another. Once its end is committed it is the last one, and those before it are forgotten. Refused with TOC_LOG_FENCED where another
   * process has begun one since; `write` and `commit` reject with TOC_LOG_UNAVAILABLE where the servers do not take it.
   */
  begin(): WholeCheckpoint;
  /** The last complete one, where its position is later. Rejects with TOC_LOG_CORRUPT where it is not whole. */
  readAfter(position: number): Promise<Checkpoint | null>;
  /** Ends what is being read. */
  close(): void;
}

/** What a complete snapshot is. */
interface Manifest {
  readonly id: string;
  readonly position: number;
  readonly timeMs: number;
  /** Where in the stream its parts are; others may lie in between. */
  readonly firstPart: number;
  readonly partCount: number;
  /** Of the bytes of all parts, in hexadecimal. */
  readonly sha256: string;
}

/**
 * The last message of its subject counts. Who begins a snapshot says so there, and who has completed one; each only behind the message that
 * it knows, so that of two writers the one that began first is refused.
 */
interface Head {
  readonly complete: Manifest | null;
}

type KnownHead = Head & { readonly at: number };

/** Bytes of a part at most; less where the servers take less. */
const partBytes = 512 * 1024;
const headBytes = 1024;
const stuckMs = 3000;
const defaultPatienceMs = 20_000;
const idLength = 36;

/** As `openJetStreamSnapshots`. */
export async function openStreamSnapshots({
  connection,
  prefix,
  partition,
  settings: { replicas, duplicateWindowMs },
  patienceMs = defaultPatienceMs,
}: JetStreamLogOptions<Entry>): Promise<Snapshots> {
  const subject = `${prefix}.snapshot.${partition}`;
  const client = await StreamClient.open(
    connection,
    `${prefix}-snapshot-${partition}`,
    [`${subject}.head`, `${subject}.part.*`],
    { replicas, duplicateWindowMs, maxBytes: null, maxAgeMs: null },
  );
  const snapshots = new StreamSnapshots(client, subject, patienceMs);
  await snapshots.look();
  return snapshots;
}

class StreamSnapshots implements Snapshots {
  readonly #client: StreamClient;
  readonly #subject: string;
  readonly #patienceMs: number;
  readonly #stop = new AbortController();
  #last: Manifest | null = null;

  constructor(client: StreamClient, subject: string, patienceMs: number) {
    this.#client = client;
    this.#subject = subject;
    this.#patienceMs = patienceMs;
  }

  get last(): Manifest | null {
    return this.#last;
  }

  begin(): WholeCheckpoint {
    const written = new WrittenSnapshot({
      client: this.#client,
      subject: this.#subject,
      patienceMs: this.#patienceMs,
      look: () => this.look(),
    });
    return {
      write: (rows) => written.write(rows),
      finish: (last) => {
        written.take(last.changes);
        return { commit: async () => void (this.#last = await written.complete(last)) };
      },
    };
  }

  async readAfter(position: number): Promise<Checkpoint | null> {
    const { signal } = this.#stop;
    return insist(
      async () => {
        const { complete } = await this.look();
        return complete && complete.position > position ? this.#readWhole(complete) : null;
      },
      { signal },
    );
  }

  close(): void {
    this.#stop.abort(new TocsinError('TOC_LOG_CLOSED', 'the log is closed'));
  }

  async look(): Promise<KnownHead> {
    const message = await this.#client.lastOf(`${this.#subject}.head`);
    if (!message) return { complete: null, at: 0 };
    try {
      const { complete } = JSON.parse(Buffer.from(message.data).toString()) as Head;
      this.#last = complete;
      return { complete, at: message.position };
    } catch (cause) {
      throw notWhole(this.#client.stream, cause);
    }
  }

  async #readWhole(manifest: Manifest): Promise<Checkpoint> {
    try {
      return await this.#read(manifest);
    } catch (cause) {
      if (cause instanceof TocsinError) throw cause;
      const { complete } = await this.look();
      // Another was completed meanwhile, and this one removed.
      if (complete?.id !== manifest.id)
        throw new TocsinError('TOC_LOG_UNAVAILABLE', 'the snapshot was replaced while it was read');
      throw notWhole(this.#client.stream, cause);
    }
  }

  /** Throws RangeError where it is not whole, and what decoding throws. */
  async #read(manifest: Manifest): Promise<Checkpoint> {
    const { position, timeMs } = manifest;
    const reader = await this.#client.read(manifest.firstPart);
    const watch = setTimeout(() => void reader.close(), stuckMs);
    const end = (): void => void reader.close();
    this.#stop.signal.addEventListener('abort', end);
    try {
      return { position, timeMs, rows: await this.#collect(manifest, reader, () => watch.refresh()) };
    } finally {
      this.#stop.signal.removeEventListener('abort', end);
      clearTimeout(watch);
      await reader.close();
    }
  }

  async #collect(
    { id, partCount, sha256 }: Manifest,
    reader: MessageReader,
    onPart: () => void,
  ): Promise<Checkpoint['rows']> {
    const { stream } = this.#client;
    const rows = new RowCollector();
    const hash = createHash('sha256');
    const state = await this.#client.state();
    for (let count = 0; count < partCount;) {
      const message = await reader.next();
      if (!message)
        throw new TocsinError('TOC_LOG_UNAVAILABLE', `the stream ${stream} does not send its snapshot`);
      onPart();
      const bytes = Buffer.from(message.data.buffer, message.data.byteOffset, message.data.length);
      if (bytes.toString('latin1', 0, idLength) === id) {
        const part = bytes.subarray(idLength);
        hash.update(part);
        rows.take(part);
        count++;
      }
      if (count < partCount && message.position >= (state?.lastPosition ?? 0))
        throw new RangeError(`there are ${count} parts of ${partCount}`);
    }
    if (hash.digest('hex') !== sha256) throw new RangeError('the hash of the parts is another');
    return rows.end();
  }
}

interface WrittenSnapshotOptions {
  readonly client: StreamClient;
  readonly subject: string;
  readonly patienceMs: number;
  readonly look: () => Promise<KnownHead>;
}

/** A snapshot while it is written: rows one behind the other, cut into parts that the servers take. */
class WrittenSnapshot {
  readonly #options: WrittenSnapshotOptions;
  readonly #id = randomUUID();
  readonly #hash = createHash('sha256');
  #waiting: Buffer[] = [];
  #sentCount = 0;
  #partCount = 0;
  #firstPart = 0;
  /** Where the head stands that says that this one was begun; 0 before. */
  #begunAt = 0;

  constructor(options: WrittenSnapshotOptions) {
    this.#options = options;
  }

  take(rows: readonly TableChange[]): void {
    for (const row of rows) this.#waiting.push(frameRow(row));
  }

  write(rows: readonly TableChange[]): Promise<void> {
    this.take(rows);
    return this.#send(this.#partLimit());
  }

  async complete({ position, timeMs }: CheckpointDelta): Promise<Manifest> {
    const { client, subject } = this.#options;
    await this.#send(1);
    const manifest: Manifest = {
      id: this.#id,
      position,
      timeMs,
      firstPart: this.#firstPart,
      partCount: this.#partCount,
      sha256: this.#hash.digest('hex'),
    };
    await this.#publish(`${subject}.head`, headOf({ complete: manifest }), this.#begunAt);
    // Where this fails they are removed after the next one.
    await client.removeBefore(this.#begunAt).catch(() => undefined);
    return manifest;
  }

  /** Sends parts while at least so many bytes wait. */
  async #send(leastBytes: number): Promise<void> {
    if (this.#begunAt === 0) await this.#begin();
    const all = Buffer.concat(this.#waiting);
    let at = 0;
    while (all.length - at >= leastBytes) {
      await this.#sendPart(all.subarray(at, at + this.#partLimit()));
      at += this.#partLimit();
    }
    this.#waiting = at < all.length ? [all.subarray(at)] : [];
  }

  async #sendPart(part: Buffer): Promise<void> {
    const data = Buffer.concat([Buffer.from(this.#id, 'latin1'), part]);
    const position = await this.#publish(`${this.#options.subject}.part.${this.#id}`, data);
    this.#hash.update(part);
    if (this.#partCount++ === 0) this.#firstPart = position;
  }

  /** From here on no other that was begun before can be completed; what is left of such is removed. */
  async #begin(): Promise<void> {
    const { client, subject, look } = this.#options;
    const { complete, at } = await look();
    this.#begunAt = await this.#publish(`${subject}.head`, headOf({ complete }), at);
    for (const parts of await client.subjects(`${subject}.part.*`))
      if (parts !== `${subject}.part.${complete?.id}`) await client.removeSubject(parts);
  }

  #publish(subject: string, data: Uint8Array, lastOfSubject?: number): Promise<number> {
    const { client, patienceMs } = this.#options;
    const publishing = {
      id: `${this.#id}-${++this.#sentCount}`,
      writer: this.#id,
      ...(lastOfSubject === undefined ? {} : { lastOfSubject }),
    };
    return publishSurely(() => client.publish(subject, data, publishing), patienceMs);
  }

  #partLimit(): number {
    return Math.min(partBytes, this.#options.client.maxMessageBytes - headBytes);
  }
}

function headOf(head: Head): Uint8Array {
  return Buffer.from(JSON.stringify(head));
}

function notWhole(stream: string, cause: unknown): TocsinError {
  return new TocsinError('TOC_LOG_CORRUPT', `the snapshot in the stream ${stream} is not whole`, { cause });
}
