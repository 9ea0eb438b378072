import { readFileSync } from 'node:fs';
import type { Verdict } from './checks.ts';
import type { TocsinVictim } from './victim.ts';

/** Codes that no fault explains: each would be a defect, or a loss. */
const neverCodes = new Set([
  'TOC_EFFECT_FAILED',
  'TOC_EFFECT_UNKNOWN',
  'TOC_LOG_CORRUPT',
  'TOC_LOG_GAP',
  'TOC_LOG_REPLACED',
  'TOC_PARTITION_FAILED',
  'TOC_STORE_CORRUPT',
  'TOC_HISTORY_ROW_REFUSED',
]);

/** pino's level of what an operator must look at. */
const errorLevel = 50;
/** What is put down when the history loses rows. */
const rowsMissing = 'Rows are missing in the history.';

/** What the processes wrote, and whether one of them ended by itself. */
export function checkProcesses(processes: readonly TocsinVictim[]): Verdict {
  const violations: string[] = [];
  const codes = new Map<string, number>();
  let failedStarts = 0;
  for (const { name, logFile, unexpectedExits } of processes) {
    for (const { status, hadServed } of unexpectedExits) {
      if (hadServed) violations.push(`${name} ended by itself with ${status}`);
      else failedStarts++;
    }
    for (const line of readFileSync(logFile, 'utf8').split('\n')) {
      const { level, code, msg } = parse(line);
      if (msg === rowsMissing) violations.push(`${name}: ${line}`);
      if (code === undefined || level < errorLevel - 10) continue;
      codes.set(code, (codes.get(code) ?? 0) + 1);
      if (neverCodes.has(code)) violations.push(`${name}: ${code}: ${msg}`);
    }
  }
  const told = [...codes].toSorted(([, a], [, b]) => b - a).map(([code, count]) => `${code} ${count}`);
  return {
    name: 'no process ended by itself, and none wrote of a defect or a loss',
    counts: `${failedStarts} starts failed while others were away; codes: ${told.join(', ') || 'none'}`,
    violations,
  };
}

function parse(line: string): { level: number; code?: string; msg?: string } {
  try {
    const { level = 0, code, msg } = JSON.parse(line) as { level?: number; code?: string; msg?: string };
    return { level, ...(code === undefined ? {} : { code }), ...(msg === undefined ? {} : { msg }) };
  } catch {
    return { level: 0 };
  }
}
