import type { StageContext, StageTimers, Table } from '../engine/index.ts';
import type { Command, CommandAnswer, CommandOf } from '../incident/index.ts';
import { addReason, setLinks, type CandidateRow } from './candidate-row.ts';
import type { Candidates } from './candidates.ts';
import type { CorrelateConfig } from './config.ts';
import { takeBack, type UndoRecord } from './undo.ts';

type BodyOf<Kind extends Command['kind']> = Extract<Command, CommandOf<Kind, unknown>>['body'];

/**
 * Carries out what people decide about incidents: merge, split, resolve, and undo of each. A command that was carried
 * out can be taken back as long as it is remembered (`correlate.retention`). The same command sent again gets the same answer.
 */
export class CorrelateCommands {
  readonly #candidates: Candidates;
  readonly #undo: Table<UndoRecord>;
  readonly #timers: StageTimers;

  constructor(context: StageContext, candidates: Candidates) {
    this.#candidates = candidates;
    this.#undo = context.table('undo');
    this.#timers = context.timers;
  }

  /** The answer, or null when the command is for another stage. */
  apply(command: Command, config: CorrelateConfig, nowMs: number): CommandAnswer | null {
    switch (command.kind) {
      case 'incident.merge':
      case 'incident.split':
      case 'incident.resolve':
        return this.#applyOnce(command, config, nowMs);
      case 'incident.undo':
        return this.#takeBack(command.body.commandId, command.by, nowMs);
      default:
        return null;
    }
  }

  /** Forgets how to take back a command. */
  remembers(commandId: string): boolean {
    return this.#undo.has(commandId);
  }

  forget(commandId: string): void {
    this.#undo.delete(commandId);
  }

  #applyOnce(
    command: Extract<Command, { kind: 'incident.merge' | 'incident.split' | 'incident.resolve' }>,
    config: CorrelateConfig,
    nowMs: number,
  ): CommandAnswer {
    const known = this.#undo.get(command.id);
    if (known) return done(known.result);
    const outcome = this.#carryOut(command, nowMs);
    if ('status' in outcome) return outcome;
    this.#undo.set(command.id, outcome);
    this.#timers.set(`forget/${command.id}`, nowMs + config.retention);
    return done(outcome.result);
  }

  #carryOut(
    command: Extract<Command, { kind: 'incident.merge' | 'incident.split' | 'incident.resolve' }>,
    nowMs: number,
  ): UndoRecord | CommandAnswer {
    if (command.kind === 'incident.merge') return this.#merge(command.body, command.by, nowMs);
    if (command.kind === 'incident.split') return this.#split(command.body, command.by, nowMs);
    return this.#resolve(command.body, command.by, nowMs);
  }

  #merge(
    { intoId, fromIds }: BodyOf<'incident.merge'>,
    by: string,
    nowMs: number,
  ): UndoRecord | CommandAnswer {
    const into = this.#candidates.get(intoId);
    if (!into) return unknownIncident(intoId);
    if (fromIds.length === 0) return refused('invalid', 'no incident is named');
    if (new Set(fromIds).size < fromIds.length) return refused('invalid', 'an incident is named twice');
    const froms: CandidateRow[] = [];
    for (const id of fromIds) {
      const from = this.#candidates.get(id);
      if (!from) return unknownIncident(id);
      if (id === intoId) return refused('invalid', `${id} cannot be merged into itself`);
      if (from.candidate.domain !== into.candidate.domain) {
        return refused('invalid', `${id} and ${intoId} are of different domains`);
      }
      froms.push(from);
    }
    const merged = [into, ...froms].find((row) => row.candidate.state === 'merged');
    if (merged) return alreadyMerged(merged);
    const before = {
      signalIds: into.candidate.signalIds,
      links: into.candidate.links,
      resolvedAtMs: into.candidate.resolvedAtMs,
    };
    const parts = froms.map((from) => ({
      id: from.candidate.id,
      signalIds: from.candidate.signalIds,
      ownedIds: this.#candidates.ownedBy(from),
      links: from.candidate.links,
      resolvedAtMs: from.candidate.resolvedAtMs,
      wasApart: this.#candidates.endApart(intoId, from.candidate.id),
    }));
    for (const from of froms) this.#candidates.merge(into, from, `by ${by}`, nowMs);
    return {
      kind: 'merge',
      isUndone: false,
      intoId,
      before,
      parts,
      result: { incidentId: intoId, merged: [...fromIds] },
    };
  }

  #split(
    { incidentId, signalIds }: BodyOf<'incident.split'>,
    by: string,
    nowMs: number,
  ): UndoRecord | CommandAnswer {
    const row = this.#candidates.get(incidentId);
    if (!row) return unknownIncident(incidentId);
    if (row.candidate.state === 'merged') return alreadyMerged(row);
    const wanted = new Set(signalIds);
    if (wanted.size === 0) return refused('invalid', 'no signal is named');
    for (const id of wanted) {
      if (!row.candidate.signalIds.includes(id) || this.#candidates.signal(id)?.candidateId !== incidentId) {
        return refused('not_found', `signal ${id} does not belong to ${incidentId}`);
      }
    }
    const moved = row.candidate.signalIds.filter((id) => wanted.has(id));
    if (moved.length === this.#candidates.ownedBy(row).length) {
      return refused('invalid', `all signals of ${incidentId} are named: there is nothing to split off from`);
    }
    const before = { signalIds: row.candidate.signalIds, links: row.candidate.links };
    const part = this.#candidates.open(row.candidate.domain, nowMs);
    part.candidate.lastAtMs = row.candidate.lastAtMs;
    this.#candidates.moveSignals(row, part, moved);
    setLinks(part, before.links);
    for (const side of [row, part]) this.#candidates.nameOnly(side, side.candidate.signalIds);
    this.#candidates.setApart(incidentId, part.candidate.id);
    addReason(
      row,
      'split',
      `${moved.length} of ${before.signalIds.length} signals split off into ${part.candidate.id} by ${by}`,
    );
    addReason(part, 'split', `split off from ${incidentId} by ${by}`);
    const wasOpen = row.candidate.state === 'open';
    for (const side of [row, part]) {
      if (side.firingCount === 0 || !wasOpen) {
        side.candidate.state = 'resolved';
        side.candidate.resolvedAtMs ??= nowMs;
      }
      this.#candidates.schedule(side, nowMs);
      this.#candidates.note(side, 'split');
    }
    const result = { incidentId, newIncidentId: part.candidate.id };
    return { kind: 'split', isUndone: false, incidentId, partId: part.candidate.id, before, result };
  }

  #resolve(
    { incidentId, comment }: BodyOf<'incident.resolve'>,
    by: string,
    nowMs: number,
  ): UndoRecord | CommandAnswer {
    const row = this.#candidates.get(incidentId);
    if (!row) return unknownIncident(incidentId);
    if (row.candidate.state === 'merged') return alreadyMerged(row);
    if (row.candidate.state === 'resolved') return refused('conflict', `${incidentId} is resolved already`);
    this.#candidates.resolve(
      row,
      'resolved_by',
      `resolved by ${by}${comment === '' ? '' : `: ${comment}`}`,
      nowMs,
    );
    return { kind: 'resolve', isUndone: false, incidentId, result: { incidentId } };
  }

  #takeBack(commandId: string, by: string, nowMs: number): CommandAnswer {
    const record = this.#undo.get(commandId);
    if (!record)
      return refused('not_found', `no command ${commandId} that could be taken back is remembered`);
    if (record.isUndone) return refused('conflict', `command ${commandId} has been taken back already`);
    const refusal = takeBack(record, this.#candidates, by, nowMs);
    if (refusal !== null) return refused('conflict', refusal);
    record.isUndone = true;
    this.#undo.touch(commandId);
    return done({ commandId });
  }
}

function done(result: Readonly<Record<string, unknown>>): CommandAnswer {
  return { status: 'done', result };
}

function refused(code: 'not_found' | 'invalid' | 'conflict', message: string): CommandAnswer {
  return { status: 'refused', code, message };
}

function unknownIncident(id: string): CommandAnswer {
  return refused('not_found', `there is no incident ${id}`);
}

function alreadyMerged({ candidate }: CandidateRow): CommandAnswer {
  return refused('conflict', `${candidate.id} has been merged into ${candidate.mergedInto}`);
}
