import type { InclusiveRange, TimeInterval } from './time-interval-config.ts';

/** A moment as the clock and the calendar of some place show it. */
interface LocalTime {
  readonly minuteOfDay: number;
  readonly weekday: number;
  readonly day: number;
  readonly month: number;
  readonly year: number;
}

/** Whether the moment lies in the interval: in each of its parts that say something (Alertmanager's `ContainsTime`). */
export function containsTime(interval: TimeInterval, timeMs: number): boolean {
  const { minuteOfDay, weekday, day, month, year } = localTime(interval.location, timeMs);
  const { times, weekdays, days_of_month, months, years } = interval;
  return (
    (times?.some(({ start_time, end_time }) => minuteOfDay >= start_time && minuteOfDay < end_time) ??
      true) &&
    (days_of_month?.some((range) => containsDay(range, day, daysIn(year, month))) ?? true) &&
    (months?.some((range) => contains(range, month)) ?? true) &&
    (weekdays?.some((range) => contains(range, weekday)) ?? true) &&
    (years?.some((range) => contains(range, year)) ?? true)
  );
}

function contains({ begin, end }: InclusiveRange, value: number): boolean {
  return value >= begin && value <= end;
}

/** Negative days count from the end of the month. What begins after the end of this month does not count in it. */
function containsDay({ begin, end }: InclusiveRange, day: number, dayCount: number): boolean {
  const fromStart = (value: number): number => (value < 0 ? dayCount + value + 1 : value);
  return fromStart(begin) <= dayCount && day >= fromStart(begin) && day <= fromStart(end);
}

function daysIn(year: number, month: number): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate();
}

const formats = new Map<string, Intl.DateTimeFormat>();

function localTime(location: string, timeMs: number): LocalTime {
  let format = formats.get(location);
  if (!format) {
    format = new Intl.DateTimeFormat('en-US-u-ca-iso8601-nu-latn', {
      timeZone: location,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
    });
    formats.set(location, format);
  }
  const parts: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {};
  for (const { type, value } of format.formatToParts(timeMs)) parts[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0 } = parts;
  return {
    minuteOfDay: hour * 60 + minute,
    weekday: new Date(Date.UTC(year, month - 1, day)).getUTCDay(),
    day,
    month,
    year,
  };
}
