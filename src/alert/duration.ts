import { z } from 'zod';

export type DurationOutcome =
  | { readonly ok: true; readonly ms: number }
  | { readonly ok: false; readonly error: string };

const units: readonly (readonly [unit: string, ms: number])[] = [
  ['y', 31_536_000_000],
  ['w', 604_800_000],
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
];

const pattern = /^(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/;

/** Go's `time.Duration` holds nanoseconds in 63 bits: 292 years. */
const maxMs = 9_223_372_036_854;

/**
 * Reads a duration as Prometheus writes it (prometheus/common, model/time.go): `1h30m`, `90s`, `1d`, `500ms`, or `0`. Units from the
 * largest to the smallest, each once; a day has 24 hours and a year 365 days.
 */
export function parseDuration(text: string): DurationOutcome {
  if (text === '0') return { ok: true, ms: 0 };
  const match = text === '' ? null : pattern.exec(text);
  if (!match)
    return { ok: false, error: `expected a duration such as 30s, 5m or 1h30m, got ${JSON.stringify(text)}` };
  let ms = 0;
  for (const [index, [, unitMs]] of units.entries()) ms += Number(match[index + 1] ?? 0) * unitMs;
  if (ms > maxMs) return { ok: false, error: `expected a duration of at most 292y, got ${text}` };
  return { ok: true, ms };
}

/** Writes milliseconds (not negative, rounded) as a Prometheus duration, such as `1h30m`; zero is `0s`. */
export function formatDuration(ms: number): string {
  let rest = Math.round(ms);
  if (rest <= 0) return '0s';
  let text = '';
  for (const [unit, unitMs] of units) {
    const count = Math.floor(rest / unitMs);
    // Years and weeks only where they leave no rest, as Prometheus does: 365d stays readable as 1y, 366d as 366d.
    if (count === 0 || ((unit === 'y' || unit === 'w') && rest % unitMs !== 0)) continue;
    text += `${count}${unit}`;
    rest -= count * unitMs;
  }
  return text;
}

/** A duration in a configuration file; its output is milliseconds. */
export const durationSchema = z
  .string('expected a duration such as 30s, 5m or 1h30m')
  .transform((text, context) => {
    const parsed = parseDuration(text);
    if (parsed.ok) return parsed.ms;
    context.addIssue({ code: 'custom', message: parsed.error });
    return z.NEVER;
  });
