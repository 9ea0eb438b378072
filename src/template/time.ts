import { durationOf, nanosecondsOf } from './duration.ts';
import { CallError } from './error.ts';
import { asText, GoNamedInt, type GoValue, type Methods } from './value.ts';

/** Go's zero time: the end of an alert that still fires. */
export const zeroTimeMs = Date.parse('0001-01-01T00:00:00Z');

const months = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
const weekdays = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

/** A time.Time in milliseconds since the Unix epoch, seen in a time zone: `UTC` unless said otherwise, or a name of the IANA database. */
export class GoTime {
  readonly typeName = 'time.Time';
  readonly ms: number;
  readonly zone: string;

  constructor(ms: number, zone = 'UTC') {
    this.ms = ms;
    this.zone = zone;
  }

  /** The methods that templates may call. */
  get methods(): Methods {
    const clock = this.#wallClock();
    const reading = (value: GoValue) => ({ parameters: [], call: () => value });
    const int = (value: number) => reading(BigInt(value));
    const comparing = (isSo: (otherMs: number) => boolean) => ({
      parameters: ['time.Time'] as const,
      call: (other: GoValue) => other instanceof GoTime && isSo(other.ms),
    });
    return {
      Format: { parameters: ['string'], call: (layout) => this.format(asText(layout)) },
      String: reading(this.toString()),
      UTC: { parameters: [], call: () => new GoTime(this.ms) },
      Local: {
        parameters: [],
        call: () => new GoTime(this.ms, Intl.DateTimeFormat().resolvedOptions().timeZone),
      },
      Unix: int(Math.floor(this.ms / 1000)),
      UnixMilli: int(this.ms),
      UnixNano: reading(BigInt(this.ms) * 1_000_000n),
      Year: int(clock.getUTCFullYear()),
      Month: reading(namedInt('time.Month', clock.getUTCMonth() + 1, months[clock.getUTCMonth()])),
      Weekday: reading(namedInt('time.Weekday', clock.getUTCDay(), weekdays[clock.getUTCDay()])),
      Day: int(clock.getUTCDate()),
      YearDay: int(dayOfYear(clock)),
      Hour: int(clock.getUTCHours()),
      Minute: int(clock.getUTCMinutes()),
      Second: int(clock.getUTCSeconds()),
      Nanosecond: int(clock.getUTCMilliseconds() * 1_000_000),
      IsZero: reading(this.ms === zeroTimeMs),
      After: comparing((otherMs) => this.ms > otherMs),
      Before: comparing((otherMs) => this.ms < otherMs),
      Equal: comparing((otherMs) => this.ms === otherMs),
      Add: { parameters: ['time.Duration'], call: (by) => this.#moved(Number(nanosecondsOf(by)) / 1e6) },
      Sub: { parameters: ['time.Time'], call: (other) => this.since(other instanceof GoTime ? other.ms : 0) },
      AddDate: {
        parameters: ['int', 'int', 'int'],
        call: (...by) => {
          const moved = this.#wallClock();
          const [years, months, days] = by.map(Number);
          moved.setUTCFullYear(
            moved.getUTCFullYear() + (years ?? 0),
            moved.getUTCMonth() + (months ?? 0),
            moved.getUTCDate() + (days ?? 0),
          );
          return this.#moved(moved.getTime() - clock.getTime());
        },
      },
    };
  }

  /** What lies between `earlierMs` and this time; Go's Duration cannot say more than 292 years. */
  since(earlierMs: number): GoNamedInt {
    const ns = BigInt(this.ms - earlierMs) * 1_000_000n;
    return durationOf(BigInt.asIntN(64, ns) === ns ? ns : ns > 0n ? 2n ** 63n - 1n : -(2n ** 63n));
  }

  /** The same moment in another zone. Throws a `CallError` where nobody knows it. */
  in(zone: string): GoTime {
    const name = zone === '' ? 'UTC' : zone;
    if (name !== 'UTC' && name !== 'Local' && !isZone(name)) throw new CallError(`unknown time zone ${zone}`);
    return new GoTime(this.ms, name === 'Local' ? Intl.DateTimeFormat().resolvedOptions().timeZone : name);
  }

  /** As Go prints times: `2026-08-24 09:15:02.118 +0000 UTC`. */
  toString(): string {
    return this.format('2006-01-02 15:04:05.999999999 -0700 MST');
  }

  /** RFC 3339 with as many digits as needed, as in JSON. */
  toRfc3339(): string {
    return this.format('2006-01-02T15:04:05.999999999Z07:00');
  }

  /** Go's layouts, in which the parts of `Mon Jan 2 15:04:05 MST 2006` stand for those of the time. */
  format(layout: string): string {
    const clock = this.#wallClock();
    const offset = this.#offsetMinutes();
    return layout.replaceAll(layoutPart, (part) =>
      formatPart(part, clock, offset, () => this.#abbreviation(offset)),
    );
  }

  #moved(byMs: number): GoTime {
    const ms = Math.trunc(this.ms + byMs);
    if (!(Math.abs(ms) <= 8.64e15)) throw new CallError('time out of range');
    return new GoTime(ms, this.zone);
  }

  /** A date whose UTC fields are those of this time in its zone. */
  #wallClock(): Date {
    return new Date(this.ms + this.#offsetMinutes() * 60_000);
  }

  #offsetMinutes(): number {
    if (this.zone === 'UTC') return 0;
    const name = zoneName(this.ms, this.zone, 'en-US', 'longOffset');
    const [, sign = '+', hours = '0', minutes = '0'] = /^GMT(?:([+-])(\d\d):(\d\d))?/.exec(name) ?? [];
    return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
  }

  /** What people there call the zone, as far as the Unicode data says; else its offset, as Go has it for zones without a name. */
  #abbreviation(offset: number): string {
    if (this.zone === 'UTC') return 'UTC';
    for (const locale of ['en-US', 'en-GB', 'en-AU', 'en-IN', 'en-ZA']) {
      const name = zoneName(this.ms, this.zone, locale, 'short');
      if (/^[A-Z]{2,5}$/.test(name)) return name;
    }
    return offset % 60 === 0 ? formatOffset(offset, '').slice(0, 3) : formatOffset(offset, '');
  }
}

function namedInt(typeName: string, value: number, text = ''): GoNamedInt {
  return new GoNamedInt(typeName, BigInt(value), text, { String: { parameters: [], call: () => text } });
}

function isZone(name: string): boolean {
  try {
    return /^[A-Za-z]/.test(name) && Intl.DateTimeFormat('en-US', { timeZone: name }) !== null;
  } catch {
    return false;
  }
}

function zoneName(
  ms: number,
  timeZone: string,
  locale: string,
  timeZoneName: 'short' | 'longOffset',
): string {
  const parts = new Intl.DateTimeFormat(locale, { timeZone, timeZoneName }).formatToParts(ms);
  return parts.find(({ type }) => type === 'timeZoneName')?.value ?? '';
}

const layoutPart =
  /January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|002|0[1-6]|2006|__2|_2(?!006)|15|[12345]|PM|pm|[Z-]07:00:00|[Z-]070000|[Z-]07:00|[Z-]0700|[Z-]07|[.,]0+(?!\d)|[.,]9+(?!\d)/g;

function formatPart(part: string, clock: Date, offset: number, abbreviation: () => string): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const hour = clock.getUTCHours();
  const hour12 = hour % 12 === 0 ? 12 : hour % 12;
  switch (part) {
    case 'January':
      return months[clock.getUTCMonth()] ?? '';
    case 'Jan':
      return (months[clock.getUTCMonth()] ?? '').slice(0, 3);
    case '1':
      return String(clock.getUTCMonth() + 1);
    case '01':
      return two(clock.getUTCMonth() + 1);
    case 'Monday':
      return weekdays[clock.getUTCDay()] ?? '';
    case 'Mon':
      return (weekdays[clock.getUTCDay()] ?? '').slice(0, 3);
    case '2':
      return String(clock.getUTCDate());
    case '_2':
      return String(clock.getUTCDate()).padStart(2, ' ');
    case '02':
      return two(clock.getUTCDate());
    case '__2':
      return String(dayOfYear(clock)).padStart(3, ' ');
    case '002':
      return String(dayOfYear(clock)).padStart(3, '0');
    case '15':
      return two(hour);
    case '3':
      return String(hour12);
    case '03':
      return two(hour12);
    case '4':
      return String(clock.getUTCMinutes());
    case '04':
      return two(clock.getUTCMinutes());
    case '5':
      return String(clock.getUTCSeconds());
    case '05':
      return two(clock.getUTCSeconds());
    case '2006':
      return String(clock.getUTCFullYear()).padStart(4, '0');
    case '06':
      return two(clock.getUTCFullYear() % 100);
    case 'PM':
      return hour >= 12 ? 'PM' : 'AM';
    case 'pm':
      return hour >= 12 ? 'pm' : 'am';
    case 'MST':
      return abbreviation();
    default:
      return /^[.,]/.test(part) ? fraction(part, clock) : formatZone(part, offset);
  }
}

function fraction(part: string, clock: Date): string {
  const digits = String(clock.getUTCMilliseconds())
    .padStart(3, '0')
    .padEnd(9, '0')
    .slice(0, part.length - 1);
  if (part.includes('0')) return part.charAt(0) + digits;
  const trimmed = digits.replace(/0+$/, '');
  return trimmed === '' ? '' : part.charAt(0) + trimmed;
}

function formatZone(part: string, offset: number): string {
  if (part.startsWith('Z') && offset === 0) return 'Z';
  const text = formatOffset(offset, part.includes(':') ? ':' : '');
  if (part.length === 3) return text.slice(0, 3);
  if (part.endsWith(':00:00')) return `${text}:00`;
  return part.endsWith('0000') ? `${text}00` : text;
}

function formatOffset(minutes: number, separator: string): string {
  const size = Math.abs(minutes);
  const [hour, minute] = [Math.floor(size / 60), size % 60].map((value) => String(value).padStart(2, '0'));
  return `${minutes < 0 ? '-' : '+'}${hour}${separator}${minute}`;
}

function dayOfYear(clock: Date): number {
  const start = new Date(clock);
  start.setUTCMonth(0, 1);
  return Math.round((clock.getTime() - start.getTime()) / 86_400_000) + 1;
}
