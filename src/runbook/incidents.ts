import { labelValue, type Labels, type Matcher } from '../alert/index.ts';
import type { StageContext, Table } from '../engine/index.ts';
import type { CandidateChange, Incident, ServiceGraph, SignalChange } from '../incident/index.ts';
import type { RunSubject } from './request.ts';

/** An incident as runbooks see it. */
export interface KnownIncident {
  /** The last revision. */
  readonly incident: Incident;
  /** Its runs, the oldest first. */
  readonly runIds: readonly string[];
}

interface KnownSignal {
  readonly labels: Labels;
  readonly incidentId: string | null;
}

/** Labels of later signals of a large incident are not looked at. */
const maxSignals = 256;

/** What the runbook stage remembers of incidents and of the labels of their signals. */
export class KnownIncidents {
  readonly #incidents: Table<KnownIncident>;
  readonly #signals: Table<KnownSignal>;
  /** Signal ids by incident. */
  readonly #members: Table<readonly string[]>;

  constructor(context: StageContext) {
    this.#incidents = context.table('incidents');
    this.#signals = context.table('signals');
    this.#members = context.table('members');
  }

  get(id: string): KnownIncident | undefined {
    return this.#incidents.get(id);
  }

  noteSignal({ signal }: SignalChange): void {
    const known = this.#signals.get(signal.id);
    if (!known) {
      if (signal.state !== 'resolved')
        this.#signals.set(signal.id, { labels: signal.labels, incidentId: null });
    } else if (signal.state === 'resolved' && known.incidentId === null) this.#signals.delete(signal.id);
  }

  noteCandidate({ candidate }: CandidateChange): void {
    const before = this.#members.get(candidate.id) ?? [];
    const after = candidate.signalIds;
    this.#members.set(candidate.id, after);
    // A candidate that is over goes on naming signals that may belong to a later one by now.
    if (candidate.state !== 'open') return;
    // Signals are appended: in a storm only the new ones are looked at.
    const isAppended = before.length > 0 && after[before.length - 1] === before.at(-1);
    for (let i = isAppended ? before.length : 0; i < after.length; i++) {
      const id = after[i] ?? '';
      const signal = this.#signals.get(id);
      if (signal && signal.incidentId !== candidate.id)
        this.#signals.set(id, { ...signal, incidentId: candidate.id });
    }
  }

  noteIncident(incident: Incident): KnownIncident {
    const known = { incident, runIds: this.#incidents.get(incident.id)?.runIds ?? [] };
    this.#incidents.set(incident.id, known);
    return known;
  }

  addRun(incidentId: string, runId: string): void {
    const known = this.#incidents.get(incidentId);
    if (known) this.#incidents.set(incidentId, { ...known, runIds: [...known.runIds, runId] });
  }

  forget(id: string): void {
    for (const signalId of this.#members.get(id) ?? []) {
      if (this.#signals.get(signalId)?.incidentId === id) this.#signals.delete(signalId);
    }
    this.#members.delete(id);
    this.#incidents.delete(id);
  }

  /**
   * Whether all matchers fit. A label may have several values in an incident: `=` and `=~` ask whether one of them fits, `!=` and
   * `!~` whether all of them do. `category`, `priority`, `severity` and `domain` are the incident's own.
   */
  fits({ incident }: KnownIncident, matchers: readonly Matcher[]): boolean {
    return matchers.every((matcher) => {
      const values = this.#valuesOf(incident, matcher.name);
      if (values.size === 0) return matcher.matches('');
      for (const value of values) if (matcher.matches(value) === matcher.isEqual) return matcher.isEqual;
      return !matcher.isEqual;
    });
  }

  /** What a runbook that is started now would be about. */
  subjectOf({ incident }: KnownIncident, graph: ServiceGraph): RunSubject {
    const [cause] = incident.probableCauses;
    const [first] = this.#members.get(incident.id) ?? [];
    const labels = cause?.labels ?? this.#signals.get(first ?? '')?.labels ?? [];
    return {
      incidentId: incident.id,
      service: graph.serviceOf(labels) ?? incident.services[0] ?? '',
      labels,
    };
  }

  #valuesOf(incident: Incident, name: string): ReadonlySet<string> {
    if (name === 'category' || name === 'priority' || name === 'severity' || name === 'domain') {
      return new Set([incident[name]]);
    }
    const values = new Set(name === 'service' ? incident.services : []);
    for (const { labels } of incident.probableCauses) add(values, labelValue(labels, name));
    const members = this.#members.get(incident.id) ?? [];
    for (let i = 0; i < members.length && i < maxSignals; i++) {
      add(values, labelValue(this.#signals.get(members[i] ?? '')?.labels ?? [], name));
    }
    return values;
  }
}

function add(values: Set<string>, value: string): void {
  if (value !== '') values.add(value);
}

/** Nothing of an incident that is over is carried out any more. */
export function isOver({ incident: { state } }: KnownIncident): boolean {
  return state === 'resolved' || state === 'merged';
}
