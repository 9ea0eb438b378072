import {
  compileMatchers,
  createLabels,
  labelPairs,
  matchesAll,
  type Labels,
  type Matcher,
} from '../alert/index.ts';
import type { Fact, StageContext, Table } from '../engine/index.ts';
import type {
  Command,
  CommandAnswer,
  Incident,
  LogEntry,
  RunbookRun,
  TocsinFrame,
  TocsinStage,
} from '../incident/index.ts';
import { runbooksConfig, type RunbookConfig, type RunbooksConfig } from './config.ts';
import {
  beginStep,
  createRun,
  currentStep,
  endRun,
  endStep,
  setStep,
  type HttpStepResult,
  type StoredRun,
} from './runs.ts';

/** The runbook stage, and what it knows of runs. */
export interface RunbookStage extends TocsinStage {
  /** Runbooks whose matchers fit the incident. */
  suggestions(incidentId: string): readonly { readonly name: string; readonly description: string }[];
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

const retentionMs = 7 * 24 * 3_600_000;

interface CompiledRunbook {
  readonly runbook: RunbookConfig;
  readonly matchers: readonly Matcher[];
}

class Runbooks implements RunbookStage {
  readonly name = 'runbook';
  readonly #context: StageContext;
  readonly #runs: Table<StoredRun>;
  readonly #incidents: Table<{ readonly incident: Incident; readonly runIds: readonly string[] }>;
  readonly #counters: Table<number>;
  #config: RunbooksConfig = runbooksConfig.parse({});
  #catalog: readonly CompiledRunbook[] = [];

  constructor(context: StageContext) {
    this.#context = context;
    this.#runs = context.table<StoredRun>('runs');
    this.#incidents = context.table('incidents');
    this.#counters = context.table<number>('counters');
  }

  suggestions(incidentId: string): readonly { name: string; description: string }[] {
    const known = this.#incidents.get(incidentId);
    if (!known) return [];
    const labels = incidentLabels(known.incident);
    return this.#catalog
      .filter(({ matchers }) => matchesAll(matchers, labels))
      .map(({ runbook: { name, description } }) => ({ name, description }));
  }

  runs(incidentId: string): readonly RunbookRun[] {
    return (this.#incidents.get(incidentId)?.runIds ?? []).flatMap((id) => this.run(id) ?? []);
  }

  run(id: string): RunbookRun | undefined {
    return this.#runs.get(id)?.run;
  }

  restore(config: LogEntry | null): void {
    if (config?.kind === 'config') this.#configure(config.payload);
  }

  onFrame(frame: TocsinFrame): void {
    const { entry, flow, timeMs } = frame;
    if (entry?.kind === 'config') this.#configure(entry.payload);
    for (const incident of flow.incidents) this.#note(incident, frame);
    if (entry?.kind === 'command') flow.answer = this.#obey(entry.payload, frame) ?? flow.answer;
    else if (entry?.kind === 'fact' && entry.payload.kind === 'http-step')
      this.#settle(entry.payload, frame, timeMs);
  }

  /** Forgets an incident that has been over for long, and its runs. */
  onTimer(incidentId: string): void {
    for (const id of this.#incidents.get(incidentId)?.runIds ?? []) this.#runs.delete(id);
    this.#incidents.delete(incidentId);
  }

  #configure(config: Readonly<Record<string, unknown>>): void {
    this.#config = (config['runbooks'] ?? runbooksConfig.parse({})) as RunbooksConfig;
    this.#catalog = this.#config.catalog.map((runbook) => {
      const compiled = compileMatchers(runbook.matchers);
      if (!compiled.ok) throw new Error(`runbook ${runbook.name} was not checked: ${compiled.error}`);
      return { runbook, matchers: compiled.matchers };
    });
  }

  /** Remembers the newest revision; a run of an incident that is over goes no further. */
  #note(incident: Incident, frame: TocsinFrame): void {
    const runIds = this.#incidents.get(incident.id)?.runIds ?? [];
    this.#incidents.set(incident.id, { incident, runIds });
    if (incident.state !== 'resolved' && incident.state !== 'merged') {
      this.#context.timers.cancel(incident.id);
      return;
    }
    this.#context.timers.set(incident.id, frame.timeMs + retentionMs);
    for (const id of runIds) {
      const stored = this.#runs.get(id);
      if (stored?.run.steps[currentStep(stored)]?.state === 'awaiting_approval') {
        this.#save(endRun(stored, 'cancelled', frame.timeMs), frame);
      }
    }
  }

  #obey(command: Command, frame: TocsinFrame): CommandAnswer | null {
    switch (command.kind) {
      case 'runbook.start':
        return this.#start(command.body, command.by, frame);
      case 'runbook.approve':
        return this.#atStep(command.body, 'awaiting_approval', (stored, step) => {
          const approved = setStep(stored, step, { approvedBy: command.by, approvedAtMs: frame.timeMs });
          return this.#go(approved, frame);
        });
      case 'runbook.reject':
        return this.#atStep(command.body, 'awaiting_approval', (stored, step) => {
          const outcome = `rejected by ${command.by}${command.body.comment === '' ? '' : `: ${command.body.comment}`}`;
          return this.#save(endStep(stored, step, 'rejected', outcome, frame.timeMs), frame);
        });
      case 'runbook.finish-step':
        return this.#atStep(command.body, 'awaiting_person', (stored, step) => {
          const { isDone, comment } = command.body;
          const outcome = `${isDone ? 'done' : 'not done'} by ${command.by}${comment === '' ? '' : `: ${comment}`}`;
          const ended = endStep(stored, step, isDone ? 'done' : 'failed', outcome, frame.timeMs);
          return isDone ? this.#go(ended, frame) : this.#save(ended, frame);
        });
      default:
        return null;
    }
  }

  #start(
    { incidentId, runbook }: { incidentId: string; runbook: string },
    by: string,
    frame: TocsinFrame,
  ): CommandAnswer {
    const known = this.#incidents.get(incidentId);
    if (!known) return refused('not_found', `no incident ${incidentId}`);
    if (known.incident.state === 'resolved' || known.incident.state === 'merged') {
      return refused('conflict', `${incidentId} is ${known.incident.state}`);
    }
    const found = this.#catalog.find((entry) => entry.runbook.name === runbook);
    if (!found) return refused('not_found', `no runbook ${runbook}`);
    if (this.runs(incidentId).some((run) => run.runbook === runbook && run.state === 'running')) {
      return refused('conflict', `${runbook} is already running for ${incidentId}`);
    }
    const number = (this.#counters.get('runs') ?? 0) + 1;
    this.#counters.set('runs', number);
    const id = `run-${number}`;
    this.#incidents.set(incidentId, { ...known, runIds: [...known.runIds, id] });
    const labels = known.incident.probableCauses[0]?.labels ?? incidentLabels(known.incident);
    return this.#go(createRun(id, found.runbook, known.incident, labels, by, frame.timeMs), frame);
  }

  #atStep(
    { runId, step }: { readonly runId: string; readonly step: number },
    state: 'awaiting_approval' | 'awaiting_person',
    act: (stored: StoredRun, step: number) => CommandAnswer,
  ): CommandAnswer {
    const stored = this.#runs.get(runId);
    if (!stored) return refused('not_found', `no run ${runId}`);
    const current = stored.run.steps[step];
    if (!current) return refused('not_found', `${runId} has no step ${step}`);
    if (currentStep(stored) !== step || current.state !== state) {
      return refused(
        'conflict',
        `step ${step} of ${runId} is ${current.state}, not ${state}; the run is ${stored.run.state}`,
      );
    }
    return act(stored, step);
  }

  #settle({ effectId, outcome }: Fact, frame: TocsinFrame, nowMs: number): void {
    const [, runId = '', step = ''] = effectId.split('/');
    const index = Number(step);
    const stored = this.#runs.get(runId);
    if (stored?.run.steps[index]?.state !== 'running') return;
    if (outcome.status === 'failed') {
      this.#save(endStep(stored, index, 'failed', outcome.message, nowMs), frame);
      return;
    }
    const { status } = outcome.result as HttpStepResult;
    const expected = stored.snapshot.steps[index];
    const wanted = expected?.kind === 'http' ? expected.expect_status : undefined;
    const isDone = wanted === undefined ? status >= 200 && status < 300 : status === wanted;
    const ended = endStep(stored, index, isDone ? 'done' : 'failed', `answered ${status}`, nowMs);
    if (isDone) this.#go(ended, frame);
    else this.#save(ended, frame);
  }

  /** Begins the next step and keeps what came of it. */
  #go(stored: StoredRun, frame: TocsinFrame): CommandAnswer {
    const advance = beginStep(stored, this.#config.allowed_hosts, frame.timeMs);
    frame.effects.push(...advance.effects);
    return this.#save(advance.stored, frame);
  }

  #save(stored: StoredRun, frame: TocsinFrame): CommandAnswer {
    this.#runs.set(stored.run.id, stored);
    frame.flow.runs = [...frame.flow.runs, stored.run];
    return { status: 'done', result: { run: stored.run } };
  }
}

/** What runbook matchers look at: the incident's own words, and the labels of its first probable cause. */
function incidentLabels({ category, priority, severity, services, probableCauses }: Incident): Labels {
  return createLabels([
    ...(probableCauses[0] ? labelPairs(probableCauses[0].labels) : []),
    ['category', category],
    ['priority', priority],
    ['severity', severity],
    ...(services[0] === undefined ? [] : [['service', services[0]] as const]),
  ]);
}

function refused(code: 'not_found' | 'conflict', message: string): CommandAnswer {
  return { status: 'refused', code, message };
}
