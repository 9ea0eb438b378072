import type { Alert } from '../../alert/index.ts';
import type { ConfigEntry, Priority } from '../../incident/index.ts';
import { createInlineScorer, type ScoreModel } from '../../score/index.ts';
import { createPipeline } from '../pipeline.ts';
import { Replay } from '../replay.ts';

/** What another model would have changed. */
export interface ModelComparison {
  readonly pagesBefore: number;
  readonly pagesAfter: number;
  /** Pages that an incident or group would have got more, and fewer, by receiver. */
  readonly gained: readonly PageDifference[];
  readonly lost: readonly PageDifference[];
  readonly priorities: readonly {
    readonly incidentId: string;
    readonly title: string;
    readonly before: Priority;
    readonly after: Priority;
  }[];
}

export interface PageDifference {
  /** The incident, or the key of the group where a route does not page by incident. */
  readonly of: string;
  readonly receiver: string;
  readonly before: number;
  readonly after: number;
}

interface Told {
  readonly pages: ReadonlyMap<string, number>;
  readonly priorities: ReadonlyMap<string, { readonly title: string; readonly priority: Priority }>;
}

const settleMs = 3_600_000;

/** Folds the same alerts under both models, which null stands for none, and compares whom they page. Everything else is the same in both. */
export async function compareModels(
  alerts: readonly Alert[],
  config: ConfigEntry['payload'],
  before: ScoreModel | null,
  after: ScoreModel | null,
): Promise<ModelComparison> {
  const [a, b] = [
    await tell(alerts, { ...config, model: before }),
    await tell(alerts, { ...config, model: after }),
  ];
  const differences = [...new Set([...a.pages.keys(), ...b.pages.keys()])].map((key): PageDifference => {
    const [of = '', receiver = ''] = JSON.parse(key) as string[];
    return { of, receiver, before: a.pages.get(key) ?? 0, after: b.pages.get(key) ?? 0 };
  });
  return {
    pagesBefore: sum(a.pages),
    pagesAfter: sum(b.pages),
    gained: differences.filter(({ before, after }) => after > before),
    lost: differences.filter(({ before, after }) => after < before),
    priorities: [...b.priorities].flatMap(([incidentId, { title, priority }]) => {
      const was = a.priorities.get(incidentId);
      return was && was.priority !== priority
        ? [{ incidentId, title, before: was.priority, after: priority }]
        : [];
    }),
  };
}

async function tell(alerts: readonly Alert[], config: ConfigEntry['payload']): Promise<Told> {
  const pages = new Map<string, number>();
  const pipeline = createPipeline({ scorer: createInlineScorer(), withHistory: false });
  const run = new Replay(pipeline, {
    config: JSON.parse(JSON.stringify(config)) as ConfigEntry['payload'],
    wantsAssignments: false,
    settleMs,
    onFrames(frames) {
      for (const { incidentId, groupKey, receiver } of frames.flatMap(({ flow }) => flow.pages)) {
        const key = JSON.stringify([incidentId ?? groupKey, receiver]);
        pages.set(key, (pages.get(key) ?? 0) + 1);
      }
    },
  });
  await run.push(
    alerts,
    alerts.map((_, index) => index),
  );
  await run.finish();
  const priorities = new Map(
    run.incidents().map(({ id, title, priority }) => [id, { title, priority }] as const),
  );
  return { pages, priorities };
}

function sum(pages: ReadonlyMap<string, number>): number {
  return pages.values().reduce((total, count) => total + count, 0);
}
