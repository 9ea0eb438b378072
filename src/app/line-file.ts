import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { finished } from 'node:stream/promises';
import { TocsinError } from '../engine/index.ts';

/** The size in bytes of a file that is about to be read; 0 for `-`, standard input. Rejects with TOC_RECORDING_UNREADABLE. */
export async function sizeOf(file: string): Promise<number> {
  if (file === '-') return 0;
  try {
    return (await stat(file)).size;
  } catch (cause) {
    throw new TocsinError('TOC_RECORDING_UNREADABLE', `cannot read ${file}`, { cause });
  }
}

/** Writes NDJSON. What goes wrong with the file rejects what is written next, or the end, with TOC_RECORDING_UNREADABLE. */
export class LineFile {
  readonly #out: WriteStream;
  readonly #done: Promise<void>;

  constructor(path: string) {
    this.#out = createWriteStream(path);
    this.#done = finished(this.#out).catch((cause: unknown) => {
      throw new TocsinError('TOC_RECORDING_UNREADABLE', `cannot write ${path}`, { cause });
    });
    // Told by `write` and `close`.
    this.#done.catch(() => undefined);
  }

  async write(line: unknown): Promise<void> {
    if (this.#out.write(`${JSON.stringify(line)}\n`)) return;
    await Promise.race([once(this.#out, 'drain').catch(() => undefined), this.#done]);
    if (this.#out.destroyed) await this.#done;
  }

  async close(): Promise<void> {
    this.#out.end();
    await this.#done;
  }
}
