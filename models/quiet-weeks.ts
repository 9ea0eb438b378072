import { periodMs, type ObservedPeriod } from './periods.ts';

const hourMs = 3_600_000;
const periodsPerDay = 288;

/** Numbers that look random and are the same for the same seed, on any machine. */
export interface Dice {
  /** In [0, 1). */
  next(): number;
  /** A whole number in [from, to]. */
  between(from: number, to: number): number;
  /** Poisson-distributed with the given mean (Knuth's method; for means below about 100). */
  poisson(mean: number): number;
}

/** Dice from a 32-bit seed (Mulberry32). */
export function createDice(seed: number): Dice {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  return {
    next,
    between: (from, to) => from + Math.floor(next() * (to - from + 1)),
    poisson(mean) {
      const limit = Math.exp(-mean);
      let count = 0;
      for (let product = next(); product > limit; product *= next()) count++;
      return count;
    },
  };
}

/** How a kind behaves in one period: null when it is silent. */
type Pattern = (period: number, dice: Dice) => { count: number; fired: number; resolved: number } | null;

export interface QuietWeeksOptions {
  readonly seed: number;
  /** Start, milliseconds since the epoch. */
  readonly fromMs: number;
  readonly weeks: number;
}

/**
 * The alert stream of a domain in which nothing out of the ordinary happens: heartbeats that are resent, errors that
 * follow office hours, flapping checks, nightly jobs, deploy bursts, and kinds that come once in days.
 */
export function generateQuietWeeks({ seed, fromMs, weeks }: QuietWeeksOptions): ObservedPeriod[] {
  const dice = createDice(seed);
  const kinds = createKinds(dice);
  const first = Math.floor(fromMs / periodMs);
  const periods: ObservedPeriod[] = [];
  for (let period = first; period < first + weeks * 7 * periodsPerDay; period++) {
    for (const [kind, pattern] of kinds) {
      const shown = pattern(period, dice);
      if (!shown) continue;
      const startMs = period * periodMs;
      // One alert can come at any moment; of many the first comes early and the last late.
      const firstMs = startMs + 1000 * dice.between(0, Math.floor(299 / shown.count));
      const lastMs =
        shown.count === 1
          ? firstMs
          : startMs + 1000 * dice.between(Math.floor((firstMs - startMs) / 1000), 299);
      periods.push({ period, kind, firstMs, lastMs, ...shown });
    }
  }
  return periods;
}

function createKinds(dice: Dice): [string, Pattern][] {
  return [
    ['heartbeat-5m', steady(1, 1)],
    ['heartbeat-30m', steady(6, dice.between(2, 4))],
    ['resent-1h', steady(12, dice.between(8, 20))],
    ...numbered('office', 4, () => officeHours(0.15 + dice.next() * 0.8)),
    ...numbered('flapping', 4, () => flapping(1 + dice.next() * 2)),
    ...numbered('nightly', 2, () => nightly(dice.between(0, 5))),
    ...numbered('deploy', 3, () => bursts(0.5 + dice.next(), 6 + dice.next() * 25)),
    ...numbered('sporadic', 4, () => sporadic(1 + dice.next() * 5)),
    ...numbered('rare', 4, () => sporadic(0.15 + dice.next() * 0.4)),
  ];
}

function numbered(name: string, count: number, create: () => Pattern): [string, Pattern][] {
  return Array.from({ length: count }, (_, index) => [`${name}-${index + 1}`, create()]);
}

function steady(every: number, count: number): Pattern {
  return (period, dice) =>
    period % every === 0 ? { count: count + (dice.next() < 0.05 ? 1 : 0), fired: 0, resolved: 0 } : null;
}

function officeHours(peak: number): Pattern {
  return (period, dice) => {
    const hour = Math.floor((period * periodMs) / hourMs);
    const isWeekend = (hour / 24 + 3) % 7 >= 5;
    const daylight = Math.max(0, Math.sin(((hour % 24) - 6) * (Math.PI / 14)));
    const fired = dice.poisson(peak * (isWeekend ? 0.2 : 1) * (0.03 + daylight));
    if (fired === 0) return null;
    return { count: fired + dice.poisson(fired * 0.7), fired, resolved: dice.between(0, fired) };
  };
}

function flapping(episodesPerDay: number): Pattern {
  let left = 0;
  return (_period, dice) => {
    if (left === 0 && dice.next() < episodesPerDay / periodsPerDay) left = dice.between(3, 12);
    if (left === 0) return null;
    left--;
    const fired = dice.between(2, 6);
    return { count: fired + dice.between(0, 2), fired, resolved: Math.max(1, fired - dice.between(0, 1)) };
  };
}

function nightly(hour: number): Pattern {
  return (period, dice) => {
    const minute = ((period * periodMs) / 60_000) % 1440;
    if (minute !== hour * 60 + 5 || dice.next() < 0.1) return null;
    const fired = dice.between(2, 5);
    return { count: fired, fired, resolved: 0 };
  };
}

function bursts(perDay: number, size: number): Pattern {
  return (_period, dice) => {
    if (dice.next() >= perDay / periodsPerDay) return null;
    const fired = 1 + dice.poisson(size * (0.4 + dice.next()));
    return { count: fired, fired, resolved: dice.between(0, fired) };
  };
}

function sporadic(perDay: number): Pattern {
  return (_period, dice) => {
    if (dice.next() >= perDay / periodsPerDay) return null;
    const fired = 1 + dice.poisson(0.3);
    return { count: fired + dice.poisson(0.5), fired, resolved: dice.between(0, 1) };
  };
}
