import type { Reason } from '../../incident/index.ts';
import { seriesResult } from './bank.ts';
import { leastPointsToScore } from './calibration.ts';
import type { SeriesFeature } from './features.ts';
import { judgements } from './settings.ts';

const reasonLimit = 3;
/** Less than this is no reason, in nats: one point in seven has as much. */
const leastEvidence = 2;

/**
 * Why a point got its score, strongest first, three at most, from its result alone: what each feature was, and what it
 * usually is. The value itself is always among them. `weight` is the feature's own surprise, 0..1.
 */
export function explainPoint(results: Float64Array, at = 0): Reason[] {
  if (Number.isNaN(results[at + seriesResult.surprise]!)) return [explainLearning(results, at)];
  const judged = judgements
    .map(({ feature }, i) => ({ feature, i, evidence: results[at + seriesResult.evidence + i]! }))
    .sort((a, b) => b.evidence - a.evidence);
  const strong = judged.filter(({ evidence }) => evidence >= leastEvidence).slice(0, reasonLimit);
  if (!strong.some(({ feature }) => feature === 'value')) {
    strong.splice(reasonLimit - 1);
    strong.push(judged.find(({ feature }) => feature === 'value')!);
  }
  const goesOn = results[at + seriesResult.isNews] === 0 && strong[0]!.evidence >= leastEvidence;
  return strong.map(({ feature, i, evidence }, rank) => ({
    stage: 'score',
    code: feature,
    text:
      texts[feature]({
        now: results[at + seriesResult.feature + i]!,
        low: results[at + seriesResult.low + i]!,
        high: results[at + seriesResult.high + i]!,
        hour: results[at + seriesResult.hour]!,
        evidence,
      }) + (goesOn && rank === 0 ? ', no news' : ''),
    weight: Math.round((1 - Math.exp(-evidence)) * 1e4) / 1e4,
  }));
}

function explainLearning(results: Float64Array, at: number): Reason {
  const points = results[at + seriesResult.points]!;
  return {
    stage: 'score',
    code: 'learning',
    text: `still learning: ${points} of the ${leastPointsToScore} points needed`,
  };
}

interface Told {
  readonly now: number;
  readonly low: number;
  readonly high: number;
  readonly hour: number;
  readonly evidence: number;
}

const texts: Record<SeriesFeature, (told: Told) => string> = {
  value: ({ now, low, high, evidence }) =>
    now > low && now < high && evidence >= leastEvidence
      ? `value ${formatNumber(now)}, seldom met although within the usual ${formatRange(low, high)}`
      : `value ${formatNumber(now)}, usual ${formatRange(low, high)}`,
  drift: ({ now, low, high }) =>
    `the last 30 points ${formatSigned(now)} against the last 500, usual ${formatRange(low, high, formatSigned)}`,
  daily: ({ now, low, high, hour }) =>
    `${formatSigned(now)} against the days before at ${String(hour).padStart(2, '0')}:00 UTC, ` +
    `usual ${formatRange(low, high, formatSigned)}`,
  activity: ({ now, low, high }) =>
    `moves ${formatRatio(now)} as much as usual, else ${formatRange(low, high, formatRatio)}`,
};

function formatRange(low: number, high: number, format = formatNumber): string {
  const [from, to] = [format(low), format(high)];
  return from === to ? from : `${from} to ${to}`;
}

/** Three digits where they tell something. */
function formatNumber(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e15 || (size > 0 && size < 1e-6)) return value.toExponential(2);
  if (size >= 100) return String(Math.round(value));
  return String(Number(value.toPrecision(3)));
}

function formatSigned(value: number): string {
  return `${value > 0 ? '+' : ''}${formatNumber(value)}`;
}

/** Of the logarithm of a ratio. */
function formatRatio(log: number): string {
  return `${Number(Math.exp(log).toPrecision(2))}x`;
}
