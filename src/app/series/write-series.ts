import { stringify } from 'csv-stringify';
import { createWriteStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { TocsinError } from '../../engine/index.ts';
import type { ScoredRow } from './score-series.ts';

/** Writes `timestamp,value,surprise,reason`, a line for each row. Rejects with TOC_SERIES_UNREADABLE. */
export async function writeSeries(file: string, rows: readonly ScoredRow[]): Promise<void> {
  const lines = stringify({ header: true, columns: ['timestamp', 'value', 'surprise', 'reason'] });
  await writing(file, () => pipeline(Readable.from(rows), lines, createWriteStream(file)));
}

/** Writes a text, such as a picture. Rejects with TOC_SERIES_UNREADABLE. */
export async function writeText(file: string, text: string): Promise<void> {
  await writing(file, () => writeFile(file, text));
}

async function writing(file: string, write: () => Promise<void>): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true });
    await write();
  } catch (error) {
    throw new TocsinError('TOC_SERIES_UNREADABLE', `${file} cannot be written`, { cause: error });
  }
}
