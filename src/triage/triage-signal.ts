import type { Labels, Severity } from '../alert/index.ts';
import type { Reason, ServiceGraph, Signal } from '../incident/index.ts';

/** What triage remembers of a signal. */
export interface TriageSignal {
  readonly id: string;
  readonly labels: Labels;
  readonly text: string;
  readonly template: string;
  readonly signature: readonly number[];
  severity: Severity;
  /** When it began to fire, or returned to an incident that was not open. */
  sinceMs: number;
  alertCount: number;
  /** The highest surprise so far; null while its baseline is learning. */
  surprise: number | null;
  /** The open incident that it belongs to; it is forgotten with it. */
  incidentId: string | null;
  /** How many signals with its alert name had been in incidents of its domain before it came into its own. */
  earlierCount?: number;
  /** Why it flaps; absent while it does not. */
  flapping?: Reason;
}

/** A signal and what is read from its labels. */
export interface Member {
  readonly signal: TriageSignal;
  readonly service: string | null;
}

export function createTriageSignal(signal: Signal): TriageSignal {
  const { id, labels, text, template, signature, severity, firstAtMs: sinceMs, alertCount } = signal;
  return {
    id,
    labels,
    text,
    template,
    signature,
    severity,
    sinceMs,
    alertCount,
    surprise: null,
    incidentId: null,
  };
}

/** The distinct services of the members, in the order of their first signal. */
export function servicesOf(members: readonly Member[]): string[] {
  const services = new Set<string>();
  for (const { service } of members) if (service !== null) services.add(service);
  return [...services];
}

export function createMember(signal: TriageSignal, graph: ServiceGraph): Member {
  return { signal, service: graph.serviceOf(signal.labels) };
}
