/**
 * The scoring rules of the Numenta Anomaly Benchmark 1.1 (Lavin and Ahmad 2015, https://github.com/numenta/NAB): detections
 * are rewarded once a window, the earlier the more, and each row that is flagged outside of windows costs, the further behind
 * the last window the more. The first rows of a series are probation. One threshold is chosen for a whole corpus.
 */

/** A series with the windows in which something is labelled as out of the ordinary, as times of its rows. */
export interface LabelledSeries {
  readonly name: string;
  readonly timesMs: readonly number[];
  readonly values: readonly number[];
  readonly windows: readonly (readonly [fromMs: number, toMs: number])[];
}

/** What a profile charges for each kind of mistake. */
export interface NabCosts {
  readonly tpWeight: number;
  readonly fnWeight: number;
  readonly fpWeight: number;
}

export interface NabScore {
  /** 0 for flagging nothing, 100 for flagging the first row of each window and nothing else. */
  readonly score: number;
  readonly threshold: number;
  readonly windowsHit: number;
  readonly windows: number;
  readonly falseRows: number;
}

/** Rows of a series that are not scored. */
export function probationRows(rows: number): number {
  return Math.min(Math.floor(0.15 * rows), 750);
}

/** The scaled sigmoid of the position relative to a window: 0 at its end, towards -1 behind it. */
function sigmoid(position: number): number {
  return 2 / (1 + Math.exp(5 * position)) - 1;
}

interface RowWeights {
  /** What flagging the row brings (in a window) or costs, at weight 1. */
  readonly weights: Float64Array;
  /** Index of the window that the row lies in, -1 for none. */
  readonly windowOf: Int32Array;
}

/** What each row brings or costs if it is flagged. */
export function weighRows({ timesMs, windows }: LabelledSeries): RowWeights {
  const weights = new Float64Array(timesMs.length).fill(-1);
  const windowOf = new Int32Array(timesMs.length).fill(-1);
  const bounds = windows.map(([fromMs, toMs]) => ({
    first: timesMs.indexOf(fromMs),
    last: timesMs.indexOf(toMs),
  }));
  bounds.forEach(({ first, last }, window) => {
    const width = last - first + 1;
    for (let row = first; row <= last; row++) {
      windowOf[row] = window;
      weights[row] = sigmoid(-(last - row + 1) / width) / sigmoid(-1);
    }
    const next = bounds[window + 1]?.first ?? timesMs.length;
    for (let row = last + 1; row < next; row++) {
      const position = (row - last) / (width - 1);
      weights[row] = position > 3 ? -1 : sigmoid(position);
    }
  });
  return { weights, windowOf };
}

/** The best score of a corpus over all thresholds; of rows with the same score all are flagged or none. */
export function scoreCorpus(
  corpus: readonly LabelledSeries[],
  scores: readonly ArrayLike<number>[],
  costs: NabCosts,
): NabScore {
  const rows: { score: number; weight: number; window: number }[] = [];
  let windows = 0;
  corpus.forEach((series, index) => {
    const { weights, windowOf } = weighRows(series);
    for (let row = probationRows(weights.length); row < weights.length; row++) {
      const window = windowOf[row]! < 0 ? -1 : windows + windowOf[row]!;
      rows.push({ score: scores[index]![row]!, weight: weights[row]!, window });
    }
    windows += series.windows.length;
  });
  rows.sort((a, b) => b.score - a.score);

  const earned = new Float64Array(windows).fill(-costs.fnWeight);
  const nothing = -costs.fnWeight * windows;
  let raw = nothing;
  let falseRows = 0;
  let windowsHit = 0;
  let best = { raw, threshold: Number.POSITIVE_INFINITY, windowsHit, falseRows };
  for (const [at, { score, weight, window }] of rows.entries()) {
    if (window < 0) {
      raw += weight * costs.fpWeight;
      falseRows++;
    } else {
      if (earned[window] === -costs.fnWeight) windowsHit++;
      const gain = weight * costs.tpWeight - earned[window]!;
      if (gain > 0) {
        raw += gain;
        earned[window]! += gain;
      }
    }
    if (raw > best.raw && rows[at + 1]?.score !== score)
      best = { raw, threshold: score, windowsHit, falseRows };
  }
  return {
    score: (100 * (best.raw - nothing)) / (costs.tpWeight * windows - nothing),
    threshold: best.threshold,
    windowsHit: best.windowsHit,
    windows,
    falseRows: best.falseRows,
  };
}
