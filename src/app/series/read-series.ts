import { parse } from 'csv-parse';
import { createReadStream } from 'node:fs';
import { TocsinError } from '../../engine/index.ts';
import { parseTime } from '../../source/index.ts';

/** One row of a file: its texts as they stand there, and what they say. */
export interface SeriesRow {
  readonly timestamp: string;
  readonly value: string;
  readonly timeMs: number;
  readonly number: number;
}

/** More mistakes of one file than this are only counted. */
const mistakesShown = 10;

interface ParsedRecord {
  readonly record: readonly string[];
  readonly raw: string;
  readonly info: { readonly lines: number };
}

/**
 * Reads a CSV file with the columns `timestamp` and `value` (others are passed over, in any order). Times are RFC 3339, a space
 * may stand for the T and a zone may be missing (UTC), or seconds or milliseconds since 1970. Rows keep their order.
 * `onProgress` is told how many bytes have been read.
 * Rejects with TOC_SERIES_INVALID that names line and column of what is wrong, ten mistakes at once, and with
 * TOC_SERIES_UNREADABLE when there is no such file.
 */
export async function readSeries(file: string, onProgress?: (bytes: number) => void): Promise<SeriesRow[]> {
  const raw = createReadStream(file, { highWaterMark: 1 << 20 });
  let bytes = 0;
  raw.on('data', (chunk) => onProgress?.((bytes += chunk.length)));
  const parser = parse({
    bom: true,
    info: true,
    raw: true,
    relax_column_count: true,
    skip_empty_lines: true,
  });
  raw.once('error', (error) => parser.destroy(error));
  raw.pipe(parser);

  const rows: SeriesRow[] = [];
  const mistakes: string[] = [];
  let columns: Columns | null = null;
  try {
    for await (const parsed of parser as AsyncIterable<ParsedRecord>) {
      const { record, info } = parsed;
      if (!columns) {
        columns = findColumns(file, record);
        continue;
      }
      const timeMs = readTimestamp(record[columns.timestamp] ?? '');
      const number = readNumber(record[columns.value] ?? '');
      if (Number.isNaN(timeMs)) mistakes.push(describe(file, info.lines, parsed, columns.timestamp));
      if (Number.isNaN(number)) mistakes.push(describe(file, info.lines, parsed, columns.value, columns));
      rows.push({
        timestamp: record[columns.timestamp] ?? '',
        value: record[columns.value] ?? '',
        timeMs,
        number,
      });
    }
  } catch (error) {
    throw wrap(file, error);
  }
  if (!columns) throw invalid(`${file}:1:1: the file is empty; expected the header timestamp,value`);
  if (mistakes.length > 0) {
    const more = mistakes.length - mistakesShown;
    const shown = more > 0 ? [...mistakes.slice(0, mistakesShown), `and ${more} more`] : mistakes;
    throw invalid(shown.join('\n'));
  }
  return rows;
}

interface Columns {
  readonly timestamp: number;
  readonly value: number;
}

function findColumns(file: string, header: readonly string[]): Columns {
  const names = header.map((name) => name.trim().toLowerCase());
  const columns = { timestamp: names.indexOf('timestamp'), value: names.indexOf('value') };
  const missing = (['timestamp', 'value'] as const).filter((name) => columns[name] < 0);
  if (missing.length > 0) {
    throw invalid(
      `${file}:1:1: the header has no column ${missing.map((name) => `"${name}"`).join(' and ')}; it has ${names.map((name) => `"${name}"`).join(', ')}`,
    );
  }
  return columns;
}

/** `file:line:column: ...`; the column is where the field begins, counted in characters from 1. */
function describe(
  file: string,
  line: number,
  { record, raw }: ParsedRecord,
  index: number,
  columns?: Columns,
): string {
  const isValue = columns?.value === index;
  const expected = isValue ? 'a finite number' : 'a time such as 2026-01-31T10:00:00Z';
  const text = record[index];
  const found = text === undefined ? 'the row ends before it' : JSON.stringify(text.slice(0, 40));
  const name = isValue ? 'value' : 'timestamp';
  return `${file}:${line}:${columnOf(raw, index)}: ${name}: expected ${expected}, found ${found}`;
}

function columnOf(raw: string, index: number): number {
  let column = 1;
  let isQuoted = false;
  let seen = 0;
  for (const character of raw.replace(/[\r\n]+$/, '')) {
    if (seen === index) break;
    if (character === '"') isQuoted = !isQuoted;
    else if (character === ',' && !isQuoted) seen++;
    column++;
  }
  return column;
}

function readTimestamp(text: string): number {
  const trimmed = text.trim();
  if (/^\d{9,10}(?:\.\d+)?$/.test(trimmed)) return Number(trimmed) * 1000;
  if (/^\d{12,13}$/.test(trimmed)) return Number(trimmed);
  return parseTime(trimmed) ?? Number.NaN;
}

function readNumber(text: string): number {
  const trimmed = text.trim();
  const number = trimmed === '' ? Number.NaN : Number(trimmed);
  return Number.isFinite(number) ? number : Number.NaN;
}

function wrap(file: string, error: unknown): unknown {
  if (error instanceof TocsinError) return error;
  if (error instanceof Error && 'code' in error && String(error.code).startsWith('CSV_')) {
    const line = 'lines' in error ? Number(error.lines) : 1;
    const column = 'column' in error && typeof error.column === 'number' ? error.column + 1 : 1;
    return new TocsinError(
      'TOC_SERIES_INVALID',
      `${file}:${line}:${column}: the quotes of a field do not end`,
      {
        cause: error,
      },
    );
  }
  return new TocsinError('TOC_SERIES_UNREADABLE', `${file} cannot be read`, { cause: error });
}

function invalid(message: string): TocsinError {
  return new TocsinError('TOC_SERIES_INVALID', message);
}
