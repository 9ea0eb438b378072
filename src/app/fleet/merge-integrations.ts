import type { IntegrationState } from '../../api/index.ts';

const severity = { closed: 0, 'half-open': 1, open: 2 } as const;

/** How each integration takes its pages, of several partitions together: the worst of their states, and the sums of their counts. */
export function mergeIntegrations(
  lists: readonly (readonly IntegrationState[])[],
): readonly IntegrationState[] {
  const merged = new Map<string, IntegrationState>();
  for (const state of lists.flat()) {
    const key = JSON.stringify([state.receiver, state.integration]);
    const before = merged.get(key);
    merged.set(key, before ? sum(before, state) : state);
  }
  return [...merged.values()];
}

function sum(a: IntegrationState, b: IntegrationState): IntegrationState {
  const worst = severity[b.state] > severity[a.state] ? b : a;
  return {
    ...worst,
    waitingCount: a.waitingCount + b.waitingCount,
    deliveredCount: a.deliveredCount + b.deliveredCount,
    failedCount: a.failedCount + b.failedCount,
    lastError: worst.lastError ?? a.lastError ?? b.lastError,
  };
}
