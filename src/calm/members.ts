import { fingerprint, labelValue, type Severity } from '../alert/index.ts';
import type { StageContext, Table } from '../engine/index.ts';
import type { CandidateChange, ServiceGraph, Signal } from '../incident/index.ts';

/** What is remembered of a signal until it and its incident are over. */
export interface MemberSignal {
  readonly id: string;
  readonly domain: string;
  /** Alertname, or the template where there is none. */
  readonly kind: string;
  readonly text: string;
  /** By what its past is found again: 16 hex digits. */
  readonly pastKey: string;
  readonly service: string | null;
  severity: Severity;
  /** When it opened or returned last. */
  sinceMs: number;
  isFiring: boolean;
  /** It did not go as it came: it flapped, or somebody took care of it. */
  isDisturbed: boolean;
  incidentId: string | null;
}

/** What is remembered of an incident while it is open. */
export interface MemberIncident {
  readonly id: string;
  readonly domain: string;
  /** When it opened or reopened. */
  readonly sinceMs: number;
  /** When a signal joined or returned last. */
  lastAtMs: number;
  readonly services: string[];
  readonly kinds: string[];
  /** The first signal of each kind. */
  readonly firstOfKind: string[];
  /** Somebody takes care of it. */
  isTouched: boolean;
  /** The storm that it takes part in, and the incident that stands for it there: itself, or another. */
  stormId: string | null;
  rootId: string | null;
  /** Until when its first page has time; null where it has none, and `isDue` once it will have none. */
  holdUntilMs: number | null;
  isDue: boolean;
}

const maxKept = 64;

/** Open incidents and their signals. */
export class Members {
  readonly signals: Table<MemberSignal>;
  readonly incidents: Table<MemberIncident>;

  constructor(context: StageContext) {
    this.signals = context.table<MemberSignal>('signals');
    this.incidents = context.table<MemberIncident>('incidents');
  }

  /** A signal opened or returned. */
  begin(signal: Signal, graph: ServiceGraph, nowMs: number): MemberSignal {
    const known = this.signals.get(signal.id);
    const { id, domain, labels, template, text, severity } = signal;
    const kind = labelValue(labels, 'alertname') || template;
    const service = graph.serviceOf(labels);
    const incidentId = known?.incidentId ?? null;
    const member: MemberSignal = {
      id,
      domain,
      kind,
      text,
      pastKey: fingerprint(['domain', domain, 'kind', kind, 'service', service ?? '', 'template', template]),
      service,
      severity,
      sinceMs: nowMs,
      isFiring: true,
      isDisturbed: false,
      incidentId,
    };
    this.signals.set(id, member);
    const incident = incidentId === null ? undefined : this.incidents.get(incidentId);
    if (incident) {
      incident.lastAtMs = nowMs;
      this.incidents.touch(incident.id);
    }
    return member;
  }

  /** A signal resolved. Forgets it where its incident is over. */
  end(member: MemberSignal): void {
    member.isFiring = false;
    if (member.incidentId === null || !this.incidents.has(member.incidentId)) this.signals.delete(member.id);
    else this.signals.touch(member.id);
  }

  /** Takes over what correlation says of an incident. Undefined where it is over. */
  follow({ change, candidate }: CandidateChange, nowMs: number): MemberIncident | undefined {
    if (candidate.state !== 'open') {
      this.#close(candidate.id, candidate.signalIds, candidate.state === 'resolved');
      return undefined;
    }
    let incident = this.incidents.get(candidate.id);
    const isWhole = !incident || change === 'merged' || change === 'split' || change === 'reopened';
    if (!incident) {
      incident = createIncident(candidate.id, candidate.domain, nowMs);
      this.incidents.set(candidate.id, incident);
    }
    // New signals are last; only what was regrouped is walked whole.
    for (let i = candidate.signalIds.length - 1; i >= 0; i--) {
      const signal = this.signals.get(candidate.signalIds[i]!);
      if (signal?.incidentId === incident.id && !isWhole) break;
      if (!signal || (signal.incidentId === incident.id && incident.kinds.includes(signal.kind))) continue;
      signal.incidentId = incident.id;
      this.signals.touch(signal.id);
      incident.lastAtMs = Math.max(incident.lastAtMs, signal.sinceMs);
      if (note(incident.kinds, signal.kind)) incident.firstOfKind.push(signal.id);
      if (signal.service !== null) note(incident.services, signal.service);
    }
    this.incidents.touch(incident.id);
    return incident;
  }

  /** Somebody takes care of the incident. */
  markTouched(incidentId: string): void {
    const incident = this.incidents.get(incidentId);
    if (!incident || incident.isTouched) return;
    incident.isTouched = true;
    this.incidents.touch(incidentId);
  }

  /** What fires on after its incident has ended was closed by hand; what was merged goes on in another one. */
  #close(incidentId: string, signalIds: readonly string[], hasEnded: boolean): void {
    const wasOpen = this.incidents.delete(incidentId);
    for (const id of signalIds) {
      const signal = this.signals.get(id);
      // What was never seen open has taken over what has ended with it.
      if (!signal || (wasOpen ? signal.incidentId !== incidentId : signal.isFiring)) continue;
      if (!signal.isFiring) this.signals.delete(id);
      else if (hasEnded) {
        signal.isDisturbed = true;
        this.signals.touch(id);
      }
    }
  }
}

function createIncident(id: string, domain: string, nowMs: number): MemberIncident {
  return {
    id,
    domain,
    sinceMs: nowMs,
    lastAtMs: nowMs,
    services: [],
    kinds: [],
    firstOfKind: [],
    isTouched: false,
    stormId: null,
    rootId: null,
    holdUntilMs: null,
    isDue: false,
  };
}

/** False where it is there already, or there is no room. */
function note(list: string[], value: string): boolean {
  if (list.length >= maxKept || list.includes(value)) return false;
  list.push(value);
  return true;
}
