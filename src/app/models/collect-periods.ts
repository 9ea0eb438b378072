import { Fold } from '../../engine/index.ts';
import { createDedupStage } from '../../dedup/index.ts';
import {
  createFlow,
  type ConfigEntry,
  type Flow,
  type LogEntry,
  type TocsinFrame,
} from '../../incident/index.ts';
import type { Alert } from '../../alert/index.ts';
import { createMuteStage } from '../../mute/index.ts';
import { nameKind } from '../../score/index.ts';
import { createIntakeStage } from '../../source/index.ts';
import type { TocsinConfig } from '../config-schema.ts';
import { periodKind, periodMs, type ObservedPeriod } from '../../../models/periods.ts';

const batchAlertCount = 4096;

/** Folds alerts as the server would, up to their signals, and counts what each kind does in each period. `alerts` are in the order of time. */
export async function collectPeriods(
  alerts: readonly Alert[],
  config: TocsinConfig,
  payload: ConfigEntry['payload'],
  onProgress: (alertCount: number) => void,
): Promise<ObservedPeriod[]> {
  const fold = new Fold<LogEntry, Flow>({
    stages: [
      ['source', createIntakeStage],
      ['mute', createMuteStage],
      ['dedup', createDedupStage],
    ],
    createFlow,
  });
  const collector = new Collector(config);
  const apply = async (entries: readonly LogEntry[]): Promise<void> => {
    const { frames } = await fold.apply({ firstPosition: fold.position + 1, entries });
    for (const frame of frames) collector.read(frame);
  };
  const [first] = alerts;
  if (!first) return [];
  await apply([{ kind: 'config', timeMs: first.receivedAtMs, payload }]);
  for (let start = 0; start < alerts.length; start += batchAlertCount) {
    const batch = alerts.slice(start, start + batchAlertCount);
    await apply(batch.map((alert) => ({ kind: 'alerts', timeMs: alert.receivedAtMs, payload: [alert] })));
    onProgress(start + batch.length);
  }
  return collector.periods();
}

type Mutable<Type> = { -readonly [Key in keyof Type]: Type[Key] };

/** Counts as the stage `score` does. */
class Collector {
  readonly #config: TocsinConfig;
  readonly #kindOfSignal = new Map<string, string>();
  /** The open or last period of each kind. */
  readonly #last = new Map<string, Mutable<ObservedPeriod>>();
  readonly #periods: ObservedPeriod[] = [];

  constructor(config: TocsinConfig) {
    this.#config = config;
  }

  read({ flow, timeMs }: TocsinFrame): void {
    for (const { signal } of flow.signalChanges) {
      const { domain, service, kind } = nameKind(signal, this.#config.score);
      this.#kindOfSignal.set(signal.id, periodKind(domain, service, kind));
    }
    for (const [index, { signalId }] of flow.sightings.entries()) {
      const kind = signalId === null ? undefined : this.#kindOfSignal.get(signalId);
      if (kind !== undefined) this.#count(kind, flow.alertChanges[index]!.change, timeMs);
    }
  }

  /** In the order of their first alerts. */
  periods(): ObservedPeriod[] {
    return this.#periods;
  }

  #count(kind: string, change: string, timeMs: number): void {
    const number = Math.floor(timeMs / periodMs);
    let period = this.#last.get(kind);
    if (change === 'resolved' || change === 'expired') {
      if (period?.period === number && change === 'resolved') period.resolved++;
      return;
    }
    if (period?.period !== number) {
      const secondMs = Math.floor(timeMs / 1000) * 1000;
      period = { period: number, kind, firstMs: secondMs, lastMs: secondMs, count: 0, fired: 0, resolved: 0 };
      this.#last.set(kind, period);
      this.#periods.push(period);
    }
    period.count++;
    period.lastMs = Math.floor(timeMs / 1000) * 1000;
    if (change === 'fired') period.fired++;
  }
}
