import { afterAll, describe, expect, test } from 'vitest';
import { createPoolScorer, loadScoreModel, scoreMatrix, type PoolScorer } from '../../src/score/index.ts';
import { configAt, mondayMs, Scene, alertsAt, dayMs } from './scene.ts';
import { randomBatch } from './random-batch.ts';

const model = await loadScoreModel('builtin');
const pools: PoolScorer[] = [];

function createPool(options: Parameters<typeof createPoolScorer>[0]): PoolScorer {
  const pool = createPoolScorer(options);
  pools.push(pool);
  return pool;
}

afterAll(async () => {
  await Promise.all(pools.map((pool) => pool.close()));
});

function bytesOf(numbers: Float64Array): Buffer {
  return Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength);
}

describe('worker threads', () => {
  test.for([1, 2, 3])('%i of them give what one thread gives, bit for bit', async (workers) => {
    const pool = createPool({ workers, minRowsForWorkers: 1 });
    for (const [seed, rows] of [
      [1, 1],
      [2, 2],
      [3, 33],
      [4, 500],
    ] as const) {
      const { matrix } = randomBatch(seed, rows, model);
      const before = matrix.slice();
      const results = await pool.score(matrix, rows);
      expect(bytesOf(results).equals(bytesOf(scoreMatrix(matrix, rows)))).toBe(true);
      expect(matrix).toEqual(before);
    }
    expect(pool.counts).toEqual({ inlineRows: 0, workerRows: 536, rescoredParts: 0 });
  });

  test('are left out of small batches', async () => {
    const pool = createPool({ workers: 1, minRowsForWorkers: 10 });
    await pool.score(randomBatch(1, 9, null).matrix, 9);
    await pool.score(randomBatch(1, 10, null).matrix, 10);
    expect(pool.counts).toMatchObject({ inlineRows: 9, workerRows: 10 });
  });

  test('are not needed: with none, all is scored on the calling thread', async () => {
    const pool = createPool({ workers: 0, minRowsForWorkers: 1 });
    await pool.score(randomBatch(1, 20, null).matrix, 20);
    expect(pool.counts).toMatchObject({ inlineRows: 20, workerRows: 0 });
  });

  test.for(['dies', 'throws', 'hangs', 'lies'])('one that %s costs time, not results', async (how) => {
    const pool = createPool({
      workers: 2,
      minRowsForWorkers: 1,
      timeoutMs: how === 'hangs' ? 300 : 10_000,
      workerUrl: new URL(`./broken-workers/${how}.ts`, import.meta.url),
    });
    const { matrix } = randomBatch(7, 64, model);
    const results = await pool.score(matrix, 64);
    expect(bytesOf(results).equals(bytesOf(scoreMatrix(matrix, 64)))).toBe(true);
    expect(pool.counts.rescoredParts).toBe(2);
    expect(pool.counts.workerRows).toBe(0);
  });

  test('closed ones are no longer asked', async () => {
    const pool = createPool({ workers: 1, minRowsForWorkers: 1 });
    await pool.close();
    await pool.score(randomBatch(1, 5, null).matrix, 5);
    expect(pool.counts.inlineRows).toBe(5);
  });
});

test('a fold scored by workers concludes the same as one scored inline', async () => {
  const pool = createPool({ workers: 2, minRowsForWorkers: 1 });
  const log = [configAt(mondayMs, {}, model)];
  for (let i = 0; i < 400; i++) {
    const labels = { alertname: `Kind${i % 7}`, instance: `i${i % 31}` };
    log.push(alertsAt(mondayMs + i * (dayMs / 50), [{ labels, isResolved: i % 5 === 4 }]));
  }
  const threaded = await new Scene(pool).scores(log);
  expect(threaded).toEqual(await new Scene().scores(log));
  expect(threaded.filter(({ state }) => state === 'scored').length).toBeGreaterThan(50);
  expect(pool.counts.workerRows).toBeGreaterThan(100);
});
