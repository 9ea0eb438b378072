import { emptyLabels, labelsOf, type Alert } from '../alert/index.ts';
import { TextGroups, type DedupConfig, type TextGroup } from '../dedup/index.ts';
import { AlertLineReader, readTextLines, type LineContext, type TextLines } from '../source/index.ts';

export type LineFormat = 'text' | 'ndjson';

/** What became of one line of the input. All but `index` and `error` are null for a line that could not be read. */
export interface GroupedLine {
  /** Its place in the input, counted from 0. Blank lines of NDJSON have a place and no entry. */
  readonly index: number;
  readonly group: number | null;
  /** The first text of the group. */
  readonly representative: string | null;
  /** To the representative, 0..1. */
  readonly similarity: number | null;
  /** The representative with all variables left out. */
  readonly template: string | null;
  readonly error?: string;
}

export interface GroupLinesOptions {
  readonly config: DedupConfig;
  readonly context: LineContext;
  /** Without it a file is NDJSON when its first line is a JSON object. */
  readonly format?: LineFormat;
  /** `line` is counted from 1. */
  readonly onBadLine: (line: number, message: string) => void;
  /** Twice over the whole file: first it is learned from, then grouped. */
  readonly onProgress: (step: 'learning' | 'grouping', bytesRead: number) => void;
  readonly onLine: (line: GroupedLine) => Promise<void> | void;
}

export interface CountedGroup {
  readonly group: TextGroup;
  count: number;
}

export interface LineGroups {
  readonly format: LineFormat;
  readonly lineCount: number;
  readonly badLineCount: number;
  /** The biggest first, the older of equals. */
  readonly groups: readonly CountedGroup[];
}

/**
 * Puts the lines of a file into groups of which dedup would make one signal each. `file` as `readTextLines` takes it; standard input is
 * kept in memory. Rejects with TOC_RECORDING_UNREADABLE when the file cannot be read.
 */
export async function groupLines(file: string, options: GroupLinesOptions): Promise<LineGroups> {
  const parts = file === '-' ? await collect(file) : null;
  const read = () => parts ?? readTextLines(file);
  const texts = new TextGroups(options.config);
  let format = options.format;
  let reader: LineReader | null = null;
  for await (const { lines, bytesRead } of read()) {
    format ??= formatOf(lines);
    if (format === undefined) continue;
    reader ??= createReader(format, options.context);
    for (const line of lines) {
      const outcome = reader(line);
      if (outcome?.ok) texts.learn(outcome.alert);
    }
    options.onProgress('learning', bytesRead);
  }
  return group(read(), texts, format ?? 'text', options);
}

async function group(
  parts: AsyncIterable<TextLines> | Iterable<TextLines>,
  texts: TextGroups,
  format: LineFormat,
  { context, onBadLine, onProgress, onLine }: GroupLinesOptions,
): Promise<LineGroups> {
  const reader = createReader(format, context);
  const groups: CountedGroup[] = [];
  let index = -1;
  let badLineCount = 0;
  let lineCount = 0;
  for await (const { lines, bytesRead } of parts) {
    for (const line of lines) {
      index++;
      const outcome = reader(line);
      if (outcome === null) continue;
      lineCount++;
      if (!outcome.ok) {
        badLineCount++;
        onBadLine(index + 1, outcome.error);
        await onLine({
          index,
          group: null,
          representative: null,
          similarity: null,
          template: null,
          error: outcome.error,
        });
        continue;
      }
      const { group, similarity } = texts.place(outcome.alert);
      const counted = (groups[group.order] ??= { group, count: 0 });
      counted.count++;
      const { order, text, template } = group;
      await onLine({ index, group: order, representative: text, similarity, template });
    }
    onProgress('grouping', bytesRead);
  }
  const bySize = groups.toSorted((a, b) => b.count - a.count || a.group.order - b.group.order);
  return { format, lineCount, badLineCount, groups: bySize };
}

type LineReader = (line: string | null) => ReturnType<AlertLineReader['readLine']>;

function createReader(format: LineFormat, context: LineContext): LineReader {
  if (format === 'ndjson') {
    const reader = new AlertLineReader(context);
    return (line) => reader.readLine(line);
  }
  return (line) =>
    line === null
      ? { ok: false, error: 'the line is too long' }
      : { ok: true, alert: alertOf(line, context) };
}

/** A line of text as an alert that has nothing but this text. */
function alertOf(line: string, { defaultDomain }: LineContext): Alert {
  return {
    fingerprint: '',
    domain: defaultDomain,
    labels: emptyLabels,
    annotations: labelsOf({ summary: line.endsWith('\r') ? line.slice(0, -1) : line }),
    startsAtMs: 0,
    endsAtMs: 1,
    endsByTimeout: true,
    receivedAtMs: 0,
    generatorUrl: '',
    source: 'file',
  };
}

/** Undefined as long as all lines are blank. */
function formatOf(lines: readonly (string | null)[]): LineFormat | undefined {
  const first = lines.find((line) => line !== null && line.trim() !== '');
  if (first === undefined || first === null) return undefined;
  try {
    const value: unknown = JSON.parse(first);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? 'ndjson' : 'text';
  } catch {
    return 'text';
  }
}

async function collect(file: string): Promise<TextLines[]> {
  const parts: TextLines[] = [];
  for await (const part of readTextLines(file)) parts.push(part);
  return parts;
}
