import type { Table } from '../engine/index.ts';
import type { ScoreConfig } from './config.ts';
import { behaviourOf } from './kernel.ts';
import { behaviourFeatures, column, result } from './matrix.ts';
import type { ScoreModel } from './model.ts';

/** What the scored periods of late looked like under the model in force. */
interface DriftState {
  readonly modelHash: string;
  /** Periods by bin of each feature; see `ScoreModel.bins`. */
  readonly features: number[][];
  periods: number;
  /** Of them, those further out than the last point of the model's tail. */
  novel: number;
  /** Periods by surprise: below 0.1, below 0.2, ... */
  readonly surprise: number[];
  /** Since when Tocsin has an alert of its own about it; null while it has none. */
  alertingSinceMs: number | null;
}

/** How well a model fits what comes. */
export interface DriftView {
  /** `unwatched`: the model is generated, of the first version, or watching is turned off; `learning`: too few periods yet. */
  readonly state: 'unwatched' | 'learning' | 'steady' | 'drifting';
  readonly periods: number;
  readonly periodsNeeded: number;
  /** Population stability index by feature, the largest first. Empty without bins. */
  readonly features: readonly { readonly name: string; readonly stabilityIndex: number }[];
  /** Share of behaviours further out than 98 % of the training data; NaN-free: 0 before the first. */
  readonly novelShare: number;
  readonly calibrationError: number;
  /** What is beyond its limit, as sentences with numbers. */
  readonly reasons: readonly string[];
}

const surpriseBins = 10;
/** Beyond it all is halved: what is judged are the last one to two thousand periods. */
const periodLimit = 2000;
const key = 'active';

/** Watches whether the model in force still fits: what comes is compared with what it was trained on. */
export class Drift {
  readonly #states: Table<DriftState>;

  constructor(states: Table<DriftState>) {
    this.#states = states;
  }

  /** Learns a scored period that is over. `scored` is its result. */
  learn(model: ScoreModel, row: Float64Array, scored: Float64Array): void {
    if (!model.bins || Number.isNaN(scored[result.distance]!)) return;
    const state = this.#stateOf(model);
    const gaps = [...row.subarray(column.gaps, column.gaps + row[column.gapCount]!)];
    const features = behaviourOf(row, scored[result.usualMedian]!, gaps);
    for (const [index, counts] of state.features.entries()) {
      counts[binOf(features[index]!, model.bins[index]!.edges)]! += 1;
    }
    const last = model.tail.at(-1)!;
    if (scored[result.distance]! > last[1]) state.novel++;
    const surprise = scored[result.surprise]!;
    state.surprise[Math.min(surpriseBins - 1, Math.floor(surprise * surpriseBins))]! += 1;
    state.periods++;
    if (state.periods >= periodLimit) halve(state);
    this.#states.touch(key);
  }

  /** Forgets what was seen of another model. */
  keepOnly(model: ScoreModel | null): void {
    const state = this.#states.get(key);
    if (state && state.modelHash !== model?.hash) this.#states.delete(key);
  }

  /** Since when there is an alert about it; null while there is none. */
  get alertingSinceMs(): number | null {
    return this.#states.get(key)?.alertingSinceMs ?? null;
  }

  set alertingSinceMs(sinceMs: number | null) {
    const state = this.#states.get(key);
    if (!state) return;
    state.alertingSinceMs = sinceMs;
    this.#states.touch(key);
  }

  view(model: ScoreModel | null, { drift: limits }: ScoreConfig): DriftView {
    const state = this.#states.get(key);
    const bins = model?.bins;
    const isWatched = limits.enabled && model !== null && bins !== undefined && model.generated !== true;
    const seen = state && state.modelHash === model?.hash ? state : null;
    const features =
      seen && bins
        ? seen.features
            .map((counts, index) => ({
              name: behaviourFeatures[index]!,
              stabilityIndex: round(stabilityIndex(counts, bins[index]!.shares)),
            }))
            .sort((a, b) => b.stabilityIndex - a.stabilityIndex)
        : [];
    const novelShare = seen && seen.periods > 0 ? round(seen.novel / seen.periods) : 0;
    const calibrationError = seen ? round(calibrationErrorOf(seen.surprise, seen.periods)) : 0;
    const reasons: string[] = [];
    for (const { name, stabilityIndex } of features) {
      if (stabilityIndex > limits.max_stability_index)
        reasons.push(
          `${name} is spread otherwise than in training: stability index ${stabilityIndex} where at most ${limits.max_stability_index} is allowed`,
        );
    }
    if (novelShare > limits.max_novel_share)
      reasons.push(
        `${percent(novelShare)} of behaviours are further out than 98 % of the training data, where at most ${percent(limits.max_novel_share)} are allowed`,
      );
    if (calibrationError > limits.max_calibration_error)
      reasons.push(
        `surprise is off its calibration by ${calibrationError} where at most ${limits.max_calibration_error} is allowed`,
      );
    const periods = seen?.periods ?? 0;
    const judged = reasons.length > 0 ? 'drifting' : 'steady';
    return {
      state: !isWatched ? 'unwatched' : periods < limits.min_periods ? 'learning' : judged,
      periods,
      periodsNeeded: limits.min_periods,
      features,
      novelShare,
      calibrationError,
      reasons,
    };
  }

  #stateOf({ hash, bins = [] }: ScoreModel): DriftState {
    const known = this.#states.get(key);
    if (known?.modelHash === hash) return known;
    const state: DriftState = {
      modelHash: hash,
      features: bins.map(({ shares }) => shares.map(() => 0)),
      periods: 0,
      novel: 0,
      surprise: Array.from({ length: surpriseBins }, () => 0),
      alertingSinceMs: null,
    };
    this.#states.set(key, state);
    return state;
  }
}

/** The bin of `value`: bin i holds what lies above `edges[i - 1]` and at or below `edges[i]`. */
export function binOf(value: number, edges: readonly number[]): number {
  let bin = 0;
  while (bin < edges.length && value > edges[bin]!) bin++;
  return bin;
}

/**
 * Population stability index of `counts` against `shares`: the sum over bins of `(seen - expected) ln(seen / expected)`, 0 for the same
 * shares. Each bin is taken to hold half a count more, and no expected share is below that of half a count, so that empty bins stay finite.
 */
export function stabilityIndex(counts: readonly number[], shares: readonly number[]): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return 0;
  const all = total + counts.length / 2;
  let index = 0;
  for (const [bin, count] of counts.entries()) {
    const seen = (count + 0.5) / all;
    const expected = (shares[bin]! * total + 0.5) / all;
    index += (seen - expected) * Math.log(seen / expected);
  }
  return index;
}

/** The largest distance between the share of surprises at or above 1 - p and p, over p = 0.1, 0.2, ... */
function calibrationErrorOf(surprise: readonly number[], periods: number): number {
  if (periods === 0) return 0;
  let worst = 0;
  let above = 0;
  for (let bin = surpriseBins - 1; bin > 0; bin--) {
    above += surprise[bin]!;
    worst = Math.max(worst, Math.abs(above / periods - (surpriseBins - bin) / surpriseBins));
  }
  return worst;
}

function halve(state: DriftState): void {
  for (const counts of state.features) for (let i = 0; i < counts.length; i++) counts[i]! /= 2;
  for (let i = 0; i < surpriseBins; i++) state.surprise[i]! /= 2;
  state.novel /= 2;
  state.periods /= 2;
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}

function round(value: number): number {
  return Math.round(value * 1e4) / 1e4;
}
