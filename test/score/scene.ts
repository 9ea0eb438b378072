import { fingerprint, labelsOf, labelValue, type Alert } from '../../src/alert/index.ts';
import { Fold, type CheckpointDelta } from '../../src/engine/index.ts';
import {
  createFlow,
  type AlertChange,
  type Flow,
  type LogEntry,
  type Signal,
  type SignalChange,
  type SignalScore,
  type Sighting,
  type TocsinFrame,
  type TocsinStageFactory,
} from '../../src/incident/index.ts';
import {
  createInlineScorer,
  createScoreStage,
  scoreConfig,
  type MatrixScorer,
  type ModelTexts,
  type ScoreModel,
  type ScoreStage,
} from '../../src/score/index.ts';
import { sumOf } from '../support/checkpoint.ts';

/** Monday 2026-01-05 00:00 UTC. */
export const mondayMs = Date.UTC(2026, 0, 5);
export const minuteMs = 60_000;
export const hourMs = 3_600_000;
export const dayMs = 86_400_000;

/** A report: labels, and whether it says that the alert has resolved. */
export interface Report {
  readonly labels: Readonly<Record<string, string>>;
  readonly isResolved?: boolean;
}

export function alertsAt(timeMs: number, reports: readonly Report[]): LogEntry {
  return { kind: 'alerts', timeMs, payload: reports.map((report) => createAlert(report, timeMs)) };
}

export function configAt(
  timeMs: number,
  score: Readonly<Record<string, unknown>> = {},
  model: ScoreModel | null = null,
): LogEntry {
  return { kind: 'config', timeMs, payload: { score: scoreConfig.parse(score), model } };
}

/** Somebody chooses a model. */
export function commandAt(
  timeMs: number,
  id: string,
  kind: 'model.activate' | 'model.shadow',
  model: ModelTexts | null,
): LogEntry {
  return { kind: 'command', timeMs, payload: { id, kind, by: 'ann', body: { model } } };
}

function createAlert({ labels, isResolved = false }: Report, timeMs: number): Alert {
  const sorted = labelsOf(labels);
  return {
    fingerprint: fingerprint(sorted),
    domain: labels['domain'] ?? 'default',
    labels: sorted,
    annotations: [],
    startsAtMs: timeMs,
    endsAtMs: isResolved ? timeMs : timeMs + hourMs,
    endsByTimeout: false,
    receivedAtMs: timeMs,
    generatorUrl: '',
    source: 'test',
  };
}

/** Stands in for intake and dedup: each fingerprint is a signal of its own. With the label `unreported` a signal escalates without a report. */
const createFeed: TocsinStageFactory = (context) => {
  const firing = context.table<boolean>('firing');
  return {
    name: 'feed',
    onFrame(frame) {
      if (frame.entry?.kind !== 'alerts') return;
      const alertChanges: AlertChange[] = [];
      const sightings: Sighting[] = [];
      const signalChanges: SignalChange[] = [];
      for (const [index, alert] of frame.entry.payload.entries()) {
        const { fingerprint: id } = alert;
        if (labelValue(alert.labels, 'unreported') !== '') {
          signalChanges.push({ change: 'escalated', signal: createSignal(alert, true), reasons: [] });
          continue;
        }
        const wasFiring = firing.get(id);
        const isFiring = alert.endsAtMs > frame.timeMs;
        if (!isFiring && !wasFiring) {
          alertChanges.push({ change: 'ignored', alert, index });
          sightings.push({ fingerprint: id, signalId: null, how: 'ignored', similarity: 0 });
          continue;
        }
        const change = !isFiring ? 'resolved' : wasFiring ? 'repeated' : 'fired';
        alertChanges.push({ change, alert, index });
        sightings.push({
          fingerprint: id,
          signalId: id,
          how: wasFiring === undefined ? 'new' : 'exact',
          similarity: 1,
        });
        if (change !== 'repeated') {
          signalChanges.push({
            change: change === 'resolved' ? 'resolved' : wasFiring === undefined ? 'opened' : 'reopened',
            signal: createSignal(alert, isFiring),
            reasons: [],
          });
        }
        firing.set(id, isFiring);
      }
      Object.assign(frame.flow, { alertChanges, sightings, signalChanges });
    },
  };
};

function createSignal(alert: Alert, isFiring: boolean): Signal {
  return {
    id: alert.fingerprint,
    domain: alert.domain,
    labels: alert.labels,
    text: 'text',
    template: 'template',
    signature: [],
    severity: 'warning',
    state: isFiring ? 'firing' : 'resolved',
    firstAtMs: alert.startsAtMs,
    lastAtMs: alert.startsAtMs,
    resolvedAtMs: isFiring ? null : alert.endsAtMs,
    alertCount: 1,
    fingerprints: [alert.fingerprint],
    fingerprintCount: 1,
    firingCount: isFiring ? 1 : 0,
  };
}

/** A fold of the feed and the score stage. */
export class Scene {
  readonly fold: Fold<LogEntry, Flow>;
  readonly stage: ScoreStage;
  readonly #deltas: CheckpointDelta[] = [];

  constructor(scorer: MatrixScorer = createInlineScorer()) {
    const created: ScoreStage[] = [];
    this.fold = new Fold<LogEntry, Flow>({
      stages: [
        ['feed', createFeed],
        [
          'score',
          (context) => {
            const stage = createScoreStage(scorer)(context);
            created.push(stage);
            return stage;
          },
        ],
      ],
      createFlow,
    });
    this.stage = created[0]!;
  }

  async apply(entries: readonly LogEntry[]): Promise<readonly TocsinFrame[]> {
    const output = await this.fold.apply({ firstPosition: this.fold.position + 1, entries });
    return output.frames;
  }

  /** Applies entries one by one and returns all scores. */
  async scores(entries: readonly LogEntry[]): Promise<SignalScore[]> {
    return (await this.apply(entries)).flatMap((frame) => frame.flow.scores);
  }

  /** Takes a checkpoint and makes a new scene that goes on from the sum of all checkpoints so far. */
  crash(scorer: MatrixScorer = createInlineScorer()): Scene {
    this.#deltas.push(structuredClone(this.fold.takeCheckpoint()));
    const restored = new Scene(scorer);
    restored.fold.restore(sumOf(this.#deltas));
    restored.#deltas.push(...this.#deltas);
    return restored;
  }
}
