import { fingerprint, labelsOf, labelsToObject, type Alert } from '../../src/alert/index.ts';
import { createDedupStage, dedupConfig, type DedupStage } from '../../src/dedup/index.ts';
import { Fold } from '../../src/engine/index.ts';
import {
  createFlow,
  type Flow,
  type LogEntry,
  type Sighting,
  type SignalChange,
  type TocsinFrame,
} from '../../src/incident/index.ts';
import { createIntakeStage } from '../../src/source/index.ts';

export const startMs = 1_767_571_200_000;
const minuteMs = 60_000;

export type Report = Readonly<Record<string, string>> & { readonly summary?: string };

/** An alert whose labels are `report` without `summary`, `ofDomain` and `ofKey`, the sender's key. It ends by itself after `lastsMs`; with 0 it is a resolve. */
export function alertOf(report: Report, timeMs: number, lastsMs = 5 * minuteMs): Alert {
  const { summary = '', ofDomain = 'default', ofKey, ...names } = report;
  // As intake has it: no two domains share a label set.
  const labels = labelsOf(ofDomain === 'default' ? names : { ...names, domain: ofDomain });
  return {
    fingerprint: fingerprint(labels),
    domain: ofDomain,
    labels,
    annotations: labelsOf(summary === '' ? {} : { summary }),
    startsAtMs: timeMs - 1,
    endsAtMs: timeMs + lastsMs,
    endsByTimeout: lastsMs > 0,
    receivedAtMs: timeMs,
    generatorUrl: '',
    source: 'test',
    ...(ofKey === undefined ? {} : { key: ofKey }),
  };
}

export function alertsEntry(alerts: readonly Alert[], timeMs: number): LogEntry {
  return { kind: 'alerts', timeMs, payload: alerts };
}

export function configEntry(section: unknown, timeMs = startMs): LogEntry {
  return { kind: 'config', timeMs, payload: { dedup: dedupConfig.parse(section) } };
}

export interface Bench {
  readonly fold: Fold<LogEntry, Flow>;
  readonly dedup: DedupStage;
}

/** A fold of intake and dedup. */
export function createBench(): Bench {
  let dedup: DedupStage | undefined;
  const fold = new Fold<LogEntry, Flow>({
    stages: [
      ['source', createIntakeStage],
      ['dedup', (context) => (dedup = createDedupStage(context))],
    ],
    createFlow,
  });
  return { fold, dedup: dedup! };
}

/** What happened in a scene, in order. */
export interface Happening {
  readonly atMs: number;
  readonly sightings: readonly Sighting[];
  readonly changes: readonly SignalChange[];
}

/** A story told minute by minute. Times are minutes from the start and must not go back. */
export class Scene {
  readonly #bench = createBench();
  #position = 0;

  get dedup(): DedupStage {
    return this.#bench.dedup;
  }

  async configure(section: unknown): Promise<void> {
    await this.#apply(configEntry(section));
  }

  fire(minute: number, ...reports: Report[]): Promise<Happening[]> {
    return this.send(
      minute,
      reports.map((report) => alertOf(report, at(minute), 60 * minuteMs)),
    );
  }

  resolve(minute: number, ...reports: Report[]): Promise<Happening[]> {
    return this.send(
      minute,
      reports.map((report) => alertOf(report, at(minute), 0)),
    );
  }

  send(minute: number, alerts: readonly Alert[]): Promise<Happening[]> {
    return this.#apply(alertsEntry(alerts, at(minute)));
  }

  /** Lets time pass. */
  wait(minute: number): Promise<Happening[]> {
    return this.#apply({ kind: 'tick', timeMs: at(minute), payload: null });
  }

  async #apply(entry: LogEntry): Promise<Happening[]> {
    const { frames } = await this.#bench.fold.apply({
      firstPosition: this.#position + 1,
      entries: [entry],
    });
    this.#position++;
    return frames.map(happening);
  }
}

export function at(minute: number): number {
  return startMs + minute * minuteMs;
}

export function changesOf(happenings: readonly Happening[]): SignalChange['change'][] {
  return happenings.flatMap(({ changes }) => changes.map(({ change }) => change));
}

export function reasonsOf(happenings: readonly Happening[]): string[] {
  return happenings.flatMap(({ changes }) =>
    changes.flatMap(({ reasons }) => reasons.map(({ text }) => text)),
  );
}

export function happening({ timeMs, flow }: Pick<TocsinFrame, 'timeMs' | 'flow'>): Happening {
  return { atMs: timeMs, sightings: flow.sightings, changes: flow.signalChanges };
}

/** Everything that a frame says, in words that can be compared. */
export function told(frames: readonly TocsinFrame[]): string[] {
  return frames.map((frame) =>
    JSON.stringify({ position: frame.position, ...happening(frame) }, (key, value: unknown) =>
      key === 'labels' ? labelsToObject(value as string[]) : value,
    ),
  );
}
