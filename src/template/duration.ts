import { CallError } from './error.ts';
import { GoNamedInt, type GoValue } from './value.ts';

const second = 1_000_000_000n;

/** A time.Duration of so many nanoseconds, with Go's methods for reading it. */
export function durationOf(nanoseconds: bigint): GoNamedInt {
  const seconds = Number(nanoseconds) / 1e9;
  const reading = (value: GoValue) => ({ parameters: [], call: () => value });
  return new GoNamedInt('time.Duration', nanoseconds, formatDuration(nanoseconds), {
    Hours: reading(seconds / 3600),
    Minutes: reading(seconds / 60),
    Seconds: reading(seconds),
    Milliseconds: reading(nanoseconds / 1_000_000n),
    Microseconds: reading(nanoseconds / 1000n),
    Nanoseconds: reading(nanoseconds),
    String: reading(formatDuration(nanoseconds)),
    Abs: { parameters: [], call: () => durationOf(nanoseconds < 0n ? -nanoseconds : nanoseconds) },
    Round: {
      parameters: ['time.Duration'],
      call: (unit) => durationOf(roundTo(nanoseconds, nanosecondsOf(unit))),
    },
    Truncate: {
      parameters: ['time.Duration'],
      call: (unit) => durationOf(truncateTo(nanoseconds, nanosecondsOf(unit))),
    },
  });
}

/** The nanoseconds of a duration, or of a constant that stands for one. */
export function nanosecondsOf(value: GoValue | undefined): bigint {
  if (typeof value === 'bigint') return value;
  return value instanceof GoNamedInt ? value.value : 0n;
}

function truncateTo(value: bigint, unit: bigint): bigint {
  return unit <= 0n ? value : value - (value % unit);
}

function roundTo(value: bigint, unit: bigint): bigint {
  if (unit <= 0n) return value;
  const half = value < 0n ? -unit : unit;
  const rest = value % unit;
  return rest * 2n * (value < 0n ? -1n : 1n) < unit ? value - rest : value - rest + half;
}

/** As Go's Duration.String: `1h2m3.5s`, `150ms`, `0s`. */
function formatDuration(nanoseconds: bigint): string {
  if (nanoseconds === 0n) return '0s';
  const sign = nanoseconds < 0n ? '-' : '';
  const value = nanoseconds < 0n ? -nanoseconds : nanoseconds;
  if (value < second) {
    if (value < 1000n) return `${sign}${value}ns`;
    const [unit, name] = value < 1_000_000n ? [1000n, 'µs'] : [1_000_000n, 'ms'];
    return `${sign}${decimal(value, unit)}${name}`;
  }
  const hours = value / (3600n * second);
  const minutes = (value / (60n * second)) % 60n;
  const seconds = decimal(value % (60n * second), second);
  if (hours > 0n) return `${sign}${hours}h${minutes}m${seconds}s`;
  return minutes > 0n ? `${sign}${minutes}m${seconds}s` : `${sign}${seconds}s`;
}

function decimal(value: bigint, unit: bigint): string {
  const digits = String(unit).length - 1;
  const fraction = String(value % unit)
    .padStart(digits, '0')
    .replace(/0+$/, '');
  return fraction === '' ? `${value / unit}` : `${value / unit}.${fraction}`;
}

const siPrefixes = ['m', 'u', 'n', 'p', 'f', 'a', 'z', 'y'];

/**
 * Seconds for people, as Prometheus' `humanizeDuration` (prometheus/common/helpers/templates): `1d 2h 3m 4s`, `12.35s`, `350ms`.
 * Takes a number, a numeral or a duration; throws a `CallError` otherwise.
 */
export function humanizeDuration(value: GoValue): string {
  const seconds = secondsOf(value);
  if (!Number.isFinite(seconds)) return Number.isNaN(seconds) ? 'NaN' : seconds > 0 ? '+Inf' : '-Inf';
  if (seconds === 0) return '0s';
  const size = Math.abs(seconds);
  if (size >= 1) return humanizeLong(seconds < 0 ? '-' : '', size);
  let prefix = '';
  let scaled = seconds;
  for (const next of siPrefixes) {
    if (Math.abs(scaled) >= 1) break;
    prefix = next;
    scaled *= 1000;
  }
  return `${fourDigits(scaled)}${prefix}s`;
}

function humanizeLong(sign: string, size: number): string {
  const whole = Math.trunc(size);
  const [days, hours, minutes] = [
    Math.trunc(whole / 86_400),
    Math.trunc(whole / 3600) % 24,
    Math.trunc(whole / 60) % 60,
  ];
  if (days > 0) return `${sign}${days}d ${hours}h ${minutes}m ${whole % 60}s`;
  if (hours > 0) return `${sign}${hours}h ${minutes}m ${whole % 60}s`;
  if (minutes > 0) return `${sign}${minutes}m ${whole % 60}s`;
  return `${sign}${fourDigits(size)}s`;
}

/** As `%.4g`, for values that it would not write with an exponent. */
function fourDigits(value: number): string {
  return String(Number(value.toPrecision(4)));
}

function secondsOf(value: GoValue): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof GoNamedInt && value.typeName === 'time.Duration') return Number(value.value) / 1e9;
  if (typeof value === 'string' && value.trim() !== '' && !Number.isNaN(Number(value))) return Number(value);
  throw new CallError(
    typeof value === 'string'
      ? `strconv.ParseFloat: parsing "${value}": invalid syntax`
      : "can't convert to float",
  );
}
