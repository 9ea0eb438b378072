import type { StageContext, Table } from '../engine/index.ts';
import type { CandidateChange, Incident } from '../incident/index.ts';

/** Which incident a signal belongs to, and each incident's newest revision, as the flow has told so far. */
export class IncidentMap {
  readonly #incidentOf: Table<string>;
  readonly #incidents: Table<Incident>;
  readonly #signalsOf = new Map<string, Set<string>>();

  constructor(context: StageContext) {
    this.#incidentOf = context.table<string>('signal-incidents');
    this.#incidents = context.table<Incident>('incidents');
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

  set(incident: Incident): void {
    this.#incidents.set(incident.id, incident);
  }

  /** Takes over what correlation says; gives the signals whose incident is another now. */
  learn({ candidate }: CandidateChange): string[] {
    const moved: string[] = [];
    for (const signalId of candidate.signalIds) {
      const before = this.#incidentOf.get(signalId);
      if (before === candidate.id) continue;
      if (before !== undefined) {
        this.#signalsOf.get(before)?.delete(signalId);
        moved.push(signalId);
      }
      this.#incidentOf.set(signalId, candidate.id);
      this.#index(signalId, candidate.id);
    }
    return moved;
  }

  forget(incidentId: string): void {
    this.#incidents.delete(incidentId);
    for (const signalId of this.#signalsOf.get(incidentId) ?? []) this.#incidentOf.delete(signalId);
    this.#signalsOf.delete(incidentId);
  }

  #index(signalId: string, incidentId: string): void {
    const signals = this.#signalsOf.get(incidentId);
    if (signals) signals.add(signalId);
    else this.#signalsOf.set(incidentId, new Set([signalId]));
  }
}
