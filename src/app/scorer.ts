import { dirname } from 'node:path';
import { shownConfig } from './shown-config.ts';
import type { ConfigEntry } from '../incident/index.ts';
import { createInlineScorer, createPoolScorer, loadScoreModel, type MatrixScorer } from '../score/index.ts';
import type { TocsinConfig } from './config-schema.ts';

export interface RunningScorer {
  readonly scorer: MatrixScorer;
  readonly stop: () => Promise<void>;
}

/** Starts the worker threads that the configuration asks for; none with `score.workers: 0`. */
export function startScorer({ score }: TocsinConfig): RunningScorer {
  if (score.workers === 0) return { scorer: createInlineScorer(), stop: async () => undefined };
  const pool = createPoolScorer({ workers: score.workers, minRowsForWorkers: score.min_rows_for_workers });
  return { scorer: pool, stop: () => pool.close() };
}

/** Sections that say where a process stores, listens and connects, which may differ from one to the next. */
const ofProcess: ReadonlySet<string> = new Set<keyof TocsinConfig>([
  'alertmanager',
  'cluster',
  'fleet',
  'history',
  'nats',
  'server',
  'storage',
]);

/**
 * What the config entry of the log holds: the sections that the fold reads and the model that they name, so that it reads no file. Secrets stay out
 * of it.
 * `configFile` is where relative paths start from. Rejects with TOC_MODEL_UNREADABLE or TOC_MODEL_MISMATCH.
 */
export async function createConfigPayload(
  config: TocsinConfig,
  configFile?: string,
): Promise<ConfigEntry['payload']> {
  const model = await loadScoreModel(
    config.score.model,
    configFile === undefined ? '.' : dirname(configFile),
  );
  const folded = Object.entries(shownConfig(config)).filter(([section]) => !ofProcess.has(section));
  // The rest of that section is about the database.
  const { repeat_interval } = config.history;
  // Through JSON, so that what is folded live is what will be read back.
  return JSON.parse(
    JSON.stringify({ ...Object.fromEntries(folded), history: { repeat_interval }, model }),
  ) as ConfigEntry['payload'];
}
