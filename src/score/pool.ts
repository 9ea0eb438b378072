import { availableParallelism } from 'node:os';
import { Piscina } from 'piscina';
import type { ScoreConfig } from './config.ts';
import { scoreMatrix } from './kernel.ts';
import { resultWidth, rowWidth } from './matrix.ts';
import type { MatrixScorer } from './scorer.ts';

export interface PoolScorerOptions {
  readonly workers: ScoreConfig['workers'];
  /** Smaller batches are scored on the calling thread, and no worker gets fewer rows than this. */
  readonly minRowsForWorkers: number;
  /** A worker that has not answered by then is ended, and its rows are scored on the calling thread. 5,000 unless given. */
  readonly timeoutMs?: number;
  /** The worker's entry point; `workers/score.ts` unless given. */
  readonly workerUrl?: URL;
}

export interface PoolScorerCounts {
  inlineRows: number;
  workerRows: number;
  /** Parts of batches that a worker failed to score and that were scored again on the calling thread. */
  rescoredParts: number;
}

export interface PoolScorer extends MatrixScorer {
  readonly counts: Readonly<PoolScorerCounts>;
  /** Ends the workers. Later calls are scored on the calling thread. */
  close(): Promise<void>;
}

const builtinWorker = new URL('../../workers/score.ts', import.meta.url);

/**
 * Scores large batches in worker threads, cut into parts of whole rows that are transferred as matrices. A part whose
 * worker fails, dies or hangs is scored again on the calling thread: threads change how soon, never what.
 */
export function createPoolScorer(options: PoolScorerOptions): PoolScorer {
  const { minRowsForWorkers, timeoutMs = 5_000, workerUrl = builtinWorker } = options;
  const workers =
    options.workers === 'auto' ? Math.min(4, Math.max(1, availableParallelism() - 1)) : options.workers;
  const counts: PoolScorerCounts = { inlineRows: 0, workerRows: 0, rescoredParts: 0 };
  let pool =
    workers === 0
      ? null
      : new Piscina({
          filename: workerUrl.href,
          minThreads: 0,
          maxThreads: workers,
          idleTimeout: 60_000,
        });

  async function scorePart(running: Piscina, matrix: Float64Array, rows: number): Promise<Float64Array> {
    const part = matrix.slice();
    try {
      const results: unknown = await running.run(
        { matrix: part, rows },
        { transferList: [part.buffer], signal: AbortSignal.timeout(timeoutMs) },
      );
      if (!(results instanceof Float64Array) || results.length !== rows * resultWidth) {
        throw new TypeError('the worker answered with something else than results');
      }
      counts.workerRows += rows;
      return results;
    } catch {
      counts.rescoredParts++;
      return scoreMatrix(matrix, rows);
    }
  }

  return {
    counts,
    async score(matrix, rows) {
      if (!pool || rows < minRowsForWorkers) {
        counts.inlineRows += rows;
        return scoreMatrix(matrix, rows);
      }
      const parts = cutRows(matrix, rows, Math.min(workers, Math.floor(rows / minRowsForWorkers)));
      const running = pool;
      const scored = await Promise.all(parts.map((part) => scorePart(running, part.matrix, part.rows)));
      return join(scored, rows);
    },
    async close() {
      const closing = pool;
      pool = null;
      await closing?.destroy();
    },
  };
}

interface Part {
  readonly matrix: Float64Array;
  readonly rows: number;
}

/** Cuts `rows` rows into `parts` of about the same size, each with a copy of the head in front. */
function cutRows(matrix: Float64Array, rows: number, parts: number): Part[] {
  if (parts <= 1) return [{ matrix, rows }];
  const headLength = matrix[0]!;
  return Array.from({ length: parts }, (_, part) => {
    const from = Math.floor((part * rows) / parts);
    const to = Math.floor(((part + 1) * rows) / parts);
    const cut = new Float64Array(headLength + (to - from) * rowWidth);
    cut.set(matrix.subarray(0, headLength));
    cut.set(matrix.subarray(headLength + from * rowWidth, headLength + to * rowWidth), headLength);
    return { matrix: cut, rows: to - from };
  });
}

function join(parts: readonly Float64Array[], rows: number): Float64Array {
  if (parts.length === 1) return parts[0]!;
  const joined = new Float64Array(rows * resultWidth);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
