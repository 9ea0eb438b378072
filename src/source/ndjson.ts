import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { Alert } from '../alert/index.ts';
import { TocsinError } from '../engine/index.ts';
import { isObject, type DecodeContext } from './decode.ts';
import { readReport, readTime } from './report.ts';

/** Alerts of some lines of a file. `errors` name lines that were skipped, counted from 1. */
export interface AlertLines {
  readonly alerts: readonly Alert[];
  readonly errors: readonly { readonly line: number; readonly message: string }[];
  /** Bytes of the file (as it lies on disk) read so far. */
  readonly bytesRead: number;
}

export type LineContext = Omit<DecodeContext, 'nowMs'>;

/**
 * Reads NDJSON: an alert a line in the shape of Alertmanager's API, plus optional `receivedAt`. Without it a line was received
 * when it says that it started, or else when the line before it was. `file` may end in `.gz`, or be `-` for standard input.
 * Rejects with TOC_RECORDING_UNREADABLE when the file cannot be read.
 */
export async function* readAlertLines(file: string, context: LineContext): AsyncGenerator<AlertLines> {
  const reader = new AlertLineReader(context);
  for await (const { lines, bytesRead } of readTextLines(file)) yield { ...reader.read(lines), bytesRead };
}

/** Some lines of a file; null stands for one that was longer than 32 Mi characters. */
export interface TextLines {
  readonly lines: readonly (string | null)[];
  /** Bytes of the file (as it lies on disk) read so far. */
  readonly bytesRead: number;
}

/** Reads the lines of a file, which may end in `.gz`, or be `-` for standard input. Rejects with TOC_RECORDING_UNREADABLE. */
export async function* readTextLines(file: string): AsyncGenerator<TextLines> {
  const raw: Readable = file === '-' ? process.stdin : createReadStream(file, { highWaterMark: 1 << 20 });
  let bytesRead = 0;
  raw.on('data', (chunk: Buffer | string) => (bytesRead += chunk.length));
  const text = file.endsWith('.gz') ? raw.pipe(createGunzip()) : raw;
  if (text !== raw) raw.once('error', (error) => text.destroy(error));

  const decoder = new TextDecoder('utf-8');
  const splitter = new LineSplitter();
  for await (const chunk of reading(text as AsyncIterable<Buffer>, file)) {
    const lines = splitter.split(decoder.decode(chunk, { stream: true }));
    if (lines.length > 0) yield { lines, bytesRead };
  }
  const lines = splitter.split(decoder.decode(), true);
  if (lines.length > 0) yield { lines, bytesRead };
}

async function* reading(chunks: AsyncIterable<Buffer>, file: string): AsyncGenerator<Buffer> {
  try {
    yield* chunks;
  } catch (cause) {
    const name = file === '-' ? 'standard input' : file;
    throw new TocsinError('TOC_RECORDING_UNREADABLE', `cannot read ${name}`, { cause });
  }
}

/** Longer lines are skipped, so that a file without line ends does not fill the memory. */
const maxLineLength = 32 * 1024 * 1024;

/** Cuts text that comes in pieces into lines; null stands for one that was too long. */
class LineSplitter {
  #rest = '';
  #isTooLong = false;

  split(text: string, isLast = false): readonly (string | null)[] {
    const lines: (string | null)[] = (this.#rest + text).split('\n');
    if (this.#isTooLong) lines[0] = null;
    const rest = lines.at(-1) ?? null;
    if (!isLast || rest === '') lines.pop();
    this.#isTooLong = rest === null || rest.length > maxLineLength;
    this.#rest = this.#isTooLong ? '' : (rest ?? '');
    return lines;
  }
}

/** Reads lines of one recording as alerts, one after the other. */
export class AlertLineReader {
  /** One object for all lines; its `nowMs` is that of the line at hand. */
  readonly #context: LineContext & { nowMs: number };
  #line = 0;
  #lastMs = 0;

  constructor(context: LineContext) {
    this.#context = { ...context, nowMs: 0 };
  }

  /** The next lines. */
  read(lines: readonly (string | null)[]): Omit<AlertLines, 'bytesRead'> {
    const alerts: Alert[] = [];
    const errors: { line: number; message: string }[] = [];
    for (const text of lines) {
      const outcome = this.readLine(text);
      if (outcome === null) continue;
      if (outcome.ok) alerts.push(outcome.alert);
      else errors.push({ line: this.#line, message: outcome.error });
    }
    return { alerts, errors };
  }

  /** The next line; null when it is blank. */
  readLine(text: string | null): ReturnType<typeof readReport> | null {
    this.#line++;
    if (text === '' || text?.trim() === '') return null;
    if (text === null || text.length > maxLineLength)
      return { ok: false, error: `expected a line of at most ${maxLineLength} characters` };
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      return { ok: false, error: `expected JSON: ${error instanceof Error ? error.message : String(error)}` };
    }
    if (!isObject(value)) return { ok: false, error: 'expected a JSON object' };
    const receivedAt = readTime(value['receivedAt'], 'receivedAt');
    if (!receivedAt.ok) return receivedAt;
    if (receivedAt.timeMs !== null && !isPlausible(receivedAt.timeMs))
      return { ok: false, error: 'receivedAt: expected a time from 1970 to 2199' };
    const startsAt = receivedAt.timeMs === null ? readTime(value['startsAt'], 'startsAt') : receivedAt;
    const hasTime = startsAt.ok && startsAt.timeMs !== null && isPlausible(startsAt.timeMs);
    const nowMs = hasTime ? startsAt.timeMs : this.#lastMs;
    this.#context.nowMs = nowMs;
    const outcome = readReport(value, 'alert', 'file', this.#context);
    if (outcome.ok) this.#lastMs = nowMs;
    return outcome;
  }
}

/** Virtual time passes every timer between one line and the next: a line of the year 9998 would take as long as those years do. */
function isPlausible(timeMs: number): boolean {
  return timeMs >= 0 && timeMs < earliestImplausibleMs;
}

const earliestImplausibleMs = Date.UTC(2200, 0, 1);
