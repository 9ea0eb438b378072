import { createDice, type Dice } from '../models/quiet-weeks.ts';
import type { LabelledSeries } from './nab-score.ts';

const stepMs = 300_000;
const perDay = 288;
const startMs = 1_767_571_200_000;
const seriesPerKind = 6;

/** One kind of series: what it is at point `i`, and what happens from point `at` on while something is wrong. */
interface Kind {
  readonly usual: (i: number, dice: Dice) => number;
  readonly wrong: (i: number, dice: Dice, usual: number) => number;
  readonly points: number;
}

const isDay = (i: number) => i % perDay >= 96 && i % perDay < 216;
const weekday = (i: number) => Math.floor(i / perDay) % 7;
const swing = (i: number) => Math.sin((2 * Math.PI * (i % perDay)) / perDay);

/** What monitoring sees: loads, latencies, traffic, counts; with spikes, shifts, gaps, new variance. */
const kinds: Record<string, Kind> = {
  'cpu noise, spike': {
    usual: (_, dice) => 2 + 0.1 * normal(dice),
    wrong: (_, dice) => 3 + 0.3 * normal(dice),
    points: 6,
  },
  'cpu noise, level shift': {
    usual: (_, dice) => 40 + 2 * normal(dice),
    wrong: (_, dice) => 60 + 2 * normal(dice),
    points: 400,
  },
  'daily load, peak missing': {
    usual: (i, dice) => (isDay(i) ? 80 : 20) + 3 * normal(dice),
    wrong: (_, dice) => 20 + 3 * normal(dice),
    points: 288,
  },
  'daily load, half a peak': {
    usual: (i, dice) => (isDay(i) ? 80 : 20) + 3 * normal(dice),
    wrong: (i, dice) => (isDay(i) ? 50 : 20) + 3 * normal(dice),
    points: 288,
  },
  'requests, outage': {
    usual: (i, dice) => dice.poisson((weekday(i) < 5 ? 60 : 30) * (1.2 + swing(i))),
    wrong: (_, dice) => dice.poisson(0.5),
    points: 12,
  },
  'mentions, burst': {
    usual: (i, dice) => dice.poisson(8 * (1.3 + swing(i)) * Math.exp(0.4 * normal(dice))),
    wrong: (_, dice) => dice.poisson(150),
    points: 15,
  },
  'latency, more variance': {
    usual: (_, dice) => 45 * Math.exp(0.05 * normal(dice)),
    wrong: (_, dice) => 45 * Math.exp(0.3 * normal(dice)),
    points: 60,
  },
  'jobs, many at once': {
    usual: (_, dice) => (dice.next() < 0.01 ? 60 + 5 * normal(dice) : 1 + 0.1 * normal(dice)),
    wrong: (_, dice) => (dice.next() < 0.4 ? 60 + 5 * normal(dice) : 1 + 0.1 * normal(dice)),
    points: 120,
  },
};

/** Six series a kind, two weeks of five-minute points each, with one or two windows of together a tenth of the series. */
export function generateCorpus(seed: number): LabelledSeries[] {
  return Object.entries(kinds).flatMap(([name, kind]) =>
    Array.from({ length: seriesPerKind }, (_, index) =>
      generateSeries(`${name}/${index}`, kind, seed + index),
    ),
  );
}

function generateSeries(name: string, { usual, wrong, points }: Kind, seed: number): LabelledSeries {
  const dice = createDice(seed * 101 + name.length);
  const rows = 14 * perDay;
  const count = 1 + (seed % 2);
  const width = Math.floor(rows / 10 / count);
  const starts = Array.from({ length: count }, (_, i) => {
    const day = 3 + dice.between(0, 2) + i * 5;
    return day * perDay + (points >= perDay ? 0 : dice.between(0, perDay - 1));
  });
  const values = Array.from({ length: rows }, (_, i) => {
    const value = usual(i, dice);
    return starts.some((start) => i >= start && i < start + points) ? wrong(i, dice, value) : value;
  });
  const timesMs = values.map((_, i) => startMs + i * stepMs);
  // As in NAB a window lies around the beginning of what is wrong.
  const windows = starts.map((start): [number, number] => {
    const from = Math.max(0, start - Math.floor(width / 2));
    return [timesMs[from]!, timesMs[Math.min(rows - 1, from + width)]!];
  });
  return { name, timesMs, values, windows };
}

function normal(dice: Dice): number {
  return Math.sqrt(-2 * Math.log(1 - dice.next())) * Math.cos(2 * Math.PI * dice.next());
}
