import { fingerprint, labelsOf, type Alert } from '../src/alert/index.ts';
import { requireConfig } from '../src/app/config-file.ts';
import { createPipeline } from '../src/app/pipeline.ts';
import type { Assignment, ReplayedPage } from '../src/app/ledger.ts';
import { Replay } from '../src/app/replay.ts';
import { createConfigPayload, startScorer } from '../src/app/scorer.ts';
import type { Incident } from '../src/incident/index.ts';

/** What the production fold makes of recorded alerts. `assignments[i]` is that of the i-th alert. */
export interface Replayed {
  readonly assignments: readonly Assignment[];
  readonly pages: readonly ReplayedPage[];
  readonly incidents: ReadonlyMap<string, Incident>;
  readonly seconds: number;
}

/**
 * Does what `tocsin replay --assignments` does, under the default configuration with the sections of `sections`. The alerts must be in the
 * order of their times.
 */
export async function replayAlerts(
  alerts: readonly Alert[],
  sections: Readonly<Record<string, unknown>> = {},
): Promise<Replayed> {
  const { config } = await requireConfig({});
  const { scorer, stop } = startScorer(config);
  const run = new Replay(createPipeline({ scorer, withHistory: false }), {
    config: { ...(await createConfigPayload(config)), ...sections },
    wantsAssignments: true,
    settleMs: 600_000,
  });
  const startedAtMs = performance.now();
  try {
    for (let start = 0; start < alerts.length; start += 8192) {
      const part = alerts.slice(start, start + 8192);
      await run.push(
        part,
        part.map((_, i) => start + i),
      );
    }
    await run.finish();
  } finally {
    await stop();
  }
  return {
    assignments: run.assignments(),
    pages: run.pages(),
    incidents: new Map(run.incidents().map((incident) => [incident.id, incident])),
    seconds: (performance.now() - startedAtMs) / 1000,
  };
}

/** An alert as a line of a recording gives it that names no end. */
export function alertAt(names: Readonly<Record<string, string>>, summary: string, timeMs: number): Alert {
  const labels = labelsOf(names);
  return {
    fingerprint: fingerprint(labels),
    domain: 'default',
    labels,
    annotations: labelsOf({ summary }),
    startsAtMs: timeMs,
    endsAtMs: timeMs + 300_000,
    endsByTimeout: true,
    receivedAtMs: timeMs,
    generatorUrl: '',
    source: 'quality',
  };
}

/** The incident of each alert, as `grouping-score.mjs` wants it. */
export function groupsOf({ assignments }: Replayed): (string | null)[] {
  return assignments.map(({ incidentId }) => incidentId);
}
