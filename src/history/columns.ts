import { labelsToObject, type Labels } from '../alert/index.ts';
import type { Reason } from '../incident/index.ts';

const earliestMs = Date.UTC(1900, 0, 1);
const latestMs = Date.UTC(2299, 11, 31, 23, 59, 59, 999);

let lastTimeMs = 0;
let lastTime = '1970-01-01 00:00:00.000';

/** A moment as ClickHouse's `DateTime64(3, 'UTC')` reads it. What lies outside of that type's years 1900 to 2299 becomes its nearest end. */
export function timeColumn(timeMs: number): string {
  // Most rows name the same moment several times over.
  if (timeMs === lastTimeMs) return lastTime;
  const clamped = Math.min(Math.max(Math.trunc(timeMs), earliestMs), latestMs);
  lastTime = new Date(clamped).toISOString().replace('T', ' ').slice(0, -1);
  lastTimeMs = timeMs;
  return lastTime;
}

export function nullableTimeColumn(timeMs: number | null): string | null {
  return timeMs === null ? null : timeColumn(timeMs);
}

/** Labels as a `Map(String, String)`. */
export function labelsColumn(labels: Labels): Readonly<Record<string, string>> {
  const column: Record<string, string> = {};
  for (let i = 0; i < labels.length; i += 2) {
    const name = labels[i] ?? '';
    // Assigning this name would set the prototype instead.
    if (name === '__proto__') return labelsToObject(labels);
    column[name] = labels[i + 1] ?? '';
  }
  return column;
}

/** Labels as `name=value` texts, at most `limit` of them. */
export function labelPairsColumn(labels: Labels, limit: number): string[] {
  const pairs: string[] = [];
  for (let i = 0; i < labels.length && pairs.length < limit; i += 2)
    pairs.push(`${labels[i]}=${labels[i + 1]}`);
  return pairs;
}

export function reasonsColumn(reasons: readonly Reason[]): readonly Record<string, unknown>[] {
  return reasons.map(({ stage, code, text, weight }) => ({ stage, code, text, weight: weight ?? null }));
}
