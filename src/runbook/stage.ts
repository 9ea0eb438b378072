import { compileMatchers, type Matcher } from '../alert/index.ts';
import type { Fact, StageContext, Table } from '../engine/index.ts';
import {
  commandOf,
  readServiceGraph,
  type Command,
  type CommandAnswer,
  type Incident,
  type LogEntry,
  type RunbookRun,
  type RunbookStep,
  type ServiceGraph,
  type TocsinFrame,
  type TocsinStage,
} from '../incident/index.ts';
import { runbooksConfig, type RunbookConfig, type RunbooksConfig } from './config.ts';
import type { HttpStepResult } from './http-step.ts';
import { isOver, KnownIncidents, type KnownIncident } from './incidents.ts';
import {
  beginStep,
  cancelRun,
  createRun,
  currentStep,
  endStep,
  isExpectedStatus,
  setStep,
  type StoredRun,
} from './runs.ts';

/** The runbook stage, and what it knows of runs. */
export interface RunbookStage extends TocsinStage {
  /** All runbooks, in the order of the configuration. */
  catalog(): readonly RunbookConfig[];
  /** Runbooks whose matchers fit the incident; none once it is over. */
  suggestions(incidentId: string): readonly { readonly name: string; readonly description: string }[];
  /** The runs of an incident, the oldest first. */
  runs(incidentId: string): readonly RunbookRun[];
  run(id: string): RunbookRun | undefined;
}

/**
 * Runs of runbooks as a state machine in the log: start, approve, reject and finish are commands; an HTTP step is an effect
 * whose fact moves the run on. INVARIANT: a step that needs approval is never carried out before somebody approved it.
 */
export function createRunbookStage(context: StageContext): RunbookStage {
  return new Runbooks(context);
}

/** How long an incident that is over stays in memory, with its runs. */
const retentionMs = 7 * 24 * 3_600_000;

interface CompiledRunbook {
  readonly runbook: RunbookConfig;
  readonly matchers: readonly Matcher[];
}

class Runbooks implements RunbookStage {
  readonly name = 'runbook';
  readonly #context: StageContext;
  readonly #runs: Table<StoredRun>;
  readonly #known: KnownIncidents;
  readonly #counters: Table<number>;
  #config: RunbooksConfig = runbooksConfig.parse({});
  #catalog: readonly CompiledRunbook[] = [];
  #graph: ServiceGraph = readServiceGraph(null);

  constructor(context: StageContext) {
    this.#context = context;
    this.#runs = context.table<StoredRun>('runs');
    this.#known = new KnownIncidents(context);
    this.#counters = context.table<number>('counters');
  }

  catalog(): readonly RunbookConfig[] {
    return this.#config.catalog;
  }

  suggestions(incidentId: string): readonly { name: string; description: string }[] {
    const known = this.#known.get(incidentId);
    if (!known || isOver(known)) return [];
    return this.#catalog
      .filter(({ matchers }) => this.#known.fits(known, matchers))
      .map(({ runbook: { name, description } }) => ({ name, description }));
  }

  runs(incidentId: string): readonly RunbookRun[] {
    return (this.#known.get(incidentId)?.runIds ?? []).flatMap((id) => this.run(id) ?? []);
  }

  run(id: string): RunbookRun | undefined {
    return this.#runs.get(id)?.run;
  }

  restore(config: LogEntry | null): void {
    if (config?.kind === 'config') this.#configure(config.payload);
  }

  onFrame(frame: TocsinFrame): void {
    const { entry, flow } = frame;
    if (entry?.kind === 'config') this.#configure(entry.payload);
    for (const change of flow.signalChanges) this.#known.noteSignal(change);
    for (const change of flow.candidateChanges) this.#known.noteCandidate(change);
    for (const incident of flow.incidents) this.#note(incident, frame);
    const command = commandOf(frame);
    if (command) flow.answer = this.#obey(command, frame) ?? flow.answer;
    else if (entry?.kind === 'fact' && entry.payload.kind === 'http-step') this.#settle(entry.payload, frame);
  }

  /** Forgets an incident that has been over for long, and its runs. */
  onTimer(incidentId: string): void {
    for (const id of this.#known.get(incidentId)?.runIds ?? []) this.#runs.delete(id);
    this.#known.forget(incidentId);
  }

  #configure(config: Readonly<Record<string, unknown>>): void {
    this.#config = (config['runbooks'] ?? runbooksConfig.parse({})) as RunbooksConfig;
    this.#graph = readServiceGraph(config);
    this.#catalog = this.#config.catalog.map((runbook) => {
      const compiled = compileMatchers(runbook.matchers);
      if (!compiled.ok) throw new Error(`runbook ${runbook.name} was not checked: ${compiled.error}`);
      return { runbook, matchers: compiled.matchers };
    });
  }

  #note(incident: Incident, frame: TocsinFrame): void {
    const known = this.#known.noteIncident(incident);
    if (isOver(known)) {
      this.#context.timers.set(incident.id, frame.timeMs + retentionMs);
      this.#cancelUnapproved(known, frame);
    } else {
      this.#context.timers.cancel(incident.id);
      this.#startByItself(known, frame);
    }
  }

  /** What a person has still to look at stays; what nobody has approved is no longer asked for. */
  #cancelUnapproved({ runIds }: KnownIncident, frame: TocsinFrame): void {
    for (const id of runIds) {
      const stored = this.#runs.get(id);
      if (stored?.run.steps[currentStep(stored)]?.state !== 'awaiting_approval') continue;
      this.#save(cancelRun(stored, frame.timeMs), frame);
    }
  }

  #startByItself(known: KnownIncident, frame: TocsinFrame): void {
    for (const { runbook, matchers } of this.#catalog) {
      if (!runbook.auto_start || this.runs(known.incident.id).some((run) => run.runbook === runbook.name))
        continue;
      if (this.#known.fits(known, matchers)) this.#create(known, runbook, { id: null, by: 'tocsin' }, frame);
    }
  }

  #obey(command: Command, frame: TocsinFrame): CommandAnswer | null {
    switch (command.kind) {
      case 'runbook.start':
        return this.#start(command, frame);
      case 'runbook.approve':
        return this.#atStep(command, 'awaiting_approval', (stored, step) =>
          this.#go(setStep(stored, step, { approvedBy: command.by, approvedAtMs: frame.timeMs }), frame),
        );
      case 'runbook.reject':
        return this.#atStep(command, 'awaiting_approval', (stored, step) => {
          const outcome = saidBy('rejected', command.by, command.body.comment);
          return this.#save(
            endStep(stored, step, { state: 'rejected', outcome, nowMs: frame.timeMs }),
            frame,
          );
        });
      case 'runbook.finish-step':
        return this.#atStep(command, 'awaiting_person', (stored, step) => {
          const { isDone, comment } = command.body;
          const outcome = saidBy(isDone ? 'done' : 'not done', command.by, comment);
          const end = { state: isDone ? 'done' : 'failed', outcome, nowMs: frame.timeMs } as const;
          return this.#goOn(endStep(stored, step, end), frame);
        });
      default:
        return null;
    }
  }

  #start(command: Extract<Command, { kind: 'runbook.start' }>, frame: TocsinFrame): CommandAnswer {
    const { incidentId, runbook: name } = command.body;
    const known = this.#known.get(incidentId);
    if (!known) return refused('not_found', `there is no incident ${incidentId}`);
    const stored = known.runIds.map((id) => this.#runs.get(id));
    const again = stored.find((run) => run?.commandIds.includes(command.id));
    if (again) return done(again);
    if (isOver(known)) return refused('conflict', `${incidentId} is ${known.incident.state}`);
    const found = this.#config.catalog.find((runbook) => runbook.name === name);
    if (!found) return refused('not_found', `there is no runbook ${name}`);
    const running = stored.find((run) => run?.run.runbook === name && run.run.state === 'running');
    if (running)
      return refused('conflict', `${name} is already running for ${incidentId} as ${running.run.id}`);
    return this.#create(known, found, command, frame);
  }

  #create(
    known: KnownIncident,
    runbook: RunbookConfig,
    { id: commandId, by }: { readonly id: string | null; readonly by: string },
    frame: TocsinFrame,
  ): CommandAnswer {
    const number = (this.#counters.get('runs') ?? 0) + 1;
    const id = `run-${this.#context.scope}${number}`;
    const outcome = createRun(runbook, this.#known.subjectOf(known, this.#graph), {
      id,
      by,
      commandId,
      nowMs: frame.timeMs,
      allowedHosts: this.#config.allowed_hosts,
    });
    if (!outcome.ok) return refused('invalid', outcome.error);
    this.#counters.set('runs', number);
    this.#known.addRun(known.incident.id, id);
    return this.#go(outcome.stored, frame);
  }

  /** Acts on a step if it is the one at hand and waits for just that; whoever acts on anything else has seen an older state. */
  #atStep(
    { id, body: { runId, step } }: StepCommand,
    state: 'awaiting_approval' | 'awaiting_person',
    act: (stored: StoredRun, step: number) => CommandAnswer,
  ): CommandAnswer {
    const stored = this.#runs.get(runId);
    if (!stored) return refused('not_found', `there is no run ${runId}`);
    if (stored.commandIds.includes(id)) return done(stored);
    const asked = stored.run.steps[step];
    if (!asked) return refused('not_found', `${runId} has no step ${step}`);
    if (stored.run.state !== 'running') return refused('conflict', `${runId} is ${stored.run.state} already`);
    if (currentStep(stored) !== step || asked.state !== state) {
      return refused(
        'conflict',
        `step ${step} of ${runId} is ${inWords(asked.state)}, not ${inWords(state)}`,
      );
    }
    return act({ ...stored, commandIds: [...stored.commandIds, id] }, step);
  }

  #settle({ effectId, outcome }: Fact, frame: TocsinFrame): void {
    const nowMs = frame.timeMs;
    const [, runId = '', step = ''] = effectId.split('/');
    const index = Number(step);
    const stored = this.#runs.get(runId);
    if (stored?.run.steps[index]?.state !== 'running') return;
    if (outcome.status === 'failed') {
      this.#save(endStep(stored, index, { state: 'failed', outcome: outcome.message, nowMs }), frame);
      return;
    }
    const response = outcome.result as HttpStepResult;
    const isDone = isExpectedStatus(stored.snapshot.steps[index], response.status);
    const end = {
      state: isDone ? 'done' : 'failed',
      outcome: `answered ${response.status}`,
      nowMs,
      response,
    } as const;
    this.#goOn(endStep(stored, index, end), frame);
  }

  /** Begins the next step of a run that has not ended, and keeps what came of it. */
  #goOn(stored: StoredRun, frame: TocsinFrame): CommandAnswer {
    return stored.run.state === 'running' ? this.#go(stored, frame) : this.#save(stored, frame);
  }

  #go(stored: StoredRun, frame: TocsinFrame): CommandAnswer {
    const known = this.#known.get(stored.run.incidentId);
    const advance = beginStep(stored, {
      allowedHosts: this.#config.allowed_hosts,
      isOver: !known || isOver(known),
      nowMs: frame.timeMs,
    });
    frame.effects.push(...advance.effects);
    return this.#save(advance.stored, frame);
  }

  #save(stored: StoredRun, frame: TocsinFrame): CommandAnswer {
    this.#runs.set(stored.run.id, stored);
    frame.flow.runs = [...frame.flow.runs, stored.run];
    return done(stored);
  }
}

type StepCommand = Extract<Command, { kind: 'runbook.approve' | 'runbook.reject' | 'runbook.finish-step' }>;

function done({ run }: StoredRun): CommandAnswer {
  return { status: 'done', result: { run } };
}

function refused(code: 'not_found' | 'conflict' | 'invalid', message: string): CommandAnswer {
  return { status: 'refused', code, message };
}

function saidBy(what: string, by: string, comment: string): string {
  return comment === '' ? `${what} by ${by}` : `${what} by ${by}: ${comment}`;
}

function inWords(state: RunbookStep['state']): string {
  return state.replace('_', ' ');
}
