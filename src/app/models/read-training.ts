import { readFile } from 'node:fs/promises';
import { TocsinError } from '../../engine/index.ts';
import { HistoryReader, openHistory } from '../../history/index.ts';
import { parsePeriods, periodKind, periodMs, type ObservedPeriod } from '../../../models/periods.ts';
import type { TocsinConfig } from '../config-schema.ts';
import { historyOptions } from '../history-parts.ts';
import { readRecorded } from '../recorded.ts';
import { createConfigPayload } from '../scorer.ts';
import { collectPeriods } from './collect-periods.ts';

/** What a model is trained on, and what it is called there. */
export interface TrainingData {
  readonly periods: readonly ObservedPeriod[];
  readonly data: string;
  readonly badLineCount: number;
}

const dayMs = 86_400_000;

/**
 * Reads training data: the `training.csv` of a model, or alerts in NDJSON, which are folded as the server would.
 * Rejects with TOC_TRAINING_UNREADABLE.
 */
export async function readTrainingFile(
  file: string,
  config: TocsinConfig,
  configFile: string | undefined,
): Promise<TrainingData> {
  const data = file;
  try {
    if (file.endsWith('.csv'))
      return { periods: parsePeriods(await readFile(file, 'utf8')), data, badLineCount: 0 };
    const { alerts, badLineCount } = await readRecorded(file, config, true);
    const payload = await createConfigPayload(config, configFile);
    return {
      periods: await collectPeriods(alerts, config, payload, () => undefined),
      data,
      badLineCount,
    };
  } catch (cause) {
    if (cause instanceof TocsinError) throw cause;
    throw new TocsinError('TOC_TRAINING_UNREADABLE', `cannot read training data from ${file}`, { cause });
  }
}

/**
 * Reads what came in over the last `days` before `nowMs` from the history that the configuration names. Alerts without a name are left out,
 * and a report of which the history counted several into one row counts at the time of the last.
 * Rejects with TOC_HISTORY_UNAVAILABLE, as when a running Tocsin holds the folder of the embedded engine.
 */
export async function readTrainingHistory(
  config: TocsinConfig,
  days: number,
  nowMs: number,
): Promise<TrainingData> {
  const { database, missing } = await openHistory(historyOptions(config.history, config.storage.path));
  if (!database) throw new TocsinError('TOC_HISTORY_UNAVAILABLE', `there is no history: ${missing}`);
  try {
    const activity = await new HistoryReader(database).activity(nowMs - days * dayMs, periodMs);
    const periods = activity.map(
      ({ period, domain, service, name, firstMs, lastMs, reports, fired, resolved }) => ({
        period,
        kind: periodKind(domain, service, name),
        firstMs: wholeSecond(firstMs),
        lastMs: wholeSecond(lastMs),
        count: reports,
        fired,
        resolved,
      }),
    );
    return { periods, data: 'history', badLineCount: 0 };
  } finally {
    await database.close();
  }
}

function wholeSecond(timeMs: number): number {
  return Math.floor(timeMs / 1000) * 1000;
}
