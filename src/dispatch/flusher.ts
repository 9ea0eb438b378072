import type { Fact, StageContext, Table } from '../engine/index.ts';
import type { NotifiedAlert, TocsinFrame, Verdict } from '../incident/index.ts';
import { decideFlush, type FlushAnswer } from './decide.ts';
import type { Departures } from './departures.ts';
import type { Group, Routed } from './group.ts';
import { flushTimer, type Groups } from './groups.ts';
import type { IncidentMap } from './incident-map.ts';
import type { Pager } from './pager.ts';
import type { Route } from './route.ts';
import type { DispatchSettings } from './settings.ts';

export interface FlusherParts {
  readonly timers: StageContext['timers'];
  readonly groups: Groups;
  readonly map: IncidentMap;
  readonly pager: Pager;
  readonly departures: Departures;
  /** Verdicts on muted alerts. */
  readonly verdicts: Table<Verdict>;
}

/** Alerts of a group at a flush. */
interface Members {
  /** Those that are not muted. */
  readonly heard: readonly Routed[];
  readonly firing: readonly string[];
  readonly resolved: readonly string[];
  /** Those that have resolved, muted or not: they leave with this flush. */
  readonly gone: readonly Routed[];
}

/** What happens when a group's clock strikes, and when a page could not be delivered. */
export class Flusher {
  readonly #parts: FlusherParts;

  constructor(parts: FlusherParts) {
    this.#parts = parts;
  }

  /** Sends what the group has to say, if anything. Resolved alerts leave; an empty group ends. */
  flush(groupId: string, settings: DispatchSettings, frame: TocsinFrame): void {
    const { groups, map, pager, timers } = this.#parts;
    const group = groups.get(groupId);
    const route = group && settings.tree.find(group.routeKey, group.receiver);
    if (!group || !route) return;
    const members = this.#membersOf(group);
    const { firing, resolved } = members;
    const incident = map.incident(group.incidentId);
    const sendResolved = settings.receivers.get(group.receiver)?.sendResolved ?? true;
    const told = pager.told(groupId);
    const answer = decideFlush({
      nowMs: frame.timeMs,
      firing,
      resolved,
      told,
      repeatIntervalMs: route.repeatIntervalMs,
      sendResolved,
      incident,
      acknowledged: map.acknowledged(group.incidentId),
      minPriority: route.minPriority,
    });
    const heldBecause = answer.sends ? '' : answer.because;
    if (!group.hasFlushed || group.heldBecause !== heldBecause) {
      groups.save({ ...group, hasFlushed: true, heldBecause });
    }
    let pageId: string | null = null;
    if (answer.sends) {
      pageId = this.#send(group, route, members, { answer, sendResolved }, frame);
    } else if (told && firing.length === 0 && resolved.length > 0 && told.firing.length > 0) {
      pager.setTold(groupId, { ...told, firing: [], resolved: resolved.toSorted(), atMs: frame.timeMs });
      timers.set(toldTimer(groupId), frame.timeMs + 2 * route.repeatIntervalMs);
    }
    timers.set(flushTimer(groupId), frame.timeMs + route.groupIntervalMs);
    this.#dismiss(group, members.gone, { pageId, heldBecause, sendResolved, nowMs: frame.timeMs });
  }

  /** A page was delivered or not. What left its group with one that failed comes back, to be told at the next interval. */
  settle(fact: Fact, settings: DispatchSettings, nowMs: number): void {
    const { groups, map, pager, departures } = this.#parts;
    const failed = pager.settle(fact);
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
    if (!pager.told(groupId)) return;
    if (route) timers.set(toldTimer(groupId), nowMs + 2 * route.repeatIntervalMs);
    else pager.forgetTold(groupId);
  }

  #membersOf(group: Group): Members {
    const { groups, verdicts } = this.#parts;
    const heard: Routed[] = [];
    const firing: string[] = [];
    const resolved: string[] = [];
    const gone: Routed[] = [];
    for (const name of groups.membersOf(group.id)) {
      const routed = groups.routed(name)!;
      if (!routed.isFiring) gone.push(routed);
      if (verdicts.has(name)) continue;
      heard.push(routed);
      (routed.isFiring ? firing : resolved).push(name);
    }
    return { heard, firing, resolved, gone };
  }

  #send(
    group: Group,
    route: Route,
    { heard, firing, resolved }: Members,
    {
      answer,
      sendResolved,
    }: { readonly answer: FlushAnswer & { sends: true }; readonly sendResolved: boolean },
    frame: TocsinFrame,
  ): string {
    const alerts = heard
      .filter(({ isFiring }) => isFiring || sendResolved)
      .map(({ alert, isFiring }): NotifiedAlert => ({ alert, status: isFiring ? 'firing' : 'resolved' }));
    const incident = this.#parts.map.incident(group.incidentId);
    const gone = heard
      .filter(({ isFiring }) => !isFiring)
      .map(({ alert, signalId }) => ({ alert, signalId }));
    this.#parts.timers.set(toldTimer(group.id), frame.timeMs + 2 * route.repeatIntervalMs);
    return this.#parts.pager.send(
      { group, alerts, incident, reason: answer.reason, firing, resolved, gone },
      frame,
    );
  }

  #dismiss(
    group: Group,
    gone: readonly Routed[],
    {
      pageId,
      heldBecause,
      sendResolved,
      nowMs,
    }: {
      readonly pageId: string | null;
      readonly heldBecause: string;
      readonly sendResolved: boolean;
      readonly nowMs: number;
    },
  ): void {
    const { groups, departures, verdicts } = this.#parts;
    const { key, receiver, incidentId } = group;
    const names = gone.map(({ alert }) => alert.fingerprint);
    for (const name of names) {
      const isMuted = verdicts.has(name);
      const isTold = pageId !== null && sendResolved && !isMuted;
      departures.note(name, {
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
    }
    for (const name of groups.leave(group.id, names)) verdicts.delete(name);
  }
}

export function toldTimer(groupId: string): string {
  return `told/${groupId}`;
}
