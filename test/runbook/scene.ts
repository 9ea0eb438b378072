import { labelsOf } from '../../src/alert/index.ts';
import { Fold, type Effect, type Fact } from '../../src/engine/index.ts';
import {
  createFlow,
  type CandidateChange,
  type Command,
  type CommandAnswer,
  type Flow,
  type Incident,
  type LogEntry,
  type RunbookRun,
  type SignalChange,
  type TocsinFrame,
} from '../../src/incident/index.ts';
import { createRunbookStage, runbooksConfig, type RunbookStage } from '../../src/runbook/index.ts';
import { servicesConfig } from '../../src/incident/index.ts';
import { CheckpointSum } from '../support/checkpoint.ts';

/** One moment of a scripted log: what the log holds and what the earlier stages say about it. */
export interface Moment {
  readonly entry: LogEntry;
  readonly flow?: Partial<Flow>;
}

export const startMs = Date.UTC(2026, 7, 24, 9, 0, 0);

/** Runs the runbook stage alone, behind a stage that says what the test says. */
export class Scene {
  readonly frames: TocsinFrame[] = [];
  readonly effects: Effect[] = [];
  readonly moments: Moment[] = [];
  stage!: RunbookStage;
  #fold: Fold<LogEntry, Flow>;
  readonly #stored = new CheckpointSum();
  #timeMs = startMs;
  #commands = 0;

  constructor() {
    this.#fold = this.#createFold();
  }

  /** Folds all of `moments`, in slices that end before the given indexes, and with a crash at each of `crashes`. */
  static async replay(
    moments: readonly Moment[],
    cuts: readonly number[],
    crashes: readonly number[],
  ): Promise<Scene> {
    const scene = new Scene();
    scene.moments.push(...moments);
    const ends = [...new Set([...cuts, ...crashes, moments.length])].toSorted((a, b) => a - b);
    for (const end of ends) {
      await scene.#foldUpTo(end);
      if (crashes.includes(end)) scene.crash();
    }
    return scene;
  }

  async configure(runbooks: unknown, services: unknown = []): Promise<void> {
    const payload = { runbooks: runbooksConfig.parse(runbooks), services: servicesConfig.parse(services) };
    await this.apply({ entry: { kind: 'config', timeMs: this.#tick(), payload } });
  }

  async say(flow: Partial<Flow>): Promise<void> {
    await this.apply({ entry: { kind: 'tick', timeMs: this.#tick(), payload: null }, flow });
  }

  /** Opens (or revises) an incident whose signals have these labels. */
  async incident(change: Partial<Incident> & { readonly id: string }, ...labels: Record<string, string>[]) {
    const signalIds = labels.map((_, index) => `${change.id}-${index}`);
    const incident = incidentOf(change);
    await this.say({
      signalChanges: labels.map((each, index) => signalChange(`${change.id}-${index}`, each)),
      candidateChanges: labels.length > 0 ? [candidateChange(incident, signalIds)] : [],
      incidents: [incident],
    });
  }

  async command<Kind extends Command['kind']>(
    kind: Kind,
    body: Extract<Command, { kind: Kind }>['body'],
    { by = 'ada', id = `command-${++this.#commands}` } = {},
  ): Promise<CommandAnswer> {
    const payload = { id, kind, by, body } as Command;
    const frame = await this.apply({ entry: { kind: 'command', timeMs: this.#tick(), payload } });
    if (!frame.flow.answer) throw new Error(`nobody answered ${kind}`);
    return frame.flow.answer;
  }

  /** How the effect ended. */
  async fact(effectId: string, outcome: Fact['outcome']): Promise<void> {
    const payload: Fact = { effectId, kind: 'http-step', outcome };
    await this.apply({ entry: { kind: 'fact', timeMs: this.#tick(), payload } });
  }

  async answered(effectId: string, status = 200, body = ''): Promise<void> {
    await this.fact(effectId, { status: 'done', result: { status, body } });
  }

  async pass(ms: number): Promise<void> {
    this.#timeMs += ms;
    await this.say({});
  }

  run(id: string): RunbookRun {
    const run = this.stage.run(id);
    if (!run) throw new Error(`no run ${id}`);
    return run;
  }

  stepStates(id: string): string[] {
    return this.run(id).steps.map(({ state }) => state);
  }

  async apply(moment: Moment): Promise<TocsinFrame> {
    this.moments.push(moment);
    await this.#foldUpTo(this.moments.length);
    return this.frames.at(-1)!;
  }

  /** Throws the fold away and restores another one from its checkpoints. */
  crash(): void {
    this.#stored.add(this.#fold.takeCheckpoint());
    this.#fold = this.#createFold();
    this.#fold.restore(this.#stored.checkpoint);
  }

  rowCount(): number {
    this.crash();
    return this.#stored.tables.filter((table) => !table.startsWith('engine/')).length;
  }

  async #foldUpTo(end: number): Promise<void> {
    const entries = this.moments.slice(this.#fold.position, end).map(({ entry }) => entry);
    if (entries.length === 0) return;
    const { frames, effects } = await this.#fold.apply({ firstPosition: this.#fold.position + 1, entries });
    this.frames.push(...frames);
    this.effects.push(...effects);
  }

  #tick(): number {
    this.#timeMs += 1000;
    return this.#timeMs;
  }

  #createFold(): Fold<LogEntry, Flow> {
    return new Fold<LogEntry, Flow>({
      stages: [
        [
          'script',
          () => ({
            name: 'script',
            onFrame: (frame: TocsinFrame) => {
              Object.assign(frame.flow, this.moments[frame.position - 1]?.flow);
            },
          }),
        ],
        ['runbook', (context) => (this.stage = createRunbookStage(context))],
      ],
      createFlow,
    });
  }
}

export function incidentOf(change: Partial<Incident> & { readonly id: string }): Incident {
  return {
    domain: 'shop',
    revision: 1,
    state: 'open',
    title: 'payments-db runs out of disk',
    severity: 'critical',
    priority: 'P1',
    confidence: 0.9,
    category: 'capacity',
    services: ['payments-db'],
    signalCount: 1,
    alertCount: 3,
    probableCauses: [],
    reasons: [],
    openedAtMs: startMs,
    updatedAtMs: startMs,
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

export function signalChange(id: string, labels: Record<string, string>): SignalChange {
  return {
    change: 'opened',
    reasons: [],
    signal: {
      id,
      domain: 'shop',
      labels: labelsOf(labels),
      text: 'Disk 97 % full',
      template: 'Disk <num> % full',
      signature: [],
      severity: 'critical',
      state: 'firing',
      firstAtMs: startMs,
      lastAtMs: startMs,
      resolvedAtMs: null,
      alertCount: 1,
      fingerprints: [],
      fingerprintCount: 1,
      firingCount: 1,
    },
  };
}

export function candidateChange(incident: Incident, signalIds: string[]): CandidateChange {
  const state = incident.state === 'acknowledged' ? 'open' : incident.state;
  return {
    change: 'opened',
    links: [],
    candidate: {
      id: incident.id,
      domain: incident.domain,
      state,
      signalIds,
      links: [],
      openedAtMs: startMs,
      lastAtMs: startMs,
      resolvedAtMs: null,
      reasons: [],
      mergedInto: null,
    },
  };
}
