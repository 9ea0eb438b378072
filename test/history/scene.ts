import { fingerprint, labelsOf, type Alert } from '../../src/alert/index.ts';
import { Fold, type Effect, type HistoryRow } from '../../src/engine/index.ts';
import { createHistoryStage } from '../../src/history/index.ts';
import {
  createFlow,
  type Candidate,
  type Flow,
  type Incident,
  type LogEntry,
  type Notification,
  type Page,
  type Signal,
  type Storm,
  type TocsinStage,
} from '../../src/incident/index.ts';
import { CheckpointSum } from '../support/checkpoint.ts';

/** One moment of a scripted log: what the log holds and what the earlier stages say about it. */
export interface Moment {
  readonly entry: LogEntry;
  readonly flow?: Partial<Flow>;
  readonly effects?: readonly Effect[];
}

/** A fold of the history stage behind a stage that says what the script says. Positions are indexes of `moments` plus 1. */
export function createScriptedFold(moments: readonly Moment[]): Fold<LogEntry, Flow> {
  const script: TocsinStage = {
    name: 'script',
    onFrame(frame) {
      const moment = moments[frame.position - 1];
      Object.assign(frame.flow, moment?.flow);
      frame.effects.push(...(moment?.effects ?? []));
    },
  };
  return new Fold<LogEntry, Flow>({
    stages: [
      ['script', () => script],
      ['history', createHistoryStage],
    ],
    createFlow,
  });
}

/** The rows of the whole script, folded in one slice. */
export async function rowsOf(moments: readonly Moment[]): Promise<readonly HistoryRow[]> {
  const fold = createScriptedFold(moments);
  const { rows } = await fold.apply({ firstPosition: 1, entries: moments.map(({ entry }) => entry) });
  return rows;
}

/** Folds the script in slices that end before the given indexes; at each of `crashes` the fold is thrown away and restored. */
export async function rowsUnderCuts(
  moments: readonly Moment[],
  cuts: readonly number[],
  crashes: readonly number[] = [],
): Promise<readonly HistoryRow[]> {
  const rows: HistoryRow[] = [];
  const stored = new CheckpointSum();
  let fold = createScriptedFold(moments);
  const ends = [...new Set([...cuts, moments.length])].filter((end) => end > 0).toSorted((a, b) => a - b);
  let start = 0;
  for (const end of ends) {
    const entries = moments.slice(start, end).map(({ entry }) => entry);
    if (entries.length > 0) rows.push(...(await fold.apply({ firstPosition: start + 1, entries })).rows);
    start = end;
    if (!crashes.includes(end)) continue;
    stored.add(fold.takeCheckpoint());
    fold = createScriptedFold(moments);
    fold.restore(stored.checkpoint);
  }
  return rows;
}

export function alertOf(labels: Record<string, string>, change: Partial<Alert> = {}): Alert {
  const sorted = labelsOf(labels);
  return {
    fingerprint: fingerprint(sorted),
    domain: 'shop',
    labels: sorted,
    annotations: labelsOf({ summary: 'Something is wrong' }),
    startsAtMs: 1_700_000_000_000,
    endsAtMs: 1_700_000_300_000,
    endsByTimeout: true,
    receivedAtMs: 1_700_000_000_000,
    generatorUrl: 'http://prometheus/graph',
    source: 'alertmanager',
    ...change,
  };
}

export function signalOf(id: string, change: Partial<Signal> = {}): Signal {
  return {
    id,
    domain: 'shop',
    labels: labelsOf({ alertname: 'DiskFull', service: 'db', severity: 'critical' }),
    text: 'Disk 93 % full',
    template: `Disk <num> % full on ${id}`,
    signature: signatureOf(id),
    severity: 'critical',
    state: 'firing',
    firstAtMs: 1_700_000_000_000,
    lastAtMs: 1_700_000_000_000,
    resolvedAtMs: null,
    alertCount: 1,
    fingerprints: ['00000000000000aa'],
    fingerprintCount: 1,
    firingCount: 1,
    ...change,
  };
}

export function candidateOf(id: string, signalIds: string[], change: Partial<Candidate> = {}): Candidate {
  return {
    id,
    domain: 'shop',
    state: 'open',
    signalIds,
    links: [],
    openedAtMs: 1_700_000_000_000,
    lastAtMs: 1_700_000_000_000,
    resolvedAtMs: null,
    reasons: [],
    mergedInto: null,
    ...change,
  };
}

export function incidentOf(id: string, change: Partial<Incident> = {}): Incident {
  return {
    id,
    domain: 'shop',
    revision: 1,
    state: 'open',
    title: `Disk full on db (${id})`,
    severity: 'critical',
    priority: 'P1',
    confidence: 0.75,
    category: 'capacity',
    services: ['db'],
    signalCount: 1,
    alertCount: 2,
    probableCauses: [],
    reasons: [],
    openedAtMs: 1_700_000_000_000,
    updatedAtMs: 1_700_000_000_000,
    resolvedAtMs: null,
    acknowledgedBy: null,
    acknowledgedAtMs: null,
    mergedInto: null,
    surprise: null,
    similar: [],
    historyMissing: false,
    ...change,
  };
}

export function notifyOf(id: string, change: Partial<Notification> = {}): Effect<'notify', Notification> {
  return {
    id,
    kind: 'notify',
    payload: {
      pageId: id,
      receiver: 'web',
      integration: null,
      groupKey: '{}:{incident="i1"}',
      groupLabels: labelsOf({ incident: 'i1' }),
      status: 'firing',
      notificationReason: 'first notification',
      alerts: [{ alert: alertOf({ alertname: 'DiskFull' }), status: 'firing' }],
      unchangedCount: 0,
      retryForMs: 0,
      incident: incidentOf('i1'),
      atMs: 1_700_000_000_000,
      ...change,
    },
  };
}

export function pageOf(id: string, change: Partial<Page> = {}): Page {
  return {
    id,
    receiver: 'web',
    groupKey: '{}:{incident="i1"}',
    incidentId: 'i1',
    status: 'firing',
    reason: 'first notification',
    fingerprints: [],
    atMs: 1_700_000_000_000,
    ...change,
  };
}

/** 128 unsigned 32-bit numbers that depend on `seed` alone. Two seeds share none, but for chance. */
export function signatureOf(seed: string): number[] {
  let state = 2166136261;
  for (const char of seed) state = Math.imul(state ^ char.charCodeAt(0), 16777619);
  return Array.from({ length: 128 }, () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5) | 0;
    return (state ^ (state >>> 13)) >>> 0;
  });
}

/** A sketch that agrees with `signature` in the given share of its slots. */
export function similarTo(signature: readonly number[], share: number, seed: string): number[] {
  const other = signatureOf(`other ${seed}`);
  const order = [...signature.keys()].toSorted((a, b) => (other[a] ?? 0) - (other[b] ?? 0));
  const replaced = new Set(order.slice(0, Math.round(signature.length * (1 - share))));
  return signature.map((value, i) => (replaced.has(i) ? (other[i] ?? 0) : value));
}

/** A storm that is over at `endedAtMs`. */
export function stormOf(id: string, endedAtMs: number): Storm {
  return {
    id,
    domain: 'default',
    state: 'over',
    startedAtMs: endedAtMs - 900_000,
    endedAtMs,
    windowMs: 300_000,
    count: 2,
    peakCount: 158,
    usual: { mean: 1.25, variance: 2.5, windows: 288, scope: 'any' },
    calmCount: 4,
    signalCount: 170,
    incidentCount: 21,
    coveredCount: 20,
    families: [
      {
        kind: 'Errors',
        rootId: 'INC-1',
        signalCount: 169,
        severity: 'warning',
        services: ['shop', 'mail'],
        serviceCount: 40,
        representative: { signalId: 's1', text: 'Errors on shop' },
      },
    ],
    otherCount: 1,
    reasons: [{ stage: 'calm', code: 'storm', text: '158 signals in 5m', weight: 1e-9 }],
  };
}
