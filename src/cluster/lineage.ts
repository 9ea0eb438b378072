import { randomUUID } from 'node:crypto';
import { open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { TocsinError } from '../engine/index.ts';
import { lineageSchema, type Epoch } from './standing.ts';

/**
 * Says whether a log that ends at `lastPosition` and is made of `epochs` is the beginning of the one that is made of `others` and ends at
 * `othersLastPosition`. As only one member ever writes into an epoch, two logs that share an epoch are the same up to where the
 * shorter one ends in it (the log matching property of Raft; Ongaro and Ousterhout 2014, section 5.3).
 */
export function isBeginningOf(
  { epochs, lastPosition }: { readonly epochs: readonly Epoch[]; readonly lastPosition: number },
  others: { readonly epochs: readonly Epoch[]; readonly lastPosition: number },
): boolean {
  if (lastPosition === 0) return true;
  const last = epochs.findLast(({ firstPosition }) => firstPosition <= lastPosition);
  const index = others.epochs.findIndex(({ id }) => id === last?.id);
  if (index === -1) return false;
  const next = others.epochs[index + 1];
  return lastPosition <= Math.min(next ? next.firstPosition - 1 : Infinity, others.lastPosition);
}

/** The epochs of a member's log, kept in a file beside it. */
export class Lineage {
  readonly #file: string;
  #epochs: readonly Epoch[];

  private constructor(file: string, epochs: readonly Epoch[]) {
    this.#file = file;
    this.#epochs = epochs;
  }

  /**
   * Reads the file. A log of a time before there were epochs gets one of generation 0.
   * Rejects with TOC_STORE_CORRUPT when the file is none of ours.
   */
  static async open(
    file: string,
    log: { readonly firstPosition: number; readonly lastPosition: number },
  ): Promise<Lineage> {
    const text = await readFile(file, 'utf8').catch(() => null);
    if (text !== null) return new Lineage(file, parse(file, text));
    const lineage = new Lineage(file, []);
    if (log.lastPosition > 0)
      await lineage.adopt([{ id: randomUUID(), generation: 0, firstPosition: log.firstPosition }]);
    return lineage;
  }

  get epochs(): readonly Epoch[] {
    return this.#epochs;
  }

  get last(): Epoch | null {
    return this.#epochs.at(-1) ?? null;
  }

  get generation(): number {
    return this.last?.generation ?? 0;
  }

  /** Begins an epoch of one's own. It is on disk before the first entry of it may be written. */
  async begin(generation: number, firstPosition: number): Promise<Epoch> {
    const epoch = { id: randomUUID(), generation, firstPosition };
    // One that nothing was written in says nothing.
    await this.adopt([...this.#epochs.filter((before) => before.firstPosition < firstPosition), epoch]);
    return epoch;
  }

  /** Takes over the epochs of the log that is about to be copied. They are on disk before its first entry. */
  async adopt(epochs: readonly Epoch[]): Promise<void> {
    const next = `${this.#file}.next`;
    const file = await open(next, 'w');
    try {
      await file.writeFile(JSON.stringify({ epochs }));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(next, this.#file);
    const folder = await open(dirname(this.#file));
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
    this.#epochs = epochs;
  }
}

function parse(file: string, text: string): readonly Epoch[] {
  try {
    return lineageSchema.parse(JSON.parse(text)).epochs;
  } catch (cause) {
    throw new TocsinError('TOC_STORE_CORRUPT', `${file} was overwritten or cut off`, { cause });
  }
}
