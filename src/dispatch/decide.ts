import type { Incident, Priority } from '../incident/index.ts';
import type { HeldPage } from './calm.ts';
import type { Told } from './group.ts';
import { isLess, maxUrgency, raise, urgencyOf, type Urgency } from './urgency.ts';

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
  /** How urgent the incident was when it was acknowledged; null when it is not. */
  readonly acknowledged: Urgency | null;
  readonly minPriority: Priority | null;
  /** Why the incident's group flaps; null when it does not, and for other groups. */
  readonly flapping: string | null;
  /** Why the page of another incident is enough for this one; null where it is not. */
  readonly cover: string | null;
  /** How long the incident's first page has time; null where it has none. */
  readonly hold: HeldPage | null;
  /** Why the route notifies of nothing at this time; null when it does. */
  readonly muteReason: string | null;
}

export type FlushAnswer =
  | { readonly sends: true; readonly reason: string }
  /** `againAtMs`: when to ask again, where that may be before the next flush is due. */
  | { readonly sends: false; readonly because: string; readonly againAtMs?: number };

/**
 * Whether a flush sends something, and why. For groups by labels these are Alertmanager's rules (notify/notify.go,
 * `DedupStage.needsUpdate`). A group of an incident is calmer: after the first page, more alerts of the same incident page nobody;
 * a raised priority or severity, its return after somebody closed it, the end of it all and the repeat interval do. Of an acknowledged incident only the first
 * two do, beyond what was known when it was acknowledged. While it flaps it does not end: its comings and goings are told once.
 */
export function decideFlush(question: FlushQuestion): FlushAnswer {
  const { firing, resolved, told, sendResolved, incident, muteReason, flapping } = question;
  if (firing.length + resolved.length === 0) return held('every alert is muted');
  if (muteReason !== null) return held(muteReason);
  if (!told || told.firing.length === 0) {
    if (firing.length === 0) {
      return held(
        told ? 'resolved before anybody was told that it fires' : 'resolved before anybody was told',
      );
    }
    if (incident) return decideFirstPage(question, incident);
    return sent(told ? 'new alerts added' : 'first notification');
  }
  if (firing.length === 0) {
    if (flapping !== null) return held(`told once, and its end is not told yet: ${flapping}`);
    return sendResolved
      ? sent('all alerts resolved')
      : held('the receiver does not want to hear of resolved alerts');
  }
  if (incident) return decideLaterPage(question, incident, told);
  if (!isSubset(firing, told.firing)) return sent('new alerts added');
  if (sendResolved && !isSubset(resolved, told.resolved)) return sent('some alerts resolved');
  return decideRepeat(question, told);
}

/** Nobody has been told of this incident, or only until all its alerts had resolved. */
function decideFirstPage(
  { minPriority, told, acknowledged, cover, hold, nowMs }: FlushQuestion,
  incident: Incident,
): FlushAnswer {
  if (incident.state === 'resolved') return held('the incident was resolved by hand');
  if (minPriority !== null && isLess(incident.priority, minPriority)) {
    return held(`${incident.priority} is below ${minPriority}, from which this route pages`);
  }
  if (acknowledged) {
    const raised = raise(acknowledged, urgencyOf(incident));
    return raised === null ? heldByAcknowledgement(incident) : sent(raised);
  }
  if (cover !== null) return held(cover);
  if (hold !== null && nowMs < hold.untilMs && isLess(incident.priority, leastUnheld)) {
    const until = new Date(hold.untilMs).toISOString().slice(11, 19);
    return { ...held(`has time until ${until} UTC: ${hold.text}`), againAtMs: hold.untilMs };
  }
  return sent(told ? 'fires again' : 'first notification');
}

/** From this priority on no page waits for its incident to be over by itself. */
const leastUnheld: Priority = 'P2';

function decideLaterPage(question: FlushQuestion, incident: Incident, told: Told): FlushAnswer {
  const { acknowledged } = question;
  if (incident.state === 'resolved') return held('the incident was resolved by hand');
  const known =
    acknowledged && told.urgency ? maxUrgency(acknowledged, told.urgency) : (acknowledged ?? told.urgency);
  const raised = known && raise(known, urgencyOf(incident));
  if (raised !== null) return sent(raised);
  if (told.isClosed && !acknowledged) {
    const first = decideFirstPage(question, incident);
    return first.sends ? sent('fires again after it was closed') : first;
  }
  return acknowledged ? heldByAcknowledgement(incident) : decideRepeat(question, told);
}

function decideRepeat({ nowMs, repeatIntervalMs }: FlushQuestion, told: Told): FlushAnswer {
  return told.atMs + repeatIntervalMs < nowMs
    ? sent('repeat interval elapsed')
    : held('nothing has changed since the last page');
}

function heldByAcknowledgement({ acknowledgedBy }: Incident): FlushAnswer {
  return held(`acknowledged by ${acknowledgedBy ?? 'somebody'}`);
}

function isSubset(part: readonly string[], whole: readonly string[]): boolean {
  const set = new Set(whole);
  return part.every((element) => set.has(element));
}

function sent(reason: string): FlushAnswer {
  return { sends: true, reason };
}

function held(because: string): FlushAnswer & { readonly sends: false } {
  return { sends: false, because };
}
