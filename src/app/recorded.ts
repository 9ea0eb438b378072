import { InvalidArgumentError, Option } from 'commander';
import { parseDuration, plainText } from '../alert/index.ts';
import { parseTime, type LineContext } from '../source/index.ts';
import type { TocsinConfig } from './config-schema.ts';
import { sizeOf } from './line-file.ts';
import { openProgressBar } from './progress-bar.ts';
import { readRecording, type Recording } from './recording.ts';

/** How far time runs on after the last alert of what was recorded. */
export function settleOption(): Option {
  return new Option('--settle <duration>', 'how far time runs on after the last alert')
    .argParser(duration)
    .default(600_000, '10m');
}

/** A point in time, in milliseconds. */
export function timeOption(flags: string, description: string): Option {
  return new Option(flags, description).argParser((text: string) => {
    const timeMs = parseTime(text);
    if (timeMs === null || Number.isNaN(timeMs))
      throw new InvalidArgumentError('expected an RFC 3339 time, such as 2026-08-24T09:13:00Z');
    return timeMs;
  });
}

/** Reads a file of alerts as the sources of a configuration read lines; what is wrong with it is told on stderr. */
export async function readRecorded(file: string, config: TocsinConfig, isQuiet: boolean): Promise<Recording> {
  const size = await sizeOf(file);
  const bar = isQuiet || file === '-' ? null : openProgressBar('reading', size);
  try {
    const recording = await readRecording(file, lineContext(config), {
      onBadLine: (line, message) => console.error(`${file}:${line}: ${plainText(message, 1000)}`),
      onProgress: (bytesRead) => bar?.update(bytesRead),
    });
    if (recording.lateCount > 0) {
      console.error(
        `${file}: ${recording.lateCount.toLocaleString('en')} alerts were not in the order of time and have been sorted in`,
      );
    }
    return recording;
  } finally {
    bar?.stop();
  }
}

function lineContext({ global, source }: TocsinConfig): LineContext {
  return {
    resolveTimeoutMs: global.resolve_timeout,
    defaultDomain: source.default_domain,
    domainLabel: source.domain_label,
  };
}

function duration(text: string): number {
  const parsed = parseDuration(text);
  if (!parsed.ok) throw new InvalidArgumentError(parsed.error);
  return parsed.ms;
}
