/** What one kind of alert did in one period of five minutes. Times are milliseconds since the epoch. */
export interface ObservedPeriod {
  /** Five-minute periods since the epoch. */
  readonly period: number;
  readonly kind: string;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly count: number;
  readonly fired: number;
  readonly resolved: number;
}

export const periodMs = 300_000;

const header = 'period,kind,first_s,last_s,count,fired,resolved';

/** A name that a line of CSV holds: what would end its field or its line becomes a space. */
export function periodKind(...names: readonly string[]): string {
  return names.join('/').replaceAll(/[,"\r\n]/g, ' ');
}

/** As CSV, one line per period and kind; `first_s` and `last_s` count from the start of the period. */
export function formatPeriods(periods: readonly ObservedPeriod[]): string {
  const lines = periods.map(({ period, kind, firstMs, lastMs, count, fired, resolved }) => {
    const startMs = period * periodMs;
    return [
      period,
      kind,
      (firstMs - startMs) / 1000,
      (lastMs - startMs) / 1000,
      count,
      fired,
      resolved,
    ].join();
  });
  return `${[header, ...lines].join('\n')}\n`;
}

/** Reads what `formatPeriods` wrote. Throws RangeError on anything else, naming the line. */
export function parsePeriods(text: string): ObservedPeriod[] {
  const [first, ...lines] = text.trimEnd().split('\n');
  if (first !== header) throw new RangeError(`training data must begin with ${header}`);
  return lines.map((line) => {
    const [period, kind, firstS, lastS, count, fired, resolved, ...rest] = line.split(',');
    const numbers = [period, firstS, lastS, count, fired, resolved].map(Number);
    if (!kind || rest.length > 0 || !numbers.every(Number.isSafeInteger))
      throw new RangeError(`bad line: ${line.slice(0, 200)}`);
    const startMs = numbers[0]! * periodMs;
    return {
      period: numbers[0]!,
      kind,
      firstMs: startMs + numbers[1]! * 1000,
      lastMs: startMs + numbers[2]! * 1000,
      count: numbers[3]!,
      fired: numbers[4]!,
      resolved: numbers[5]!,
    };
  });
}
