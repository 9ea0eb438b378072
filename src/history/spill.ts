import { mkdir, open, readdir, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeRecord, readRecord, scanSegment, type RowBatch } from './spill-segment.ts';

export interface SpillOptions {
  readonly folder: string;
  /** Above this the oldest segment goes. The one that is written to stays, so that it may be a record more. */
  readonly maxBytes: number;
  /** Told of rows that are given up: there is no room for them, or the disk does not give back what was written. */
  readonly onDropped: (count: number, reason: 'spill_full' | 'spill_corrupt') => void;
}

const largestSegmentBytes = 16 * 1024 * 1024;
const segmentName = /^(\d{10})\.rows$/;

interface Segment {
  readonly number: number;
  readonly path: string;
  /** Where its last whole record ends. */
  endOffset: number;
  /** Where the first record begins that was not taken. */
  readOffset: number;
  /** Rows from there on. */
  rowCount: number;
}

interface Peeked {
  readonly segment: Segment;
  readonly endOffset: number;
  readonly rowCount: number;
}

/**
 * Rows on disk, first in, first out, while nobody takes them: append-only segments in a folder of its own, a checksum for each record.
 * What `append` has resolved for outlives the process and the machine. Taking is remembered by whole segments only: after a restart rows
 * come again, which their ids make harmless. Calls may overlap; one process at a time may hold the folder.
 */
export class Spill {
  readonly #options: SpillOptions;
  readonly #segments: Segment[];
  /** Open for the last segment, while it may be written to. */
  #writing: FileHandle | null = null;
  /** Open for the first segment, while it is read. */
  #reading: { readonly segment: Segment; readonly file: FileHandle } | null = null;
  #peeked: Peeked | null = null;
  #lastNumber: number;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(options: SpillOptions, segments: Segment[]) {
    this.#options = options;
    this.#segments = segments;
    this.#lastNumber = segments.at(-1)?.number ?? 0;
  }

  /** Makes the folder, or finds in it what an earlier process has left. Rejects with what the file system says. */
  static async open(options: SpillOptions): Promise<Spill> {
    await mkdir(options.folder, { recursive: true });
    const segments: Segment[] = [];
    for (const name of (await readdir(options.folder)).toSorted()) {
      const number = Number(segmentName.exec(name)?.[1] ?? 0);
      if (number === 0) continue;
      const path = join(options.folder, name);
      segments.push({ number, path, readOffset: 0, ...(await scanSegment(path)) });
    }
    const spill = new Spill(options, segments);
    await spill.#inTurn(() => spill.#keepBound());
    return spill;
  }

  get rowCount(): number {
    return this.#segments.reduce((sum, { rowCount }) => sum + rowCount, 0);
  }

  /** What the segments take of the disk. */
  get bytes(): number {
    return this.#segments.reduce((sum, { endOffset }) => sum + endOffset, 0);
  }

  /** Resolves when the rows are on the disk. Rejects with what the file system says; then some of them may be there. */
  append(batches: readonly RowBatch[]): Promise<void> {
    return this.#inTurn(() => this.#append(batches));
  }

  /** The oldest rows: at most `maxRows`, but for a record that alone has more. The same again until they are taken. */
  peek(maxRows: number, maxBytes: number): Promise<readonly RowBatch[]> {
    return this.#inTurn(() => this.#peek(maxRows, maxBytes));
  }

  /** Forgets the rows that the last `peek` gave. */
  take(): Promise<void> {
    return this.#inTurn(async () => {
      const peeked = this.#peeked;
      this.#peeked = null;
      if (!peeked || peeked.segment !== this.#segments[0]) return;
      peeked.segment.readOffset = peeked.endOffset;
      peeked.segment.rowCount -= peeked.rowCount;
      if (peeked.segment.readOffset >= peeked.segment.endOffset) await this.#removeFirst();
    });
  }

  /** Lets go of the files; the rows stay. */
  close(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#stopReading();
      await this.#seal();
    });
  }

  async #append(batches: readonly RowBatch[]): Promise<void> {
    const bytes = Buffer.concat(batches.map(encodeRecord));
    const { segment, file } = await this.#segmentFor(bytes.length);
    try {
      await file.writev([bytes], segment.endOffset);
      await file.datasync();
    } catch (error) {
      // What was begun stays behind the segment's last whole record, where nobody reads.
      await this.#seal();
      throw error;
    }
    segment.endOffset += bytes.length;
    segment.rowCount += batches.reduce((sum, { lines }) => sum + lines.length, 0);
    await this.#keepBound();
  }

  async #segmentFor(bytes: number): Promise<{ readonly segment: Segment; readonly file: FileHandle }> {
    const { folder, maxBytes } = this.#options;
    const last = this.#segments.at(-1);
    const fits = (last?.endOffset ?? 0) + bytes <= Math.min(largestSegmentBytes, maxBytes / 8);
    if (last && this.#writing && (fits || last.endOffset === 0))
      return { segment: last, file: this.#writing };
    await this.#seal();
    const number = ++this.#lastNumber;
    const path = join(folder, `${String(number).padStart(10, '0')}.rows`);
    const file = await open(path, 'wx');
    const segment: Segment = { number, path, endOffset: 0, readOffset: 0, rowCount: 0 };
    this.#segments.push(segment);
    this.#writing = file;
    await syncFolder(folder);
    return { segment, file };
  }

  async #peek(maxRows: number, maxBytes: number): Promise<readonly RowBatch[]> {
    for (let segment = this.#segments[0]; segment; segment = this.#segments[0]) {
      const linesOf = new Map<string, string[]>();
      let offset = segment.readOffset;
      let rowCount = 0;
      const file = await this.#fileOf(segment);
      while (offset < segment.endOffset && rowCount < maxRows && offset - segment.readOffset < maxBytes) {
        const record = await readRecord(file, offset, segment.endOffset);
        if (!record) break;
        if (rowCount > 0 && rowCount + record.lines.length > maxRows) break;
        const lines = linesOf.get(record.table) ?? [];
        for (const line of record.lines) lines.push(line);
        linesOf.set(record.table, lines);
        rowCount += record.lines.length;
        offset = record.endOffset;
      }
      if (rowCount > 0) {
        this.#peeked = { segment, endOffset: offset, rowCount };
        return [...linesOf].map(([table, lines]) => ({ table, lines }));
      }
      if (segment.rowCount > 0) this.#options.onDropped(segment.rowCount, 'spill_corrupt');
      await this.#removeFirst();
    }
    return [];
  }

  async #keepBound(): Promise<void> {
    while (this.bytes > this.#options.maxBytes && this.#segments.length > 1) {
      const dropped = this.#segments[0]?.rowCount ?? 0;
      await this.#removeFirst();
      if (dropped > 0) this.#options.onDropped(dropped, 'spill_full');
    }
  }

  async #removeFirst(): Promise<void> {
    await this.#stopReading();
    if (this.#segments.length === 1) await this.#seal();
    const segment = this.#segments.shift();
    if (segment) await rm(segment.path, { force: true });
  }

  async #fileOf(segment: Segment): Promise<FileHandle> {
    if (this.#reading?.segment === segment) return this.#reading.file;
    await this.#stopReading();
    const file = await open(segment.path, 'r');
    this.#reading = { segment, file };
    return file;
  }

  async #stopReading(): Promise<void> {
    const reading = this.#reading;
    this.#reading = null;
    await reading?.file.close();
  }

  /** Nothing more is written to the last segment. */
  async #seal(): Promise<void> {
    const file = this.#writing;
    this.#writing = null;
    await file?.close();
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}

/** A new file is found again after a crash once its folder is on the disk too. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
