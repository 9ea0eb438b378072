import {
  createLabels,
  fingerprint,
  labelValue,
  labelsOf,
  parseSeverity,
  type Alert,
} from '../../src/alert/index.ts';
import { correlateConfig, createCorrelateStage, type CorrelateStage } from '../../src/correlate/index.ts';
import { Fold, type Fact, type StageContext, type Table } from '../../src/engine/index.ts';
import {
  createFlow,
  servicesConfig,
  type Command,
  type Flow,
  type LogEntry,
  type Signal,
  type SignalChange,
  type TocsinFrame,
  type TocsinStage,
} from '../../src/incident/index.ts';
import { createTriageStage, triageConfig, type TriageStage } from '../../src/triage/index.ts';

export interface SceneConfig {
  readonly services?: readonly { name: string; tier?: number; sla?: number; depends_on?: string[] }[];
  readonly correlate?: Record<string, unknown>;
  readonly triage?: Record<string, unknown>;
}

export const startMs = 1_700_000_000_000;

/** The parsed configuration as the log carries it. */
export function configOf({ services, correlate, triage }: SceneConfig): Readonly<Record<string, unknown>> {
  return {
    services: servicesConfig.parse(services ?? []),
    correlate: correlateConfig.parse(correlate ?? {}),
    triage: triageConfig.parse(triage ?? {}),
  };
}

export interface AlertText {
  readonly labels: Readonly<Record<string, string>>;
  readonly text?: string;
  readonly domain?: string;
  /** Told as it happens, and nobody says when it ends. */
  readonly isEvent?: boolean;
}

/** The signal that the feed makes of an alert with these labels. */
export function signalIdOf({ labels, domain = 'main' }: AlertText): string {
  return `${domain}-${fingerprint(labelsOf(labels)).slice(0, 8)}`;
}

export function entryOf(
  atMs: number,
  alerts: readonly (AlertText & { readonly resolved?: boolean })[],
): LogEntry {
  return { kind: 'alerts', timeMs: atMs, payload: alerts.map((alert) => alertOf(alert, atMs)) };
}

function alertOf(
  { labels, text, domain = 'main', resolved, isEvent = false }: AlertText & { resolved?: boolean },
  atMs: number,
): Alert {
  const list = createLabels(Object.entries(labels));
  return {
    fingerprint: fingerprint(list),
    domain,
    labels: list,
    annotations: text === undefined ? [] : labelsOf({ summary: text }),
    startsAtMs: atMs,
    endsAtMs: resolved ? atMs : atMs + 86_400_000,
    endsByTimeout: isEvent,
    receivedAtMs: atMs,
    generatorUrl: '',
    source: 'test',
  };
}

/** A stand-in for intake and dedup: each series is a signal of its own. */
export function createFeedStage(context: StageContext): TocsinStage {
  const signals: Table<Signal> = context.table('signals');
  return {
    name: 'feed',
    onFrame(frame: TocsinFrame): void {
      if (frame.entry?.kind !== 'alerts') return;
      const changes: SignalChange[] = [];
      for (const alert of frame.entry.payload) {
        const change = changeOf(signals, alert, frame.timeMs);
        if (change) changes.push({ ...change, reasons: [] });
      }
      frame.flow.signalChanges = changes;
      const events = frame.entry.payload.filter(
        ({ endsByTimeout, endsAtMs }) => endsByTimeout && endsAtMs > frame.timeMs,
      );
      frame.flow.alertChanges = events.map((alert, index) => ({ change: 'repeated', alert, index }));
      frame.flow.sightings = events.map(({ domain, fingerprint }) => ({
        fingerprint,
        signalId: `${domain}-${fingerprint.slice(0, 8)}`,
        how: 'exact',
        similarity: 1,
      }));
    },
  };
}

function changeOf(signals: Table<Signal>, alert: Alert, nowMs: number): Omit<SignalChange, 'reasons'> | null {
  const id = `${alert.domain}-${alert.fingerprint.slice(0, 8)}`;
  const known = signals.get(id);
  const isResolved = alert.endsAtMs <= nowMs;
  if (!known) {
    if (isResolved) return null;
    const created = signalOf(id, alert, nowMs);
    signals.set(id, created);
    return { change: 'opened', signal: structuredClone(created) };
  }
  if (isResolved === (known.state === 'resolved')) return null;
  known.state = isResolved ? 'resolved' : 'firing';
  known.resolvedAtMs = isResolved ? nowMs : null;
  known.alertCount++;
  known.lastAtMs = nowMs;
  signals.touch(id);
  return { change: isResolved ? 'resolved' : 'reopened', signal: structuredClone(known) };
}

function signalOf(id: string, alert: Alert, nowMs: number): Signal {
  const text = labelValue(alert.annotations, 'summary') || labelValue(alert.labels, 'alertname');
  const template = text.replaceAll(/\d+/g, '<n>');
  return {
    id,
    domain: alert.domain,
    labels: alert.labels,
    text,
    template,
    signature: sketchOf(template),
    severity: parseSeverity(labelValue(alert.labels, 'severity')),
    state: 'firing',
    firstAtMs: nowMs,
    lastAtMs: nowMs,
    resolvedAtMs: null,
    alertCount: 1,
    fingerprints: [alert.fingerprint],
    fingerprintCount: 1,
    firingCount: 1,
  };
}

/** A MinHash sketch of the words, 32 slots. */
function sketchOf(text: string): number[] {
  const words = text.toLowerCase().split(/[^a-z0-9<>]+/);
  return Array.from({ length: 32 }, (_, slot) => {
    let least = 0xffffffff;
    for (const word of words) {
      let hash = Math.imul(slot + 1, 0x9e3779b1);
      for (let i = 0; i < word.length; i++) hash = Math.imul(hash ^ word.charCodeAt(i), 0x01000193);
      hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
      least = Math.min(least, (hash ^ (hash >>> 13)) >>> 0);
    }
    return least;
  });
}

export interface TestFold {
  readonly fold: Fold<LogEntry, Flow>;
  readonly correlate: CorrelateStage;
  readonly triage: TriageStage;
}

export function createTestFold(): TestFold {
  let correlate!: CorrelateStage;
  let triage!: TriageStage;
  const fold = new Fold<LogEntry, Flow>({
    stages: [
      ['feed', createFeedStage],
      ['correlate', (context) => (correlate = createCorrelateStage(context))],
      ['triage', (context) => (triage = createTriageStage(context))],
    ],
    createFlow,
  });
  return { fold, correlate, triage };
}

/** A fold that is fed by hand, for scenarios told in seconds. */
export class Scene {
  readonly #test = createTestFold();
  #frames: TocsinFrame[] = [];
  #commands = 0;

  private constructor() {}

  static async create(config: SceneConfig = {}): Promise<Scene> {
    const scene = new Scene();
    await scene.#apply({ kind: 'config', timeMs: startMs, payload: configOf(config) });
    return scene;
  }

  get correlate(): CorrelateStage {
    return this.#test.correlate;
  }

  get triage(): TriageStage {
    return this.#test.triage;
  }

  /** All frames so far. */
  get frames(): readonly TocsinFrame[] {
    return this.#frames;
  }

  async fire(atSeconds: number, ...alerts: AlertText[]): Promise<void> {
    await this.#apply(entryOf(startMs + atSeconds * 1000, alerts));
  }

  async resolve(atSeconds: number, ...alerts: AlertText[]): Promise<void> {
    await this.#apply(
      entryOf(
        startMs + atSeconds * 1000,
        alerts.map((alert) => ({ ...alert, resolved: true })),
      ),
    );
  }

  async tick(atSeconds: number): Promise<void> {
    await this.#apply({ kind: 'tick', timeMs: startMs + atSeconds * 1000, payload: null });
  }

  async fact(atSeconds: number, payload: Fact): Promise<void> {
    await this.#apply({ kind: 'fact', timeMs: startMs + atSeconds * 1000, payload });
  }

  /** Carries out a command by `ann`; returns its answer. */
  async command(
    atSeconds: number,
    command: Omit<Command, 'id' | 'by'> & { id?: string },
  ): Promise<Flow['answer']> {
    const payload = { id: `command-${++this.#commands}`, by: 'ann', ...command } as Command;
    const frames = await this.#apply({ kind: 'command', timeMs: startMs + atSeconds * 1000, payload });
    return frames.at(-1)?.flow.answer ?? null;
  }

  /** The id of the incident that the alert belongs to. */
  incidentOf(alert: AlertText): string | undefined {
    return this.correlate.candidateOfSignal(signalIdOf(alert))?.id;
  }

  async #apply(entry: LogEntry): Promise<readonly TocsinFrame[]> {
    const { fold } = this.#test;
    const { frames } = await fold.apply({ firstPosition: fold.position + 1, entries: [entry] });
    this.#frames.push(...frames);
    return frames;
  }
}
