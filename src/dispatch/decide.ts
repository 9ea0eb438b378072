import { priorities, type Incident, type Priority } from '../incident/index.ts';
import type { Told } from './group.ts';

export interface FlushQuestion {
  readonly nowMs: number;
  /** Fingerprints of the group's alerts that are not muted. */
  readonly firing: readonly string[];
  readonly resolved: readonly string[];
  readonly told: Told | undefined;
  readonly repeatIntervalMs: number;
  readonly sendResolved: boolean;
  /** Set for groups of an incident. */
  readonly incident: Incident | null;
  readonly minPriority: Priority | null;
}

export type FlushAnswer =
  | { readonly sends: true; readonly reason: string }
  | { readonly sends: false; readonly because: string };

/**
 * Whether a flush sends something, and why. For groups by labels these are Alertmanager's rules (notify/notify.go,
 * `DedupStage.needsUpdate`). A group of an incident is calmer: after the first page, more alerts of the same incident page nobody;
 * a raised priority, the end of it all and the repeat interval do. Acknowledged incidents are not repeated.
 */
export function decideFlush(question: FlushQuestion): FlushAnswer {
  const { firing, resolved, told, sendResolved, incident } = question;
  if (firing.length + resolved.length === 0) return held('every alert is muted');
  if (!told || told.firing.length === 0) {
    if (firing.length === 0)
      return held(told ? 'nothing new has resolved' : 'all resolved before anybody was told');
    return incident
      ? decideFirstPage(question, incident)
      : sent(told ? 'new alerts added' : 'first notification');
  }
  if (firing.length === 0) {
    return sendResolved
      ? sent('all alerts resolved')
      : held('all resolved; the receiver does not want to hear of it');
  }
  if (incident) return decideLaterPage(question, incident, told);
  if (!isSubset(firing, told.firing)) return sent('new alerts added');
  if (sendResolved && !isSubset(resolved, told.resolved)) return sent('some alerts resolved');
  return decideRepeat(question, told);
}

function decideFirstPage({ minPriority, told }: FlushQuestion, incident: Incident): FlushAnswer {
  if (incident.state === 'resolved') return held('the incident was resolved by hand');
  if (minPriority !== null && isLess(incident.priority, minPriority)) {
    return held(`${incident.priority} is below ${minPriority}, from which this route pages`);
  }
  return sent(told ? 'new alerts added' : 'first notification');
}

function decideLaterPage(question: FlushQuestion, incident: Incident, told: Told): FlushAnswer {
  if (incident.state === 'resolved') return held('the incident was resolved by hand');
  if (told.priority !== null && isLess(told.priority, incident.priority)) {
    return sent(`priority raised from ${told.priority} to ${incident.priority}`);
  }
  if (incident.state === 'acknowledged')
    return held(`acknowledged by ${incident.acknowledgedBy ?? 'somebody'}`);
  return decideRepeat(question, told);
}

function decideRepeat({ nowMs, repeatIntervalMs }: FlushQuestion, told: Told): FlushAnswer {
  return told.atMs + repeatIntervalMs < nowMs
    ? sent('repeat interval elapsed')
    : held('nothing has changed since the last page');
}

/** Whether `a` is less urgent than `b`. */
export function isLess(a: Priority, b: Priority): boolean {
  return priorities.indexOf(a) > priorities.indexOf(b);
}

function isSubset(part: readonly string[], whole: readonly string[]): boolean {
  const set = new Set(whole);
  return part.every((element) => set.has(element));
}

function sent(reason: string): FlushAnswer {
  return { sends: true, reason };
}

function held(because: string): FlushAnswer {
  return { sends: false, because };
}
