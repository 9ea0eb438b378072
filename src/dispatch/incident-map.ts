import type { StageContext, Table } from '../engine/index.ts';
import type { CandidateChange, Incident } from '../incident/index.ts';
import { urgencyOf, type Urgency } from './urgency.ts';

/** Which incident a signal belongs to, and each incident's newest revision, as the flow has told so far. */
export class IncidentMap {
  readonly #incidentOf: Table<string>;
  readonly #incidents: Table<Incident>;
  /** How urgent each acknowledged incident was when that happened. */
  readonly #acknowledged: Table<Urgency>;
  /** The signals that each candidate which is over named last. */
  readonly #namedBy: Table<readonly string[]>;
  readonly #signalsOf = new Map<string, Set<string>>();

  constructor(context: StageContext) {
    this.#incidentOf = context.table<string>('signal-incidents');
    this.#incidents = context.table<Incident>('incidents');
    this.#acknowledged = context.table<Urgency>('acknowledged');
    this.#namedBy = context.table<readonly string[]>('named-by');
  }

  restore(): void {
    this.#signalsOf.clear();
    for (const [signalId, incidentId] of this.#incidentOf.entries()) this.#index(signalId, incidentId);
  }

  incidentOf(signalId: string | null): string | null {
    return signalId === null ? null : (this.#incidentOf.get(signalId) ?? null);
  }

  incident(id: string | null): Incident | null {
    return id === null ? null : (this.#incidents.get(id) ?? null);
  }

  /** How urgent the incident was when it was acknowledged; null when it is not. */
  acknowledged(id: string | null): Urgency | null {
    return id === null ? null : (this.#acknowledged.get(id) ?? null);
  }

  set(incident: Incident): void {
    const { id, state } = incident;
    this.#incidents.set(id, incident);
    if (state !== 'acknowledged') this.#acknowledged.delete(id);
    else if (!this.#acknowledged.has(id)) this.#acknowledged.set(id, urgencyOf(incident));
  }

  /**
   * Takes over what correlation says; gives the signals that belong to another incident now. A candidate that is over goes on naming
   * signals that have returned in a later one: only those that it did not name before are its own. One that was over within the moment of
   * its begin never was an incident, and has none.
   */
  learn({ candidate }: CandidateChange): string[] {
    const { id, state, signalIds } = candidate;
    if (state !== 'open' && !this.#incidents.has(id)) return [];
    const named = new Set(this.#namedBy.get(id));
    const isKnownOver = this.#namedBy.has(id);
    if (state === 'open') this.#namedBy.delete(id);
    else this.#namedBy.set(id, signalIds);
    const moved: string[] = [];
    for (const signalId of signalIds) {
      const before = this.#incidentOf.get(signalId);
      if (before === id) continue;
      if (before !== undefined) {
        if (state !== 'open' && (isKnownOver ? named.has(signalId) : this.#isOpen(before))) continue;
        this.#signalsOf.get(before)?.delete(signalId);
      }
      this.#incidentOf.set(signalId, id);
      this.#index(signalId, id);
      moved.push(signalId);
    }
    return moved;
  }

  forget(incidentId: string): void {
    this.#incidents.delete(incidentId);
    this.#acknowledged.delete(incidentId);
    this.#namedBy.delete(incidentId);
    for (const signalId of this.#signalsOf.get(incidentId) ?? []) this.#incidentOf.delete(signalId);
    this.#signalsOf.delete(incidentId);
  }

  #isOpen(incidentId: string): boolean {
    const state = this.#incidents.get(incidentId)?.state;
    return state === 'open' || state === 'acknowledged';
  }

  #index(signalId: string, incidentId: string): void {
    const signals = this.#signalsOf.get(incidentId);
    if (signals) signals.add(signalId);
    else this.#signalsOf.set(incidentId, new Set([signalId]));
  }
}
