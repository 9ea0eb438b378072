import { maxSeverity, type Severity } from '../alert/index.ts';
import type { StageContext, Table } from '../engine/index.ts';
import {
  commandOf,
  readServiceGraph,
  type CandidateChange,
  type Command,
  type CommandAnswer,
  type ConfigEntry,
  type FactEntry,
  type Incident,
  type ServiceGraph,
  type SignalChange,
  type TocsinFrame,
  type TocsinStage,
} from '../incident/index.ts';
import { assess } from './assessment.ts';
import { triageConfig, type TriageConfig } from './config.ts';
import {
  incidentOf,
  isNoticeable,
  isWorthAssessing,
  strongestReasons,
  type IncidentRow,
} from './incident-row.ts';
import { KnownNames } from './novelty.ts';
import { createRecall, isRecallDue, readRecallFact } from './recall.ts';
import { TriageRules } from './rules.ts';
import { createMember, createTriageSignal, type Member, type TriageSignal } from './triage-signal.ts';

/** Triage, and what it knows. */
export interface TriageStage extends TocsinStage {
  /** The last revision of each incident remembered, the oldest incident first. */
  incidents(): Incident[];
  incident(id: string): Incident | undefined;
}

/**
 * Makes incidents of candidates: severity, priority, category, probable causes, each with its reasons. Carries out
 * `incident.acknowledge`, asks the history for similar incidents by `recall` effects, and takes in their facts.
 */
export function createTriageStage(context: StageContext): TriageStage {
  return new Triage(context);
}

class Triage implements TriageStage {
  readonly name = 'triage';
  readonly #context: StageContext;
  readonly #incidents: Table<IncidentRow>;
  readonly #signals: Table<TriageSignal>;
  readonly #names: KnownNames;
  /** What this frame says. */
  #surprises: ReadonlyMap<string, number | null> = new Map();
  #config: TriageConfig = triageConfig.parse({});
  #rules = new TriageRules(this.#config);
  #graph: ServiceGraph = readServiceGraph(null);

  constructor(context: StageContext) {
    this.#context = context;
    this.#incidents = context.table('incidents');
    this.#signals = context.table('signals');
    this.#names = new KnownNames(context);
  }

  restore(config: TocsinFrame['entry']): void {
    this.#configure(config?.kind === 'config' ? config : null);
  }

  onFrame(frame: TocsinFrame): void {
    const { entry, flow } = frame;
    if (entry?.kind === 'config') this.#configure(entry);
    for (const change of flow.signalChanges) this.#noteSignal(change, frame.timeMs);
    this.#surprises = new Map(flow.scores.map(({ signalId, surprise }) => [signalId, surprise]));
    for (const { signalId, surprise } of flow.scores) this.#noteSurprise(signalId, surprise);
    const revisions: Incident[] = [];
    for (const change of flow.candidateChanges) this.#onCandidate(change, frame, revisions);
    if (entry?.kind === 'fact') this.#onFact(entry, frame, revisions);
    const command = commandOf(frame);
    if (command) {
      const answer = this.#onCommand(command, frame.timeMs, revisions);
      if (answer) flow.answer = answer;
    }
    if (revisions.length > 0) flow.incidents = revisions;
  }

  onTimer(key: string): void {
    const row = this.#incidents.get(key);
    if (!row) return;
    for (const id of row.candidate.signalIds) {
      if (this.#signals.get(id)?.incidentId === key) this.#signals.delete(id);
    }
    this.#incidents.delete(key);
  }

  incidents(): Incident[] {
    return [...this.#incidents.values()].map(({ incident }) => incident);
  }

  incident(id: string): Incident | undefined {
    return this.#incidents.get(id)?.incident;
  }

  #configure(entry: ConfigEntry | null): void {
    this.#config = (entry?.payload['triage'] as TriageConfig | undefined) ?? triageConfig.parse({});
    this.#rules = new TriageRules(this.#config);
    this.#graph = readServiceGraph(entry?.payload ?? null);
  }

  #noteSignal({ change, signal, reasons }: SignalChange, nowMs: number): void {
    let known = this.#signals.get(signal.id);
    if (!known) {
      if (signal.state === 'resolved') return;
      this.#signals.set(signal.id, (known = createTriageSignal(signal)));
    }
    if (change === 'flapping' && reasons[0]) known.flapping = reasons[0];
    else if (signal.state !== 'flapping') delete known.flapping;
    if (change === 'reopened' && this.#incidents.get(known.incidentId ?? '')?.candidate.state !== 'open') {
      known.sinceMs = nowMs;
    }
    known.severity = signal.severity;
    known.alertCount = signal.alertCount;
    this.#signals.touch(signal.id);
  }

  #noteSurprise(signalId: string, surprise: number | null): void {
    const known = this.#signals.get(signalId);
    if (!known || surprise === null || surprise <= (known.surprise ?? -1)) return;
    known.surprise = surprise;
    this.#signals.touch(signalId);
  }

  #onCandidate(
    { change, candidate, links }: CandidateChange,
    frame: TocsinFrame,
    revisions: Incident[],
  ): void {
    const nowMs = frame.timeMs;
    const row = this.#incidents.get(candidate.id) ?? null;
    if (candidate.state === 'merged') {
      if (row) this.#close(row, candidate, nowMs, revisions);
      return;
    }
    const isRegrouped = change === 'merged' || change === 'split';
    this.#own(candidate, isRegrouped, nowMs);
    if (row && !isRegrouped && !isWorthAssessing(row, candidate, worstOf(frame.flow.signalChanges))) {
      row.candidate = { ...candidate, links: [] };
      this.#incidents.touch(candidate.id);
      return;
    }
    const members = this.#membersOf(candidate);
    if (members.length === 0) return;
    const linkReasons = strongestReasons(
      row?.linkReasons ?? [],
      links.flatMap(({ reasons }) => reasons),
    );
    const assessment = assess(members, candidate, linkReasons, {
      config: this.#config,
      rules: this.#rules,
      graph: this.#graph,
    });
    const incident = incidentOf(row, candidate, assessment, nowMs);
    const kept = { ...candidate, links: [] };
    const { headId } = assessment;
    if (!row) {
      const created: IncidentRow = {
        incident: { ...incident, revision: 1 },
        candidate: kept,
        headId,
        linkReasons,
        acknowledgedByCommand: null,
        acknowledgedPriority: null,
        recallCount: 0,
        recalledSignals: 0,
        answeredRecall: 0,
      };
      this.#incidents.set(candidate.id, created);
      revisions.push(created.incident);
      this.#schedule(created);
      this.#askHistory(created, members, frame);
      return;
    }
    const isNew = isRegrouped || row.headId !== headId || isNoticeable(row.incident, incident);
    Object.assign(row, { candidate: kept, headId, linkReasons });
    this.#incidents.touch(candidate.id);
    if (isNew) this.#revise(row, incident, revisions);
    this.#schedule(row);
    this.#askHistory(row, members, frame);
  }

  /** The revision that says that an incident has gone into another one; what it was stays readable. */
  #close(
    row: IncidentRow,
    candidate: CandidateChange['candidate'],
    nowMs: number,
    revisions: Incident[],
  ): void {
    row.candidate = { ...candidate, links: [] };
    this.#revise(
      row,
      {
        ...row.incident,
        state: 'merged',
        mergedInto: candidate.mergedInto,
        resolvedAtMs: candidate.resolvedAtMs,
        updatedAtMs: nowMs,
        reasons: [...candidate.reasons.slice(-1), ...row.incident.reasons].slice(0, 20),
      },
      revisions,
    );
    this.#schedule(row);
  }

  #membersOf(candidate: CandidateChange['candidate']): Member[] {
    const members: Member[] = [];
    for (const id of candidate.signalIds) {
      const signal = this.#signals.get(id);
      if (signal) members.push(createMember(signal, this.#graph));
    }
    return members;
  }

  /** Notes to which open incident its signals belong now. New ones are last, unless it was regrouped. */
  #own(
    { id: incidentId, domain, signalIds, state }: CandidateChange['candidate'],
    isRegrouped: boolean,
    nowMs: number,
  ): void {
    for (const id of signalIds.toReversed()) {
      const signal = this.#signals.get(id);
      if (!isRegrouped && signal?.incidentId === incidentId) return;
      if (!signal || signal.incidentId === incidentId || (state !== 'open' && signal.incidentId !== null))
        continue;
      if (!isRegrouped && signal.incidentId !== null) {
        // It began anew in another incident: what was said of it before is of the former one.
        signal.sinceMs = nowMs;
        signal.surprise = this.#surprises.get(id) ?? null;
      }
      if (!isRegrouped) this.#names.note(domain, signal);
      signal.incidentId = incidentId;
      this.#signals.touch(id);
    }
  }

  #revise(row: IncidentRow, incident: Incident, revisions: Incident[]): void {
    row.incident = { ...incident, revision: row.incident.revision + 1 };
    this.#incidents.touch(incident.id);
    revisions.push(row.incident);
  }

  #schedule({ incident, candidate }: IncidentRow): void {
    if (candidate.state === 'open') this.#context.timers.cancel(incident.id);
    else {
      const closedAtMs = candidate.resolvedAtMs ?? incident.updatedAtMs;
      this.#context.timers.set(incident.id, closedAtMs + this.#config.retention);
    }
  }

  #askHistory(row: IncidentRow, members: readonly Member[], frame: TocsinFrame): void {
    const { similar_incidents, similar_incidents_from } = this.#config;
    if (similar_incidents === 0 || !isRecallDue(row, members.length, similar_incidents_from)) return;
    frame.effects.push(createRecall(row, members, similar_incidents));
    row.recallCount++;
    row.recalledSignals = members.length;
    this.#incidents.touch(row.incident.id);
  }

  #onFact(entry: FactEntry, frame: TocsinFrame, revisions: Incident[]): void {
    const answer = readRecallFact(entry.payload);
    const row = answer && this.#incidents.get(answer.incidentId);
    if (!answer || !row || answer.recall <= row.answeredRecall) return;
    row.answeredRecall = answer.recall;
    this.#incidents.touch(answer.incidentId);
    const { similar, historyMissing } = answer.result;
    const incident = { ...row.incident, similar, historyMissing, updatedAtMs: frame.timeMs };
    if (isNoticeable(row.incident, incident)) this.#revise(row, incident, revisions);
  }

  #onCommand(command: Command, nowMs: number, revisions: Incident[]): CommandAnswer | null {
    if (command.kind !== 'incident.acknowledge') return null;
    const { incidentId, comment } = command.body;
    const row = this.#incidents.get(incidentId);
    if (!row) return { status: 'refused', code: 'not_found', message: `there is no incident ${incidentId}` };
    const done: CommandAnswer = { status: 'done', result: { incidentId, revision: row.incident.revision } };
    if (row.acknowledgedByCommand === command.id) return done;
    const { state, acknowledgedBy, mergedInto } = row.incident;
    if (state !== 'open') {
      const why = {
        acknowledged: `${incidentId} has been acknowledged by ${acknowledgedBy} already`,
        resolved: `${incidentId} is resolved already`,
        merged: `${incidentId} has been merged into ${mergedInto}`,
      }[state];
      return { status: 'refused', code: 'conflict', message: why };
    }
    row.acknowledgedByCommand = command.id;
    row.acknowledgedPriority = row.incident.priority;
    const text = `acknowledged by ${command.by}${comment === '' ? '' : `: ${comment}`}`;
    this.#revise(
      row,
      {
        ...row.incident,
        state: 'acknowledged',
        acknowledgedBy: command.by,
        acknowledgedAtMs: nowMs,
        updatedAtMs: nowMs,
        reasons: [{ stage: 'triage', code: 'acknowledged', text } as const, ...row.incident.reasons].slice(
          0,
          20,
        ),
      },
      revisions,
    );
    return { status: 'done', result: { incidentId, revision: row.incident.revision } };
  }
}

/** The highest severity among changed signals. */
function worstOf(changes: readonly SignalChange[]): Severity {
  return changes.reduce<Severity>((worst, { signal }) => maxSeverity(worst, signal.severity), 'unknown');
}
