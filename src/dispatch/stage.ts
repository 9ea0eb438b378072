import type { Fact, StageContext, Table } from '../engine/index.ts';
import {
  type AlertChange,
  type Incident,
  type LogEntry,
  type NotifiedAlert,
  type Page,
  type TocsinFrame,
  type TocsinStage,
  type Verdict,
} from '../incident/index.ts';
import { routeConfig, type RouteConfig } from './config.ts';
import { decideFlush, isLess } from './decide.ts';
import { explainAlert, type DispatchExplanation } from './explain.ts';
import type { Group } from './group.ts';
import { flushTimer, Groups } from './groups.ts';
import { IncidentMap } from './incident-map.ts';
import { Pager } from './pager.ts';
import { RouteTree, type Route } from './route.ts';

/** The dispatch stage, and what it knows of groups and pages. */
export interface DispatchStage extends TocsinStage {
  groups(): Iterable<{
    readonly labels: Group['labels'];
    readonly receiver: string;
    readonly fingerprints: readonly string[];
  }>;
  receivers(): readonly string[];
  receiversOf(fingerprint: string): readonly string[];
  /** The last pages of an incident, oldest first; at most 50. */
  pages(incidentId: string): readonly Page[];
  /** Where an alert is routed, and why its groups sent a page or did not. */
  explain(fingerprint: string): DispatchExplanation;
}

/**
 * Routes alerts into groups and decides when a group becomes a page: Alertmanager's route tree and clocks, with the synthetic
 * label `incident`. A page counts as sent when it is emitted; a `failed` fact takes that back, so that the next flush sends again.
 */
export function createDispatchStage(context: StageContext): DispatchStage {
  return new Dispatch(context);
}

const defaultRoute = routeConfig.parse({ receiver: 'console', group_by: ['incident'] });
const incidentRetentionMs = 24 * 3_600_000;

class Dispatch implements DispatchStage {
  readonly name = 'dispatch';
  readonly #context: StageContext;
  readonly #groups: Groups;
  readonly #map: IncidentMap;
  readonly #verdicts: Table<Verdict>;
  readonly #pager: Pager;
  #tree = new RouteTree(defaultRoute);
  #receivers = new Map<string, { readonly sendResolved: boolean }>();

  constructor(context: StageContext) {
    this.#context = context;
    this.#groups = new Groups(context);
    this.#map = new IncidentMap(context);
    this.#verdicts = context.table<Verdict>('verdicts');
    this.#pager = new Pager(context);
  }

  groups(): Iterable<{ labels: Group['labels']; receiver: string; fingerprints: readonly string[] }> {
    return [...this.#groups.all()].map(({ labels, receiver, members }) => ({
      labels,
      receiver,
      fingerprints: members,
    }));
  }

  receivers(): readonly string[] {
    return [...this.#receivers.keys()];
  }

  receiversOf(fingerprint: string): readonly string[] {
    const routed = this.#groups.routed(fingerprint);
    const labels = routed?.alert.labels;
    return labels ? [...new Set(this.#tree.match(labels).map(({ receiver }) => receiver))] : [];
  }

  pages(incidentId: string): readonly Page[] {
    return this.#pager.pages(incidentId);
  }

  explain(fingerprint: string): DispatchExplanation {
    return explainAlert(fingerprint, {
      groups: this.#groups,
      verdict: this.#verdicts.get(fingerprint) ?? { muted: false },
      nextFlushMs: (id) => this.#context.timers.dueMs(flushTimer(id)),
      told: (id) => this.#pager.told(id),
    });
  }

  restore(config: LogEntry | null): void {
    this.#groups.restore();
    this.#map.restore();
    if (config?.kind === 'config') this.#configure(config.payload);
  }

  onFrame(frame: TocsinFrame): void {
    const { entry, flow, timeMs } = frame;
    if (entry?.kind === 'config') this.#reconfigure(entry.payload, timeMs);
    else if (entry?.kind === 'fact' && entry.payload.kind === 'notify') this.#settle(entry.payload, timeMs);
    for (const { fingerprint, verdict } of flow.verdictChanges) {
      if (verdict.muted) this.#verdicts.set(fingerprint, verdict);
      else this.#verdicts.delete(fingerprint);
    }
    for (const incident of flow.incidents) this.#noteIncident(incident, timeMs);
    for (const change of flow.candidateChanges) {
      for (const signalId of this.#map.learn(change)) this.#move(signalId, timeMs);
    }
    for (let i = 0; i < flow.alertChanges.length; i++) {
      const change = flow.alertChanges[i]!;
      if (change.change === 'repeated' || change.change === 'ignored') continue;
      this.#take(change, flow.sightings[i]?.signalId ?? null, timeMs);
    }
  }

  onTimer(key: string, frame: TocsinFrame): void {
    const slash = key.indexOf('/');
    const id = key.slice(slash + 1);
    const kind = key.slice(0, slash);
    if (kind === 'flush') this.#flush(id, frame);
    else if (kind === 'told') this.#forgetTold(id, frame.timeMs);
    else this.#forgetIncident(id, frame.timeMs);
  }

  #configure(config: Readonly<Record<string, unknown>>): void {
    this.#tree = new RouteTree((config['route'] ?? defaultRoute) as RouteConfig);
    const receivers = (config['receivers'] ?? []) as readonly Readonly<Record<string, unknown>>[];
    this.#receivers = new Map(
      receivers.map((receiver) => [String(receiver['name']), { sendResolved: wantsResolved(receiver) }]),
    );
  }

  /** INVARIANT: a reload repeats nothing and loses nothing: what receivers were told is kept by group, not by route. */
  #reconfigure(config: Readonly<Record<string, unknown>>, nowMs: number): void {
    this.#configure(config);
    for (const [, { alert, isFiring, signalId }] of Array.from(this.#groups.allRouted())) {
      this.#groups.place(alert, isFiring, signalId, this.#map.incidentOf(signalId), this.#tree, nowMs);
    }
    for (const group of this.#groups.all()) {
      const route = this.#tree.routes.find(
        (route) => group.key.startsWith(`${route.key}:`) && route.receiver === group.receiver,
      );
      if (route && route.index !== group.routeIndex) this.#groups.save({ ...group, routeIndex: route.index });
    }
  }

  #take({ change, alert }: AlertChange, signalId: string | null, nowMs: number): void {
    if (change === 'fired') {
      const known = signalId ?? this.#groups.routed(alert.fingerprint)?.signalId ?? null;
      this.#groups.place(alert, true, known, this.#map.incidentOf(known), this.#tree, nowMs);
    } else this.#groups.update(alert, change === 'updated');
  }

  #noteIncident(incident: Incident, nowMs: number): void {
    const before = this.#map.incident(incident.id);
    this.#map.set(incident);
    const isOver = incident.state === 'resolved' || incident.state === 'merged';
    const timer = `incident/${incident.id}`;
    if (isOver) this.#context.timers.set(timer, nowMs + incidentRetentionMs);
    else this.#context.timers.cancel(timer);
    const isRaised = before !== null && isLess(before.priority, incident.priority);
    if (!isRaised || isOver) return;
    for (const groupId of this.#groups.groupsOfIncident(incident.id)) {
      if (this.#groups.get(groupId)?.hasFlushed) this.#groups.hurry(groupId, nowMs);
    }
  }

  /** A signal belongs to another incident now: its alerts change groups quietly, and what was told of them goes with them. */
  #move(signalId: string, nowMs: number): void {
    for (const fingerprint of this.#groups.alertsOfSignal(signalId)) {
      const routed = this.#groups.routed(fingerprint);
      if (!routed) continue;
      const wasTold = routed.groupIds.some((id) => this.#pager.told(id)?.firing.includes(fingerprint));
      this.#groups.place(
        routed.alert,
        routed.isFiring,
        signalId,
        this.#map.incidentOf(signalId),
        this.#tree,
        nowMs,
      );
      if (!wasTold) continue;
      for (const id of this.#groups.routed(fingerprint)?.groupIds ?? []) {
        const told = this.#pager.told(id);
        if (told && !told.firing.includes(fingerprint))
          this.#pager.setTold(id, { ...told, firing: [...told.firing, fingerprint] });
      }
    }
  }

  #flush(groupId: string, frame: TocsinFrame): void {
    const group = this.#groups.get(groupId);
    const route = group && this.#tree.routes[group.routeIndex];
    if (!group || !route) return;
    const members = group.members.flatMap((fingerprint) => this.#groups.routed(fingerprint) ?? []);
    const heard = members.filter(({ alert }) => !this.#verdicts.has(alert.fingerprint));
    const firing = heard.filter(({ isFiring }) => isFiring).map(({ alert }) => alert.fingerprint);
    const resolved = heard.filter(({ isFiring }) => !isFiring).map(({ alert }) => alert.fingerprint);
    const incident = this.#map.incident(group.incidentId);
    const sendResolved = this.#receivers.get(group.receiver)?.sendResolved ?? true;
    const told = this.#pager.told(groupId);
    const answer = decideFlush({
      nowMs: frame.timeMs,
      firing,
      resolved,
      told,
      repeatIntervalMs: route.repeatIntervalMs,
      sendResolved,
      incident,
      minPriority: route.minPriority,
    });
    const gone = members
      .filter(({ isFiring }) => !isFiring)
      .map(({ alert, signalId }) => ({ alert, signalId }));
    this.#groups.save({ ...group, hasFlushed: true, heldBecause: answer.sends ? '' : answer.because });
    this.#context.timers.set(flushTimer(groupId), frame.timeMs + route.groupIntervalMs);
    if (answer.sends) {
      const alerts = heard
        .filter(({ isFiring }) => isFiring || sendResolved)
        .map(({ alert, isFiring }): NotifiedAlert => ({ alert, status: isFiring ? 'firing' : 'resolved' }));
      this.#pager.send({ group, alerts, incident, reason: answer.reason, firing, resolved, gone }, frame);
    } else if (told && firing.length === 0 && told.firing.length > 0 && resolved.length > 0) {
      this.#pager.setTold(groupId, { ...told, firing: [], resolved });
    }
    this.#groups.leave(groupId, new Set(gone.map(({ alert }) => alert.fingerprint)));
    if (!this.#groups.get(groupId))
      this.#context.timers.set(`told/${groupId}`, frame.timeMs + 2 * route.repeatIntervalMs);
  }

  /** What left its group with a page that failed comes back, and is told at the next interval. */
  #settle(fact: Fact, nowMs: number): void {
    const failed = this.#pager.settle(fact);
    for (const { alert, signalId } of failed?.gone ?? []) {
      if (this.#groups.routed(alert.fingerprint)) continue;
      this.#groups.place(alert, false, signalId, failed?.incidentId ?? null, this.#tree, nowMs);
    }
    const group = failed && this.#groups.get(failed.groupId);
    const route = group && this.#tree.routes[group.routeIndex];
    if (!group || !route || group.hasFlushed) return;
    this.#groups.save({ ...group, hasFlushed: true });
    this.#context.timers.set(flushTimer(group.id), nowMs + route.groupIntervalMs);
  }

  #forgetTold(groupId: string, nowMs: number): void {
    const group = this.#groups.get(groupId);
    if (!group) this.#pager.forgetTold(groupId);
    else {
      const route: Route | undefined = this.#tree.routes[group.routeIndex];
      this.#context.timers.set(
        `told/${groupId}`,
        nowMs + 2 * (route?.repeatIntervalMs ?? incidentRetentionMs),
      );
    }
  }

  #forgetIncident(id: string, nowMs: number): void {
    if (this.#groups.groupsOfIncident(id).length > 0)
      this.#context.timers.set(`incident/${id}`, nowMs + incidentRetentionMs);
    else {
      this.#map.forget(id);
      this.#pager.forgetPages(id);
    }
  }
}

function wantsResolved(receiver: Readonly<Record<string, unknown>>): boolean {
  const integrations = Object.values(receiver).filter(Array.isArray).flat() as readonly {
    send_resolved?: boolean;
  }[];
  return integrations.length === 0 || integrations.some((integration) => integration.send_resolved !== false);
}
