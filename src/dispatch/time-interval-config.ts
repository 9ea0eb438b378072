import { z } from 'zod';

const daysOfWeek = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];
const months = [
  'january',
  'february',
  'march',
  'april',
  'may',
  'june',
  'july',
  'august',
  'september',
  'october',
  'november',
  'december',
];

/** Both ends belong to it. */
export interface InclusiveRange {
  readonly begin: number;
  readonly end: number;
}

/** Reads `a` or `a:b`; `read` gives NaN for what is no member. `check` says what is wrong with a range, or null. */
function rangeSchema(
  what: string,
  read: (text: string) => number,
  check: (range: InclusiveRange) => string | null,
) {
  return z.string().transform((text, context): InclusiveRange => {
    const parts = text.toLowerCase().split(':');
    const [begin = NaN, end = begin] = parts.map(read);
    const mistake =
      parts.length > 2 || Number.isNaN(begin + end) ? `${text} is no ${what}` : check({ begin, end });
    if (mistake !== null) context.addIssue({ code: 'custom', message: mistake });
    return { begin, end };
  });
}

function readInteger(text: string): number {
  return /^[+-]?\d{1,9}$/.test(text) ? Number(text) : NaN;
}

function readName(names: readonly string[], first: number): (text: string) => number {
  return (text) => {
    const index = names.indexOf(text);
    return index < 0 ? NaN : index + first;
  };
}

const orderly = ({ begin, end }: InclusiveRange): string | null =>
  begin > end ? 'the end must not be before the start' : null;

const weekday = rangeSchema('weekday or range of weekdays', readName(daysOfWeek, 0), orderly);

const month = rangeSchema(
  'month or range of months',
  (text) => (months.includes(text) ? readName(months, 1)(text) : readInteger(text)),
  orderly,
);

const year = rangeSchema('year or range of years', readInteger, orderly);

/** Negative days count from the end of the month, which may be as early as the 28th. */
const dayOfMonth = rangeSchema('day or range of days of the month', readInteger, ({ begin, end }) => {
  const outside = [begin, end].find((day) => day === 0 || day < -31 || day > 31);
  if (outside !== undefined) return `${outside} is not a valid day of the month`;
  if (begin < 0 && end > 0) return 'the end must be negative when the start is';
  const atLeast = (day: number): number => (day < 0 ? 28 + day : day);
  return atLeast(begin) > atLeast(end) ? `day ${end} is always before day ${begin}` : null;
});

const timeOfDay = z
  .string()
  .regex(/^(?:(?:[01]\d|2[0-3]):[0-5]\d|24:00)$/, 'expected a time of day such as 09:30, up to 24:00')
  .transform((text) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3)));

const times = z
  .strictObject({ start_time: timeOfDay, end_time: timeOfDay })
  .refine(({ start_time, end_time }) => start_time < end_time, {
    path: ['end_time'],
    error: 'must be after start_time',
  });

/** An IANA time zone. `Local` is the zone of this machine when the file is read. */
const location = z.string().transform((name, context) => {
  if (name === 'Local') return Intl.DateTimeFormat().resolvedOptions().timeZone;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name === '' ? 'UTC' : name }).resolvedOptions().timeZone;
  } catch {
    context.addIssue({ code: 'custom', message: `there is no time zone ${name}` });
    return 'UTC';
  }
});

const timeInterval = z.strictObject({
  times: z.array(times).optional(),
  weekdays: z.array(weekday).optional(),
  days_of_month: z.array(dayOfMonth).optional(),
  months: z.array(month).optional(),
  years: z.array(year).optional(),
  location: location.default('UTC'),
});

/** Section `time_intervals`, as in Alertmanager (timeinterval/timeinterval.go). `times` are minutes of the day. */
export const timeIntervalsConfig = z
  .array(z.strictObject({ name: z.string().min(1), time_intervals: z.array(timeInterval).default([]) }))
  .superRefine((intervals, context) => {
    const seen = new Set<string>();
    for (const [index, { name }] of intervals.entries()) {
      if (seen.has(name))
        context.addIssue({
          code: 'custom',
          path: [index, 'name'],
          message: `time interval ${name} is listed twice`,
        });
      seen.add(name);
    }
  });

export type TimeIntervalsConfig = z.output<typeof timeIntervalsConfig>;
export type TimeInterval = z.output<typeof timeInterval>;
