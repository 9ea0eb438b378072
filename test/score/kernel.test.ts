import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  column,
  loadScoreModel,
  result,
  resultWidth,
  RowBatch,
  rowState,
  rowWidth,
  scoreMatrix,
} from '../../src/score/index.ts';
import { randomBatch } from './random-batch.ts';

function scoreOf(fill: (row: Float64Array) => void): Float64Array {
  const batch = new RowBatch(null);
  fill(batch.add());
  return scoreMatrix(batch.matrix, 1);
}

function known(row: Float64Array, count: number, samples: readonly number[]): void {
  row[column.state] = rowState.known;
  row[column.count] = count;
  row[column.novelty] = 1;
  row[column.gap] = -1;
  row[column.sampleCount] = samples.length;
  row.set(samples, column.samples);
}

/** A known kind that comes once a period, `gap` hours after the last time; `gaps` in hours, too. */
function returning(row: Float64Array, gap: number, gaps: readonly number[]): void {
  known(row, 1, [1, 1, 1, 1, 1]);
  row[column.gap] = logSeconds(gap);
  row[column.gapCount] = gaps.length;
  row.set(gaps.map(logSeconds), column.gaps);
}

function logSeconds(hours: number): number {
  return Math.log2(hours * 3600);
}

function flooding(row: Float64Array): void {
  known(row, 30, [4, 5, 3, 6, 4, 5, 4, 5]);
}

describe('the rate', () => {
  test('is the more surprising the further the count lies above the samples', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 3, maxLength: 32 }),
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 1, max: 200 }),
        (samples, count, more) => {
          const less = scoreOf((row) => known(row, count, samples))[result.surprise]!;
          const greater = scoreOf((row) => known(row, count + more, samples))[result.surprise]!;
          expect(greater).toBeGreaterThanOrEqual(less);
        },
      ),
    );
  });

  test('does not take one outlier among the samples for usual', () => {
    const samples = [4, 5, 3, 6, 4, 5, 500, 4, 5, 4];
    const tail = scoreOf((row) => known(row, 60, samples))[result.rateTail]!;
    // Only the outlier itself was as high: one of eleven.
    expect(tail).toBeCloseTo(1 / 11, 6);
    expect(scoreOf((row) => known(row, 501, samples))[result.rateTail]!).toBeLessThan(1e-6);
  });

  test('never takes a heartbeat as more regular than chance would be', () => {
    const samples = [5, 5, 5, 5, 5, 5, 5, 5];
    expect(scoreOf((row) => known(row, 6, samples))[result.rateTail]!).toBeGreaterThan(0.3);
    expect(scoreOf((row) => known(row, 40, samples))[result.rateTail]!).toBeLessThan(1e-4);
  });
});

describe('the interval', () => {
  test('is odd on both sides', () => {
    const gaps = [20, 24, 23, 25, 24, 24, 26, 24];
    expect(scoreOf((row) => returning(row, 24, gaps))[result.intervalTail]!).toBeGreaterThan(0.5);
    expect(scoreOf((row) => returning(row, 240, gaps))[result.intervalTail]!).toBeLessThan(0.01);
    expect(scoreOf((row) => returning(row, 0.1, gaps))[result.intervalTail]!).toBeLessThan(0.01);
  });

  test('of a kind with two habits is odd for neither', () => {
    const gaps = [24, 0.1, 0.1, 24, 0.1, 24, 24, 24];
    expect(scoreOf((row) => returning(row, 0.1, gaps))[result.intervalTail]!).toBeGreaterThan(0.5);
    expect(scoreOf((row) => returning(row, 24, gaps))[result.intervalTail]!).toBeGreaterThan(0.5);
  });
});

test('components combine as Fisher says: two tails of 0.1 are a tail of 0.056', () => {
  const raw = scoreOf((row) => {
    known(row, 1, []);
    row[column.novelty] = 0.1;
    row[column.gap] = 10;
  })[result.rawTail]!;
  expect(raw).toBeCloseTo(0.1, 12);
  const gaps = [10, 10, 10, 10];
  const results = scoreOf((row) => {
    known(row, 1, []);
    row[column.novelty] = 0.1;
    row[column.gapCount] = gaps.length;
    row.set(gaps, column.gaps);
    // Two-sided logistic tail of 0.1 at 0.5 octaves of spread.
    row[column.gap] = 10 + (0.5 * Math.log(19)) / 1.702;
  });
  expect(results[result.intervalTail]!).toBeCloseTo(0.1, 10);
  // x = -2 ln(0.01); P(chi-squared with 4 degrees > x) = 0.01 (1 - ln 0.01).
  expect(results[result.rawTail]!).toBeCloseTo(0.01 * (1 - Math.log(0.01)), 10);
});

describe('the experience of the domain', () => {
  test('makes a score that is common there unsurprising', () => {
    const alone = scoreOf(flooding)[result.surprise]!;
    const common = scoreOf((row) => {
      flooding(row);
      row[column.tail + 31] = 1000;
      row[column.tailTotal] = 1000;
    })[result.surprise]!;
    const rare = scoreOf((row) => {
      flooding(row);
      row[column.tail] = 1000;
      row[column.tailTotal] = 1000;
    })[result.surprise]!;
    expect(common).toBeLessThan(0.1);
    expect(rare).toBeGreaterThan(alone);
  });
});

/** A row that lies very far out, in a domain whose periods have shown the distances of `bin`. */
async function scoreFarOut(bin: number, weight: number): Promise<Float64Array> {
  const batch = new RowBatch(await loadScoreModel('builtin'));
  const row = batch.add();
  known(row, 1e9, [1, 1, 1, 1, 1, 1, 1, 1]);
  row[column.resolved] = 1e9;
  row[column.distances + bin] = weight;
  return scoreMatrix(batch.matrix, 1);
}

describe('the behaviour', () => {
  test('never says more than the last trained point, however far out', async () => {
    const results = await scoreFarOut(0, 10_000);
    expect(results[result.distance]!).toBeGreaterThan(20);
    expect(results[result.behaviourTail]!).toBeCloseTo(0.02, 12);
  });

  test('is not odd where the domain is like that all the time', async () => {
    const results = await scoreFarOut(15, 10_000);
    expect(results[result.behaviourTail]!).toBe(1);
  });

  test('says nothing before the domain has shown any', async () => {
    const results = await scoreFarOut(0, 0);
    expect(results[result.behaviourTail]!).toBe(1);
  });
});

test('a kind still learned has no surprise, but what is usual is told', () => {
  const results = scoreOf((row) => {
    known(row, 3, [1, 2, 3]);
    row[column.state] = rowState.learning;
  });
  expect(results[result.surprise]).toBeNaN();
  expect(results[result.rawTail]).toBeNaN();
  expect(results[result.usualMedian]).toBe(2);
});

test('any row of plausible numbers gives a surprise in [0, 1], or NaN while learning', async () => {
  const model = await loadScoreModel('builtin');
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 1, max: 20 }), (seed, rows) => {
      const batch = randomBatch(seed, rows, model);
      const results = scoreMatrix(batch.matrix, rows);
      expect(results).toHaveLength(rows * resultWidth);
      for (let row = 0; row < rows; row++) {
        const surprise = results[row * resultWidth + result.surprise]!;
        if (batch.row(row)[column.state] === rowState.learning) expect(surprise).toBeNaN();
        else {
          expect(surprise).toBeGreaterThanOrEqual(0);
          expect(surprise).toBeLessThanOrEqual(1);
        }
      }
    }),
  );
});

test('a matrix is its head and its rows', () => {
  const batch = randomBatch(1, 3, null);
  expect(batch.matrix).toHaveLength(4 + 3 * rowWidth);
});
