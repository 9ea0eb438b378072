import type { Fact, StageContext, Table } from '../engine/index.ts';
import type { Incident, NotifiedAlert, TocsinFrame, Verdict } from '../incident/index.ts';
import type { Calm } from './calm.ts';
import { decideFlush, type FlushAnswer } from './decide.ts';
import type { Departures } from './departures.ts';
import type { Group, Routed, Told } from './group.ts';
import { flushTimer, type Groups } from './groups.ts';
import type { IncidentMap } from './incident-map.ts';
import type { Pager } from './pager.ts';
import type { Route } from './route.ts';
import { integrationsFor, mutedByTime, type DispatchSettings, type IntegrationSettings } from './settings.ts';

export interface FlusherParts {
  readonly timers: StageContext['timers'];
  readonly groups: Groups;
  readonly map: IncidentMap;
  readonly pager: Pager;
  readonly departures: Departures;
  readonly calm: Calm;
  /** Verdicts on muted alerts. */
  readonly verdicts: Table<Verdict>;
}

/** Alerts of a group at a flush. */
interface Members {
  /** Those that are not muted. */
  readonly heard: readonly Routed[];
  readonly firing: readonly string[];
  readonly resolved: readonly string[];
  /** Those that have resolved, muted or not, by name: they leave with this flush. */
  readonly gone: readonly Leaving[];
}

/** An alert that has resolved, with the name by which its group holds it. */
interface Leaving extends Routed {
  readonly name: string;
}

/** What a flush says to one integration. */
interface Voice {
  readonly integration: IntegrationSettings;
  readonly told: Told | undefined;
  readonly answer: FlushAnswer;
}

interface FlushOutcome {
  readonly pageId: string | null;
  readonly heldBecause: string;
  readonly voices: readonly Voice[];
  readonly nowMs: number;
}

/** What happens when a group's clock strikes, and when a page could not be delivered. */
export class Flusher {
  readonly #parts: FlusherParts;

  constructor(parts: FlusherParts) {
    this.#parts = parts;
  }

  /**
   * Sends what the group has to say, if anything, to each integration for itself. Resolved alerts leave; an empty group ends. Where time
   * intervals mute the route, those whose end somebody waits for stay until it may be told. So do those of an incident whose signal flaps.
   */
  flush(groupId: string, settings: DispatchSettings, frame: TocsinFrame): void {
    const { groups, map, pager, timers, calm } = this.#parts;
    const group = groups.get(groupId);
    const route = group && settings.tree.find(group.routeKey, group.receiver);
    if (!group || !route) return;
    const members = this.#membersOf(group);
    const { firing, resolved } = members;
    const incident = map.incident(group.incidentId);
    const muteReason = mutedByTime(route, settings, frame.timeMs);
    const flapping = incident && calm.flappingOf(members.heard);
    const cover = incident && calm.coverOf(group, incident);
    const hold = incident && calm.holdOf(incident.id);
    const voices = integrationsFor(settings, group.receiver).map((integration): Voice => {
      const told = pager.told(groupId, integration.name);
      const answer = decideFlush({
        nowMs: frame.timeMs,
        firing,
        resolved,
        told,
        repeatIntervalMs: route.repeatIntervalMs,
        sendResolved: integration.sendResolved,
        incident,
        acknowledged: map.acknowledged(group.incidentId),
        minPriority: route.minPriority,
        flapping,
        cover,
        hold,
        muteReason,
      });
      return { integration, told, answer };
    });
    if (incident && cover !== null && voices.some(({ answer }) => !answer.sends && answer.because === cover))
      calm.noteHeld(incident, group.receiver);
    const heldBecause = voices.some(({ answer }) => answer.sends) ? '' : becauseOf(voices, group, incident);
    if (!group.hasFlushed || group.heldBecause !== heldBecause) {
      groups.save({ ...group, hasFlushed: true, heldBecause });
    }
    const pageId = heldBecause === '' ? this.#send(group, route, members, voices, settings, frame) : null;
    if (muteReason === null && flapping === null && firing.length === 0 && resolved.length > 0) {
      for (const { integration, told, answer } of voices) {
        if (answer.sends || !told || told.firing.length === 0) continue;
        const silently = { ...told, firing: [], resolved: resolved.toSorted(), atMs: frame.timeMs };
        pager.setTold(groupId, integration.name, silently);
        timers.set(toldTimer(groupId), frame.timeMs + 2 * route.repeatIntervalMs);
      }
    }
    timers.set(
      flushTimer(groupId),
      Math.min(frame.timeMs + route.groupIntervalMs, ...voices.map(({ answer }) => askAgainMs(answer))),
    );
    const staysAll = flapping !== null && firing.length === 0;
    const gone = members.gone.filter(
      (alert) =>
        (muteReason === null || !isToldOf(alert, voices)) &&
        !(incident && (staysAll || calm.isFlapping(alert.signalId))),
    );
    this.#dismiss(group, gone, { pageId, heldBecause, voices, nowMs: frame.timeMs });
  }

  /** A page was delivered or not. What left its group with one that failed comes back, to be told at the next interval. */
  settle(fact: Fact, settings: DispatchSettings, frame: TocsinFrame): void {
    const { timeMs: nowMs } = frame;
    const { groups, map, pager, departures } = this.#parts;
    const failed = pager.settle(fact, frame);
    if (!failed || fact.outcome.status !== 'failed') return;
    const heldBecause = `page ${fact.effectId} could not be delivered: ${fact.outcome.code}`;
    const { group, gone } = failed;
    const route = settings.tree.find(group.routeKey, group.receiver);
    if (!route || map.incident(group.incidentId)?.state === 'merged') return;
    const current = groups.get(group.id);
    if (current) groups.save({ ...current, heldBecause });
    groups.putBack({ ...group, hasFlushed: true, heldBecause }, gone, nowMs + route.groupIntervalMs);
    for (const { alert } of gone) departures.forget(alert.fingerprint);
  }

  /** `2 * repeat_interval` after its last page Alertmanager forgets what a group's receiver was told. Here that waits for the group's end. */
  expireTold(groupId: string, settings: DispatchSettings, nowMs: number): void {
    const { groups, pager, timers } = this.#parts;
    const group = groups.get(groupId);
    const route = group && settings.tree.find(group.routeKey, group.receiver);
    if (route) timers.set(toldTimer(groupId), nowMs + 2 * route.repeatIntervalMs);
    else pager.forgetTold(groupId);
  }

  #membersOf(group: Group): Members {
    const { groups, verdicts } = this.#parts;
    const heard: Routed[] = [];
    const firing: string[] = [];
    const resolved: string[] = [];
    const gone: Leaving[] = [];
    for (const name of groups.membersOf(group.id)) {
      const routed = groups.routed(name)!;
      const { fingerprint } = routed.alert;
      if (!routed.isFiring) gone.push({ ...routed, name });
      if (verdicts.has(fingerprint)) continue;
      heard.push(routed);
      (routed.isFiring ? firing : resolved).push(fingerprint);
    }
    // Groups keep no order, and who leaves first is remembered first.
    gone.sort((a, b) => (a.name < b.name ? -1 : 1));
    return { heard, firing, resolved, gone };
  }

  #send(
    group: Group,
    route: Route,
    { heard, firing, resolved, gone: left }: Members,
    voices: readonly Voice[],
    { maxSignals }: DispatchSettings,
    frame: TocsinFrame,
  ): string {
    const incident = this.#parts.map.incident(group.incidentId);
    const alerts = heard.map(({ alert, isFiring }): NotifiedAlert => ({
      alert,
      status: isFiring ? 'firing' : 'resolved',
    }));
    const gone = left
      .filter(({ alert }) => !this.#parts.verdicts.has(alert.fingerprint))
      .map(({ alert, signalId }) => ({ alert, signalId }));
    const tellings = voices.flatMap(({ integration, answer }) =>
      answer.sends ? [{ integration, reason: answer.reason }] : [],
    );
    this.#parts.timers.set(toldTimer(group.id), frame.timeMs + 2 * route.repeatIntervalMs);
    const isFiring = incident !== null && firing.length > 0;
    const notices = isFiring ? this.#parts.calm.noticesOf(heard, incident, maxSignals) : [];
    if (isFiring) this.#parts.calm.notePage(incident, group.receiver);
    return this.#parts.pager.send(
      {
        group,
        alerts,
        incident,
        tellings,
        isSole: voices.length === 1,
        firing,
        resolved,
        gone,
        notices,
        retryForMs: route.groupIntervalMs,
      },
      frame,
    );
  }

  #dismiss(
    group: Group,
    gone: readonly Leaving[],
    { pageId, heldBecause, voices, nowMs }: FlushOutcome,
  ): void {
    const { groups, departures, verdicts } = this.#parts;
    const { key, receiver, incidentId } = group;
    const isResolveTold = voices.some(({ integration, answer }) => answer.sends && integration.sendResolved);
    for (const { name, alert } of gone) {
      const isMuted = verdicts.has(alert.fingerprint);
      const isTold = isResolveTold && !isMuted;
      departures.note(alert.fingerprint, {
        key,
        receiver,
        incidentId,
        atMs: nowMs,
        pageId: isTold ? pageId : null,
        heldBecause: isTold
          ? ''
          : isMuted
            ? 'muted when it resolved'
            : heldBecause || 'the receiver does not want to hear of resolved alerts',
      });
      groups.leave(group.id, [name]);
      if (!groups.routed(alert.fingerprint)) verdicts.delete(alert.fingerprint);
    }
  }
}

/** Whether some integration was told that the alert fires, and so waits for its end. */
function isToldOf({ alert }: Routed, voices: readonly Voice[]): boolean {
  return voices.some(({ told }) => told?.firing.includes(alert.fingerprint));
}

/** Of an incident that ended before anybody was told it is kept why nobody was. */
function becauseOf(voices: readonly Voice[], group: Group, incident: Incident | null): string {
  const [first = ''] = voices.flatMap(({ answer }) => (answer.sends ? [] : [answer.because]));
  const isUntold = first.startsWith('resolved before anybody was told');
  if (!isUntold || !incident || !group.hasFlushed || group.heldBecause === '') return first;
  return group.heldBecause.startsWith(first) ? group.heldBecause : `${first} (${group.heldBecause})`;
}

function askAgainMs(answer: FlushAnswer): number {
  return answer.sends ? Infinity : (answer.againAtMs ?? Infinity);
}

export function toldTimer(groupId: string): string {
  return `told/${groupId}`;
}
