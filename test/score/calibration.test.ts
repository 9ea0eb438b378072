import { expect, test } from 'vitest';
import { labelValue } from '../../src/alert/index.ts';
import type { LogEntry } from '../../src/incident/index.ts';
import { loadScoreModel } from '../../src/score/index.ts';
import { createDice, type Dice } from '../../models/quiet-weeks.ts';
import { alertsAt, configAt, dayMs, minuteMs, mondayMs, Scene, type Report } from './scene.ts';

const weeks = 6;
const periodMs = 5 * minuteMs;

/** Alerts of one kind in a period, by pattern: a mean that follows the day, office hours, or bursts with a heavy tail. */
const patterns: readonly ((hour: number, day: number, dice: Dice) => number)[] = [
  (_hour, _day, dice) => dice.poisson(0.08),
  (hour, _day, dice) => dice.poisson(0.25 * (1 + Math.sin((hour / 12) * Math.PI))),
  (hour, day, dice) => dice.poisson(day < 5 && hour >= 8 && hour < 18 ? 0.8 : 0.02),
  (_hour, _day, dice) => (dice.next() < 0.03 ? dice.poisson(1 + 12 * dice.next() ** 3) : 0),
  (_hour, _day, dice) => (dice.next() < 0.01 ? 1 : 0),
];

/** Six weeks in which nothing is out of the ordinary: 10 kinds, alerts that fire at their rates and resolve in the next period. */
function createQuietLog(seed: number): LogEntry[] {
  const dice = createDice(seed);
  const entries: LogEntry[] = [];
  let firing: Report[] = [];
  for (let timeMs = mondayMs; timeMs < mondayMs + weeks * 7 * dayMs; timeMs += periodMs) {
    const reports: Report[] = firing.map(({ labels }) => ({ labels, isResolved: true }));
    firing = [];
    const day = Math.floor(timeMs / dayMs + 3) % 7;
    const hour = Math.floor(timeMs / 3_600_000) % 24;
    const first = dice.between(0, 9);
    for (let turn = 0; turn < 10; turn++) {
      const kind = (first + turn * 3) % 10;
      const count = patterns[kind % patterns.length]!(hour, day, dice);
      for (let i = 0; i < count; i++) {
        firing.push({ labels: { alertname: `Kind${kind}`, service: 'shop', instance: `i${i}` } });
      }
    }
    reports.push(...firing);
    if (reports.length > 0) entries.push(alertsAt(timeMs + dice.between(0, 299) * 1000, reports));
  }
  return entries;
}

test.for(['none', 'builtin'])(
  'of the periods of a quiet stream about a share p exceeds 1 - p, with model %s',
  async (name) => {
    // Measured with the model: 0.520, 0.203, 0.098, 0.047 and 0.011 of 5,976 periods beyond 0.5, 0.8, 0.9, 0.95 and 0.99.
    const model = await loadScoreModel(name);
    const scene = new Scene();
    await scene.apply([configAt(mondayMs, {}, model)]);
    const entries = createQuietLog(11);
    const scores: number[] = [];
    for (const frame of await scene.apply(entries)) {
      if (frame.timeMs < mondayMs + 3 * 7 * dayMs) continue;
      const byKind = new Map<string, number>();
      const kindOf = new Map(
        frame.flow.signalChanges.map(({ signal }) => [signal.id, labelValue(signal.labels, 'alertname')]),
      );
      for (const { signalId, surprise } of frame.flow.scores) {
        if (surprise !== null) byKind.set(kindOf.get(signalId)!, surprise);
      }
      scores.push(...byKind.values());
    }
    expect(scores.length).toBeGreaterThan(5000);
    for (const [p, tolerance] of [
      [0.5, 0.1],
      [0.2, 0.15],
      [0.1, 0.15],
      [0.05, 0.25],
      [0.01, 0.6],
    ] as const) {
      const share = scores.filter((surprise) => surprise > 1 - p).length / scores.length;
      expect(Math.abs(share / p - 1), `${share} of the scores exceed ${1 - p}`).toBeLessThan(tolerance);
    }
  },
);
