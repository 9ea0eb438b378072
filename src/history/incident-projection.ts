import { labelValue } from '../alert/index.ts';
import type { Table } from '../engine/index.ts';
import type { Candidate, CandidateChange, Incident, Priority, TocsinFrame } from '../incident/index.ts';
import { bandsOf } from './bands.ts';
import { labelPairsColumn, nullableTimeColumn, reasonsColumn, timeColumn } from './columns.ts';
import type { RowEmitter } from './row-emitter.ts';
import type { SignalProjection } from './signal-projection.ts';

/** What is remembered of a candidate that is not yet resolved. */
export interface RememberedCandidate {
  readonly signalIds: readonly string[];
  /** The templates whose sketches are already in the history for this incident. */
  readonly templates: string[];
  /** It was urgent enough to be worth finding again. */
  isRecallable: boolean;
}

/** Sketches kept of one incident. The first are enough to know it again, and a storm of a thousand texts stays cheap. */
const maxSketchesPerIncident = 16;
const maxLabelPairs = 32;

export interface IncidentProjectionOptions {
  readonly candidates: Table<RememberedCandidate>;
  readonly signals: SignalProjection;
  readonly rows: RowEmitter;
  /** Incidents that never were this urgent are not asked about, and get no sketch to be found by. */
  readonly recallableFrom: () => Priority;
}

/** Rows of tables `incidents`, `memberships`, `links`, and `incident_sketches`, from which the database makes `sketch_bands`. */
export class IncidentProjection {
  readonly #candidates: Table<RememberedCandidate>;
  readonly #signals: SignalProjection;
  readonly #rows: RowEmitter;
  readonly #recallableFrom: () => Priority;
  /** Derived from `candidates`: the unresolved candidate that a signal belongs to. */
  readonly #candidateOf = new Map<string, string>();

  constructor({ candidates, signals, rows, recallableFrom }: IncidentProjectionOptions) {
    this.#candidates = candidates;
    this.#signals = signals;
    this.#rows = rows;
    this.#recallableFrom = recallableFrom;
  }

  restore(): void {
    for (const [id, { signalIds }] of this.#candidates.entries()) {
      for (const signalId of signalIds) this.#candidateOf.set(signalId, id);
    }
  }

  onFrame({ flow }: TocsinFrame): void {
    for (const change of flow.candidateChanges) this.#projectCandidate(change);
    for (const incident of flow.incidents) {
      this.#pushIncident(incident);
      this.#makeRecallable(incident);
    }
    for (const { candidate } of flow.candidateChanges) this.#forget(candidate);
    for (const { signal } of flow.signalChanges) {
      if (!this.#candidateOf.has(signal.id)) this.#signals.forgetResolved(signal.id);
    }
  }

  #projectCandidate({ change, candidate, links }: CandidateChange): void {
    const before = this.#candidates.get(candidate.id);
    const { templates, isRecallable } = before ?? { templates: [], isRecallable: false };
    const isMerged = candidate.state === 'merged';
    const after = isMerged ? [] : candidate.signalIds;
    for (const signalId of leftOf(before?.signalIds ?? (isMerged ? candidate.signalIds : []), after)) {
      if (this.#candidateOf.get(signalId) === candidate.id) this.#candidateOf.delete(signalId);
      this.#pushMembership(candidate, signalId, 'left', change);
    }
    for (const signalId of leftOf(after, before?.signalIds ?? [])) {
      this.#candidateOf.set(signalId, candidate.id);
      this.#pushMembership(candidate, signalId, 'joined', change);
      if (isRecallable) this.#pushSketch(candidate, signalId, templates);
    }
    for (const link of links) {
      this.#rows.push('links', {
        domain: candidate.domain,
        incident_id: candidate.id,
        from_signal_id: link.fromSignalId,
        to_signal_id: link.toSignalId,
        weight: link.weight,
        reasons: reasonsColumn(link.reasons),
      });
    }
    this.#candidates.set(candidate.id, { signalIds: after, templates, isRecallable });
  }

  #pushMembership(
    candidate: Candidate,
    signalId: string,
    change: 'joined' | 'left',
    cause: CandidateChange['change'],
  ): void {
    this.#rows.push('memberships', {
      domain: candidate.domain,
      incident_id: candidate.id,
      signal_id: signalId,
      change,
      cause,
    });
  }

  #makeRecallable(incident: Incident): void {
    const remembered = this.#candidates.get(incident.id);
    if (!remembered || remembered.isRecallable || incident.priority > this.#recallableFrom()) return;
    remembered.isRecallable = true;
    for (const signalId of remembered.signalIds) this.#pushSketch(incident, signalId, remembered.templates);
    this.#candidates.touch(incident.id);
  }

  #pushSketch(
    incident: Pick<Incident, 'id' | 'domain' | 'openedAtMs'>,
    signalId: string,
    templates: string[],
  ): void {
    const signal = this.#signals.get(signalId);
    if (!signal || signal.signature.length === 0) return;
    if (templates.length >= maxSketchesPerIncident || templates.includes(signal.template)) return;
    templates.push(signal.template);
    this.#rows.push('incident_sketches', {
      domain: incident.domain,
      incident_id: incident.id,
      signal_id: signalId,
      opened_at: timeColumn(incident.openedAtMs),
      template: signal.template,
      alertname: labelValue(signal.labels, 'alertname'),
      labels: labelPairsColumn(signal.labels, maxLabelPairs),
      signature: signal.signature,
      bands: bandsOf(signal.signature),
    });
  }

  #pushIncident(incident: Incident): void {
    this.#rows.push('incidents', {
      domain: incident.domain,
      incident_id: incident.id,
      revision: incident.revision,
      state: incident.state,
      title: incident.title,
      severity: incident.severity,
      priority: incident.priority,
      confidence: incident.confidence,
      category: incident.category,
      services: incident.services,
      signal_count: incident.signalCount,
      alert_count: incident.alertCount,
      probable_causes: incident.probableCauses.map(({ signalId, text, score }) => ({
        signal_id: signalId,
        text,
        score,
      })),
      reasons: reasonsColumn(incident.reasons),
      opened_at: timeColumn(incident.openedAtMs),
      resolved_at: nullableTimeColumn(incident.resolvedAtMs),
      acknowledged_by: incident.acknowledgedBy ?? '',
      acknowledged_at: nullableTimeColumn(incident.acknowledgedAtMs),
      merged_into: incident.mergedInto ?? '',
      surprise: incident.surprise,
      similar: incident.similar.map(({ incidentId, title, similarity }) => ({
        incident_id: incidentId,
        title,
        similarity,
      })),
      history_missing: incident.historyMissing,
    });
  }

  /** Lets go of a candidate that is over, and of its signals that have resolved. Those that still fire go when they resolve. */
  #forget({ id, state }: Candidate): void {
    if (state === 'open') return;
    const remembered = this.#candidates.get(id);
    if (!remembered) return;
    this.#candidates.delete(id);
    for (const signalId of remembered.signalIds) {
      if (this.#candidateOf.get(signalId) !== id) continue;
      this.#candidateOf.delete(signalId);
      this.#signals.forgetResolved(signalId);
    }
  }
}

/** The elements of `from` that are not in `other`. Cheap when `from` only grew out of `other`. */
function leftOf(from: readonly string[], other: readonly string[]): readonly string[] {
  let same = 0;
  while (same < from.length && same < other.length && from[same] === other[same]) same++;
  if (same === from.length) return [];
  if (same === other.length) return from.slice(same);
  const rest = new Set(other.slice(same));
  return from.slice(same).filter((id) => !rest.has(id));
}
