import { Table } from '../src/engine/index.ts';
import {
  Baselines,
  behaviourOf,
  column,
  nameKind,
  result,
  RowBatch,
  scoreConfig,
  scoreMatrix,
  type KindState,
} from '../src/score/index.ts';
import type { ObservedPeriod } from './periods.ts';

/** The behaviour of one kind at one moment, as the kernel would compute it, and the row that it came from. */
export interface ObservedBehaviour {
  readonly kind: string;
  readonly timeMs: number;
  readonly features: readonly number[];
  readonly row: Float64Array;
  /** Of a scored period as it ended: what the drift of a model in force is measured on. */
  readonly isEnd: boolean;
  /** It is one of those that centroids and tails are fitted to. */
  readonly isFitted: boolean;
}

/**
 * Runs periods through the baselines of the production stage and returns the behaviour at the moments at which the
 * stage would score: the first firing of a period, and its end. Kinds that are still being learned are left out.
 */
export function observeBehaviours(periods: readonly ObservedPeriod[]): ObservedBehaviour[] {
  const config = scoreConfig.parse({});
  const baselines = new Baselines({ table: (name) => new Table(name) }, config);
  const observed: ObservedBehaviour[] = [];
  for (const { kind: name, firstMs, lastMs, count, fired, resolved } of periods) {
    const labels = ['alertname', name];
    const kind = baselines.recognize(nameKind({ domain: 'training', labels, template: '' }, config), firstMs);
    baselines.openPeriod(kind, firstMs);
    const isKnown = kind.seen >= config.min_samples;
    if (fired > 0) {
      Object.assign(kind, { count: 1, fired: 1, resolved: 0, lastMs: firstMs });
      baselines.markScored(kind, firstMs);
      if (isKnown)
        observed.push({ ...observe(baselines, kind, name, firstMs), isEnd: false, isFitted: true });
    }
    Object.assign(kind, { count, fired, resolved, lastMs });
    // The end of a single alert's period is hardly another behaviour than its beginning, and yet one that a model in force will see.
    if (isKnown && (count > 1 || fired > 0)) {
      observed.push({
        ...observe(baselines, kind, name, lastMs),
        isEnd: fired > 0,
        isFitted: count > 1,
      });
    }
  }
  return observed;
}

function observe(
  baselines: Baselines,
  state: KindState,
  kind: string,
  timeMs: number,
): Omit<ObservedBehaviour, 'isEnd' | 'isFitted'> {
  const batch = new RowBatch(null);
  baselines.writeRow(batch.add(), state, timeMs);
  const row = batch.row(0);
  return { kind, timeMs, features: describeBehaviour(row), row };
}

/** The behaviour features of a row. */
export function describeBehaviour(row: Float64Array): number[] {
  const batch = new RowBatch(null);
  batch.add().set(row);
  const scored = scoreMatrix(batch.matrix, 1);
  const gaps = [...row.subarray(column.gaps, column.gaps + row[column.gapCount]!)];
  return behaviourOf(row, scored[result.usualMedian]!, gaps);
}
