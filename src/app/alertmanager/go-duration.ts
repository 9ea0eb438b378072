const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

const whole = /^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/;
const part = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g;

/** Reads a duration as Go writes it (`time.ParseDuration`): `1h30m`, `1.5s`, `-2m`, `0`. In milliseconds; NaN when it is none. */
export function readGoDuration(text: string): number {
  if (/^[+-]?0$/.test(text)) return 0;
  if (!whole.test(text)) return NaN;
  let ms = 0;
  for (const [, count = '', unit = ''] of text.matchAll(part)) ms += Number(count) * unitMs[unit]!;
  return text.startsWith('-') ? -ms : ms;
}
