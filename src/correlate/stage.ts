import { labelValue, type Alert } from '../alert/index.ts';
import type { StageContext } from '../engine/index.ts';
import {
  commandOf,
  readServiceGraph,
  type AlertChange,
  type Candidate,
  type ConfigEntry,
  type SignalChange,
  type TocsinFrame,
  type TocsinStage,
} from '../incident/index.ts';
import { Background } from './background.ts';
import { copyCandidate, type CandidateRow, type SignalRow } from './candidate-row.ts';
import { Candidates } from './candidates.ts';
import { CorrelateCommands } from './commands.ts';
import { Companions } from './companions.ts';
import { correlateConfig, type CorrelateConfig } from './config.ts';
import { Placement } from './placement.ts';

/** Correlation, and what it knows. The queries return copies. */
export interface CorrelateStage extends TocsinStage {
  /** The candidates remembered: open, resolved or merged, the oldest first. */
  candidates(): Candidate[];
  candidate(id: string): Candidate | undefined;
  /** The candidate that the signal belongs to. */
  candidateOfSignal(signalId: string): Candidate | undefined;
  /** Whether the command is a merge or split that can be taken back. */
  remembers(commandId: string): boolean;
}

/**
 * Puts each signal into one candidate incident, with the evidence for it, and carries out `incident.merge`, `.split`,
 * `.resolve` and `.undo`. The work for one signal does not grow with the number of open signals or candidates.
 */
export function createCorrelateStage(context: StageContext): CorrelateStage {
  return new Correlate(context);
}

class Correlate implements CorrelateStage {
  readonly name = 'correlate';
  readonly #background: Background;
  readonly #companions: Companions;
  readonly #candidates: Candidates;
  readonly #commands: CorrelateCommands;
  #config: CorrelateConfig = correlateConfig.parse({});
  #placement: Placement;

  constructor(context: StageContext) {
    const graph = readServiceGraph(null);
    this.#background = new Background(context);
    this.#companions = new Companions(context);
    this.#candidates = new Candidates(context, this.#config, graph);
    this.#commands = new CorrelateCommands(context, this.#candidates);
    this.#placement = new Placement(
      this.#candidates,
      this.#background,
      this.#companions,
      this.#config,
      graph,
    );
  }

  restore(config: TocsinFrame['entry']): void {
    this.#configure(config?.kind === 'config' ? config : null);
  }

  onFrame(frame: TocsinFrame): void {
    const { entry, flow } = frame;
    if (entry?.kind === 'config') this.#configure(entry);
    const command = commandOf(frame);
    if (command) {
      const answer = this.#commands.apply(command, this.#config, frame.timeMs);
      if (answer) flow.answer = answer;
    }
    const events = readEvents(frame);
    const returned = this.#hear(events, frame.timeMs);
    for (const change of flow.signalChanges) {
      const signal = this.#candidates.signal(change.signal.id);
      if (signal && returned.has(signal)) this.#candidates.setFiring(signal, true);
      else this.#onSignal(change, events.has(change.signal.id), frame.timeMs);
    }
    for (const signal of returned) this.#placement.replace(signal, frame.timeMs);
    if (returned.size > 0) this.#endReturned(flow.signalChanges, returned, frame.timeMs);
    for (let i = 0; i < flow.alertChanges.length; i++) {
      const { change, alert } = flow.alertChanges[i]!;
      if (change === 'fired') this.#onFired(alert, flow.sightings[i]?.signalId ?? '', frame.timeMs);
    }
    this.#publish(frame);
  }

  onTimer(key: string, frame: TocsinFrame): void {
    const [what = '', id = ''] = splitOnce(key);
    if (what === 'forget') {
      this.#commands.forget(id);
      return;
    }
    const row = this.#candidates.get(id);
    if (!row) return;
    if (what === 'drop') this.#candidates.drop(row);
    else if (what === 'rest') this.#candidates.schedule(row, frame.timeMs);
    else if (what === 'idle') this.#closeIdle(row, frame.timeMs);
    this.#publish(frame);
  }

  candidates(): Candidate[] {
    return [...this.#candidates.all()].map((row) => copyCandidate(row));
  }

  candidate(id: string): Candidate | undefined {
    const row = this.#candidates.get(id);
    return row && copyCandidate(row);
  }

  candidateOfSignal(signalId: string): Candidate | undefined {
    return this.candidate(this.#candidates.signal(signalId)?.candidateId ?? '');
  }

  remembers(commandId: string): boolean {
    return this.#commands.remembers(commandId);
  }

  #configure(entry: ConfigEntry | null): void {
    this.#config = (entry?.payload['correlate'] as CorrelateConfig | undefined) ?? correlateConfig.parse({});
    const graph = readServiceGraph(entry?.payload ?? null);
    this.#candidates.rebuild(this.#config, graph);
    this.#placement = new Placement(
      this.#candidates,
      this.#background,
      this.#companions,
      this.#config,
      graph,
    );
  }

  #publish(frame: TocsinFrame): void {
    const changes = this.#candidates.takeChanges();
    if (changes.length > 0) frame.flow.candidateChanges = changes;
  }

  /**
   * Takes in the reports of known signals that are events. Those that are heard of within their own time are counted where they are;
   * returned are those whose time was over, to look for their place again once all others are counted.
   */
  #hear(events: ReadonlyMap<string, number>, nowMs: number): ReadonlySet<SignalRow> {
    const returned = new Set<SignalRow>();
    const kept = new Map<CandidateRow, SignalRow[]>();
    for (const id of events.keys()) {
      const signal = this.#candidates.signal(id);
      const row = signal?.pace && this.#candidates.get(signal.candidateId);
      if (!signal?.pace || !row) continue;
      if (this.#placement.hasReturned(signal.pace, row, nowMs)) returned.add(signal);
      else if (kept.has(row)) kept.get(row)!.push(signal);
      else kept.set(row, [signal]);
    }
    for (const [row, signals] of kept) {
      const isRevived = this.#placement.isRevived(row, signals.length, nowMs);
      for (const signal of signals) {
        this.#placement.hear(signal, row, events.get(signal.id) ?? 1, isRevived, nowMs);
      }
    }
    return returned;
  }

  /** What began anew may be over within the same moment. */
  #endReturned(changes: readonly SignalChange[], returned: ReadonlySet<SignalRow>, nowMs: number): void {
    const last = new Map(changes.map((change) => [change.signal.id, change]));
    for (const change of last.values()) {
      const signal = this.#candidates.signal(change.signal.id);
      if (signal && returned.has(signal) && change.signal.state === 'resolved')
        this.#onSignal(change, false, nowMs);
    }
  }

  #onSignal({ change, signal }: SignalChange, isEvent: boolean, nowMs: number): void {
    const known = this.#candidates.signal(signal.id);
    const row = known && this.#candidates.get(known.candidateId);
    if (!known || !row) {
      if (signal.state !== 'resolved') this.#placement.place(signal, isEvent, nowMs);
      return;
    }
    this.#candidates.setFiring(known, signal.state !== 'resolved');
    if (signal.state === 'resolved') {
      this.#onQuiet(row, nowMs);
      return;
    }
    const returns = change === 'opened' || change === 'reopened' || change === 'escalated';
    if (returns && row.candidate.state === 'resolved') {
      if (nowMs - (row.candidate.resolvedAtMs ?? nowMs) > this.#config.reopen_window) {
        this.#placement.place(signal, isEvent, nowMs);
        return;
      }
      this.#candidates.reopen(row, `${signal.text} returned`, nowMs);
    }
    this.#candidates.note(row, 'updated');
    if (!returns && change !== 'grown') return;
    if (returns) this.#placement.reconsider(known, row, nowMs);
    else row.candidate.lastAtMs = nowMs;
    this.#candidates.schedule(row, nowMs);
  }

  /** An alert that fires after its incident was closed by hand, while other alerts of its signal still fire, is news. */
  #onFired(alert: Alert, signalId: string, nowMs: number): void {
    const known = this.#candidates.signal(signalId);
    const row = known && this.#candidates.get(known.candidateId);
    if (row?.candidate.state !== 'resolved' || !known?.isFiring) return;
    const name = labelValue(alert.labels, 'alertname') || 'an alert';
    this.#candidates.reopen(row, `${name} fired after it was closed`, nowMs);
    row.candidate.lastAtMs = nowMs;
    this.#candidates.schedule(row, nowMs);
  }

  #onQuiet(row: CandidateRow, nowMs: number): void {
    if (row.candidate.state === 'open' && row.firingCount === 0) {
      this.#candidates.resolve(row, 'all_resolved', 'all signals resolved', nowMs);
    } else this.#candidates.note(row, 'updated');
  }

  /** Closes what has been idle too long, or looks again when it has not. */
  #closeIdle(row: CandidateRow, nowMs: number): void {
    if (row.candidate.state !== 'open') return;
    if (nowMs - row.candidate.lastAtMs < this.#config.max_idle) this.#candidates.schedule(row, nowMs);
    else this.#candidates.resolve(row, 'idle', 'nothing new for too long', nowMs);
  }
}

/** How many reports there are in this frame of each signal whose alerts are told as events: nobody says when they end. */
function readEvents({ flow: { alertChanges, sightings } }: TocsinFrame): ReadonlyMap<string, number> {
  if (!alertChanges.some(isEvent)) return noEvents;
  const events = new Map<string, number>();
  for (let i = 0; i < alertChanges.length; i++) {
    const id = sightings[i]?.signalId;
    if (id != null && isEvent(alertChanges[i]!)) events.set(id, (events.get(id) ?? 0) + 1);
  }
  return events;
}

const noEvents: ReadonlyMap<string, number> = new Map();

function isEvent({ change, alert, index }: AlertChange): boolean {
  return (
    index >= 0 && alert.endsByTimeout && change !== 'resolved' && change !== 'expired' && change !== 'ignored'
  );
}

function splitOnce(key: string): string[] {
  const at = key.indexOf('/');
  return [key.slice(0, at), key.slice(at + 1)];
}
