import type { StageContext, Table } from '../engine/index.ts';
import type { Flow, TocsinFrame, TocsinStage } from '../incident/index.ts';

/** How much came in and what is left of it. */
export interface Funnel {
  /** Reports, repeats and resolves included. */
  readonly alerts: number;
  /** Signals that opened. */
  readonly signals: number;
  /** Incidents that opened, less those that were merged into others. */
  readonly incidents: number;
  /** Notifications that said that something fires. */
  readonly pages: number;
  /** Notifications that said that all is over. */
  readonly resolvedPages: number;
}

export interface FunnelStage extends TocsinStage {
  funnel(): Funnel;
}

const nothing: Funnel = { alerts: 0, signals: 0, incidents: 0, pages: 0, resolvedPages: 0 };

/** The last stage: counts what passes. Its counts are part of the state, so that they survive a restart. */
export function createFunnelStage(context: StageContext): FunnelStage {
  const counts = context.table<Funnel>('counts');
  const open = context.table<true>('open');
  return {
    name: 'funnel',
    onFrame({ entry, flow }: TocsinFrame) {
      const alerts = entry?.kind === 'alerts' ? entry.payload.length : 0;
      if (alerts === 0 && isQuiet(flow)) return;
      const before = counts.get('all') ?? nothing;
      const pages = flow.pages.filter((page) => page.status === 'firing').length;
      counts.set('all', {
        alerts: before.alerts + alerts,
        signals: before.signals + flow.signalChanges.filter(({ change }) => change === 'opened').length,
        incidents: before.incidents + incidentsGained(flow, open),
        pages: before.pages + pages,
        resolvedPages: before.resolvedPages + flow.pages.length - pages,
      });
    },
    funnel: () => counts.get('all') ?? nothing,
  };
}

function isQuiet(flow: Flow): boolean {
  return flow.signalChanges.length === 0 && flow.candidateChanges.length === 0 && flow.pages.length === 0;
}

/** Those that opened, less those that went into others: one that opened and did so in the same moment counts for nothing. */
function incidentsGained({ candidateChanges }: Flow, open: Table<true>): number {
  let gained = 0;
  for (const { change, candidate } of candidateChanges) {
    const { id, state } = candidate;
    if (state !== 'open') {
      const wasOpen = open.delete(id);
      if (state === 'merged' && wasOpen) gained--;
      // Opened and resolved in one moment, it is told once.
      if (state === 'resolved' && change === 'opened') gained++;
    } else if (!open.has(id)) {
      open.set(id, true);
      if (change !== 'reopened') gained++;
    }
  }
  return gained;
}
