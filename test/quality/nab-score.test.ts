import { describe, expect, test } from 'vitest';
import { probationRows, scoreCorpus, weighRows, type LabelledSeries } from '../../quality/nab-score.ts';

const costs = { tpWeight: 1, fnWeight: 1, fpWeight: 0.11 };

/** 200 rows a minute apart with one window from row 100 to 119. */
const series: LabelledSeries = {
  name: 'a/b.csv',
  timesMs: Array.from({ length: 200 }, (_, i) => i * 60_000),
  values: Array.from({ length: 200 }, () => 0),
  windows: [[100 * 60_000, 119 * 60_000]],
};

function flag(...rows: number[]): Float64Array {
  const scores = new Float64Array(200);
  for (const row of rows) scores[row] = 1;
  return scores;
}

describe('the rules of NAB', () => {
  test('the first row of a window earns everything, nothing flagged earns nothing', () => {
    expect(scoreCorpus([series], [flag(100)], costs)).toMatchObject({
      score: 100,
      windowsHit: 1,
      falseRows: 0,
    });
    expect(scoreCorpus([series], [flag()], costs)).toMatchObject({
      score: 0,
      windowsHit: 0,
      threshold: Infinity,
    });
  });

  test('a later row earns less, and more rows of the same window nothing more', () => {
    // Half of the window is left: (2 / (1 + e^-2.5) - 1) / (2 / (1 + e^-5) - 1), scaled from -1..1 to 0..100.
    const half = 0.8482836399575129 / 0.9866142981514303;
    expect(scoreCorpus([series], [flag(110)], costs).score).toBeCloseTo((100 * (half + 1)) / 2, 9);
    expect(scoreCorpus([series], [flag(110, 111, 112)], costs).score).toBeCloseTo((100 * (half + 1)) / 2, 9);
  });

  test('a row far outside costs its full weight, one right behind the window less, one in probation nothing', () => {
    expect(scoreCorpus([series], [flag(50, 100)], costs).score).toBeCloseTo(100 * (1 - 0.11 / 2), 9);
    // Row 120 is one row behind a window of twenty: 1/19 of its width.
    const near = 2 / (1 + Math.exp(5 / 19)) - 1;
    expect(scoreCorpus([series], [flag(100, 120)], costs).score).toBeCloseTo(
      100 * (1 + (0.11 * near) / 2),
      9,
    );
    expect(probationRows(200)).toBe(30);
    expect(scoreCorpus([series], [flag(29, 100)], costs).score).toBe(100);
    expect(probationRows(10_000)).toBe(750);
  });

  test('one threshold serves all series', () => {
    const loud = flag(100).map((score) => score / 2);
    loud[50] = 0.8;
    const both = scoreCorpus([series, series], [flag(100), loud], costs);
    // At 0.5 both windows are hit and one row is false.
    expect(both).toMatchObject({ threshold: 0.5, windowsHit: 2, windows: 2, falseRows: 1 });
    expect(both.score).toBeCloseTo(100 * (1 - 0.11 / 4), 9);
  });

  test('rows of the same score are flagged together', () => {
    const scores = flag(100, ...Array.from({ length: 60 }, (_, i) => 31 + i));
    expect(scoreCorpus([series], [scores], costs).score).toBe(0);
  });

  test('rows more than three widths behind a window cost in full', () => {
    const { weights } = weighRows(series);
    expect(weights[119 + 57]).toBeCloseTo(-1, 3);
    expect(weights[119 + 58]).toBe(-1);
    expect(weights[99]).toBe(-1);
  });
});
