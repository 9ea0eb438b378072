import type { Labels } from '../alert/index.ts';
import type { StageContext, Table } from '../engine/index.ts';
import type {
  AlertChange,
  Incident,
  LogEntry,
  Reason,
  SentPage,
  TocsinFrame,
  TocsinStage,
  Verdict,
} from '../incident/index.ts';
import { Calm, type StormPages } from './calm.ts';
import { Departures } from './departures.ts';
import { explainAlert, type DispatchExplanation } from './explain.ts';
import { Flusher } from './flusher.ts';
import { flushTimer, Groups } from './groups.ts';
import { IncidentMap } from './incident-map.ts';
import { Pager } from './pager.ts';
import { readSettings, type DispatchSettings } from './settings.ts';
import { reportOf, sendReport } from './storm-report.ts';
import { raise, urgencyOf } from './urgency.ts';

/** The dispatch stage, and what it knows of groups and pages. */
export interface DispatchStage extends TocsinStage {
  /** The groups that hold alerts which fire, with the fingerprints of those. */
  groups(): Iterable<{
    readonly labels: Labels;
    readonly receiver: string;
    readonly fingerprints: readonly string[];
  }>;
  receivers(): readonly string[];
  /** Names of the receivers whose groups hold the alert, in the order of the route tree; one that two routes name is there twice. */
  receiversOf(fingerprint: string): readonly string[];
  /** The last pages of an incident, oldest first; at most 50. */
  pages(incidentId: string): readonly SentPage[];
  /** Where an alert is routed, and why its groups sent a page or did not. Of resolved alerts the last 10,000 are known. */
  explain(fingerprint: string): DispatchExplanation;
  /** What keeps pages of an incident back, and for which others its page stands. */
  calmOf(incidentId: string): readonly Reason[];
}

/**
 * Routes alerts into groups and decides when a group becomes a page: Alertmanager's route tree and clocks, with the synthetic
 * label `incident`. A page counts as sent when it is emitted; a `failed` fact takes that back, so that the next flush sends again.
 *
 * INVARIANT: every group has its next flush scheduled, so that what fires unmuted and unacknowledged is paged at the latest
 * when `repeat_interval` has elapsed.
 */
export function createDispatchStage(context: StageContext): DispatchStage {
  return new Dispatch(context);
}

const incidentRetentionMs = 24 * 3_600_000;

class Dispatch implements DispatchStage {
  readonly name = 'dispatch';
  readonly #context: StageContext;
  readonly #groups: Groups;
  readonly #map: IncidentMap;
  readonly #pager: Pager;
  readonly #departures: Departures;
  readonly #calm: Calm;
  readonly #verdicts: Table<Verdict>;
  /** Until when nobody followed the log, at key `at`. */
  readonly #awake: Table<number>;
  readonly #flusher: Flusher;
  #settings: DispatchSettings = readSettings({});

  constructor(context: StageContext) {
    this.#context = context;
    this.#groups = new Groups(context);
    this.#map = new IncidentMap(context);
    this.#pager = new Pager(context);
    this.#departures = new Departures(context);
    this.#calm = new Calm(context, { groups: this.#groups, map: this.#map, pager: this.#pager });
    this.#verdicts = context.table<Verdict>('verdicts');
    this.#awake = context.table<number>('awake');
    this.#flusher = new Flusher({
      timers: context.timers,
      groups: this.#groups,
      map: this.#map,
      pager: this.#pager,
      departures: this.#departures,
      calm: this.#calm,
      verdicts: this.#verdicts,
    });
  }

  *groups(): IterableIterator<{ labels: Labels; receiver: string; fingerprints: readonly string[] }> {
    for (const { id, labels, receiver } of this.#groups.all()) {
      const members = [...this.#groups.membersOf(id)];
      const fingerprints = members.filter((name) => this.#groups.routed(name)?.isFiring);
      if (fingerprints.length > 0) yield { labels, receiver, fingerprints };
    }
  }

  receivers(): readonly string[] {
    return [...this.#settings.receivers.keys()];
  }

  receiversOf(fingerprint: string): readonly string[] {
    const groupIds = this.#groups.routed(fingerprint)?.groupIds ?? [];
    return groupIds.map((id) => this.#groups.get(id)!.receiver);
  }

  pages(incidentId: string): readonly SentPage[] {
    return this.#pager.pages(incidentId);
  }

  explain(fingerprint: string): DispatchExplanation {
    return explainAlert(fingerprint, {
      tree: this.#settings.tree,
      groups: this.#groups,
      pager: this.#pager,
      verdict: this.#verdicts.get(fingerprint) ?? { muted: false },
      left: this.#departures.of(fingerprint),
      nextFlushMs: (id) => this.#context.timers.dueMs(flushTimer(id)),
    });
  }

  calmOf(incidentId: string): readonly Reason[] {
    return this.#calm.reasonsOf(incidentId);
  }

  restore(config: LogEntry | null): void {
    this.#groups.restore();
    this.#map.restore();
    if (config?.kind === 'config') this.#settings = readSettings(config.payload);
  }

  onFrame(frame: TocsinFrame): void {
    const { entry, flow, timeMs } = frame;
    if (entry?.kind === 'config') this.#reconfigure(entry.payload, timeMs);
    else if (entry?.kind === 'resume') this.#awake.set('at', entry.payload.atMs);
    else if (entry?.kind === 'fact' && entry.payload.kind === 'notify') {
      this.#flusher.settle(entry.payload, this.#settings, frame);
    } else if (entry?.kind === 'claim' && entry.payload.isRepeated)
      this.#pager.noteRepeat(entry.payload, frame);
    for (const { fingerprint, verdict } of flow.verdictChanges) {
      if (verdict.muted) this.#verdicts.set(fingerprint, verdict);
      else this.#verdicts.delete(fingerprint);
    }
    const news = this.#calm.learn(flow);
    for (const signalId of news.calmedSignals) this.#hurrySignal(signalId, timeMs);
    for (const incidentId of news.dueIncidents) this.#hurryIncident(incidentId, timeMs);
    for (const incident of flow.incidents) this.#noteIncident(incident, timeMs);
    for (const change of flow.candidateChanges) this.#move(this.#map.learn(change), timeMs);
    for (let i = 0; i < flow.alertChanges.length; i++) {
      const change = flow.alertChanges[i]!;
      if (change.change === 'repeated') continue;
      this.#take(change, flow.sightings[i]?.signalId ?? null, timeMs);
    }
    for (const { candidate } of flow.candidateChanges)
      if (candidate.state !== 'open') this.#calm.forget(candidate.id);
    for (const pages of news.endedStorms) this.#report(pages, frame);
    // Only now it shows whether alerts fire on.
    for (const { id, state } of flow.incidents) if (state === 'resolved') this.#noteClosed(id);
  }

  /** `flush/<group>`, `told/<group>` or `incident/<id>`. */
  onTimer(key: string, frame: TocsinFrame): void {
    const slash = key.indexOf('/');
    const kind = key.slice(0, slash);
    const id = key.slice(slash + 1);
    const awakeAtMs = this.#awake.get('at') ?? -Infinity;
    // What could not be said at its time is said once, and as things stand now.
    if (kind === 'flush' && frame.timeMs < awakeAtMs) this.#context.timers.set(key, awakeAtMs);
    else if (kind === 'flush') this.#flusher.flush(id, this.#settings, frame);
    else if (kind === 'told') this.#flusher.expireTold(id, this.#settings, frame.timeMs);
    else this.#forgetIncident(id, frame.timeMs);
  }

  /** INVARIANT: a reload repeats nothing and loses nothing: what was told is kept by group key, receiver and integration. */
  #reconfigure(config: Readonly<Record<string, unknown>>, nowMs: number): void {
    this.#settings = readSettings(config);
    for (const name of this.#groups.allRouted()) {
      const routed = this.#groups.routed(name);
      // An end that a group had yet to tell is gone where its alert has come to that group.
      if (!routed) continue;
      const routes = this.#settings.tree.match(routed.alert.labels);
      this.#groups.place(name, routed, this.#map.incidentOf(routed.signalId), routes, nowMs);
    }
    if (!this.#settings.reloadRestartsClocks) return;
    for (const { id, hasFlushed } of this.#groups.all()) if (hasFlushed) this.#groups.hurry(id, nowMs);
  }

  #take({ change, alert }: AlertChange, sightedSignalId: string | null, nowMs: number): void {
    if (change !== 'fired') {
      this.#groups.update(alert, change === 'updated', nowMs);
      return;
    }
    const { fingerprint } = alert;
    this.#departures.forget(fingerprint);
    const before = this.#groups.routed(fingerprint);
    const signalId = sightedSignalId ?? before?.signalId ?? null;
    const incidentId = this.#map.incidentOf(signalId);
    if (before) {
      const isElsewhere = (id: string): boolean => {
        const of = this.#groups.get(id)?.incidentId ?? null;
        return before.signalId !== signalId || (of !== null && of !== incidentId);
      };
      this.#groups.leaveBehind(
        fingerprint,
        before.groupIds.filter((id) => isElsewhere(id) && this.#isTold(id)),
      );
    }
    const routes = this.#settings.tree.match(alert.labels);
    const routed = { alert, isFiring: true, signalId };
    this.#groups.place(fingerprint, routed, incidentId, routes, nowMs);
  }

  #noteIncident(incident: Incident, nowMs: number): void {
    const before = this.#map.incident(incident.id);
    this.#map.set(incident);
    const isOver = incident.state === 'resolved' || incident.state === 'merged';
    const timer = `incident/${incident.id}`;
    if (isOver) this.#context.timers.set(timer, nowMs + incidentRetentionMs);
    else this.#context.timers.cancel(timer);
    if (isOver || !before) return;
    const isRaised = raise(urgencyOf(before), urgencyOf(incident)) !== null;
    for (const id of this.#groups.groupsOfIncident(incident.id)) {
      const isNews = isRaised || Object.values(this.#pager.toldBy(id)).some(({ isClosed }) => isClosed);
      if (isNews && this.#groups.get(id)?.hasFlushed) this.#groups.hurry(id, nowMs);
    }
  }

  /** The signal flaps no more: what its incident's groups kept back is told now. */
  #hurrySignal(signalId: string, nowMs: number): void {
    for (const name of this.#groups.alertsOfSignal(signalId)) {
      for (const id of this.#groups.routed(name)?.groupIds ?? []) {
        const group = this.#groups.get(id);
        if (group?.incidentId !== null && group?.hasFlushed) this.#groups.hurry(id, nowMs);
      }
    }
  }

  /** What kept back the incident's page does so no more. */
  #hurryIncident(incidentId: string, nowMs: number): void {
    for (const id of this.#groups.groupsOfIncident(incidentId))
      if (this.#groups.get(id)?.hasFlushed) this.#groups.hurry(id, nowMs);
  }

  /** Tells those who were paged in a storm what it was. */
  #report(pages: StormPages, frame: TocsinFrame): void {
    if (!this.#settings.reportsStorms || pages.receivers.length === 0) return;
    sendReport(
      reportOf(pages, this.#calm.coveredIn(pages.storm.id)),
      pages.receivers,
      this.#settings,
      this.#pager,
      frame,
    );
  }

  /** Groups whose alerts fire on were closed by hand: what comes next is news, whatever was told. */
  #noteClosed(incidentId: string): void {
    for (const id of this.#groups.groupsOfIncident(incidentId)) {
      const isFiring = [...this.#groups.membersOf(id)].some((name) => this.#groups.routed(name)?.isFiring);
      if (!isFiring) continue;
      for (const [integration, told] of Object.entries(this.#pager.toldBy(id)))
        this.#pager.setTold(id, integration, { ...told, isClosed: true });
    }
  }

  /** Signals belong to another incident now: their alerts change groups quietly, and what was told of them goes with them. */
  #move(signalIds: readonly string[], nowMs: number): void {
    const told = new Map<string, Map<string, Set<string>>>();
    const toldIn = (groupId: string): Map<string, Set<string>> => {
      let tellings = told.get(groupId);
      if (!tellings) {
        const entries = Object.entries(this.#pager.toldBy(groupId));
        told.set(groupId, (tellings = new Map(entries.map(([name, { firing }]) => [name, new Set(firing)]))));
      }
      return tellings;
    };
    const changed = new Set<string>();
    for (const signalId of signalIds) {
      for (const name of this.#groups.alertsOfSignal(signalId)) {
        const routed = this.#groups.routed(name);
        if (!routed) continue;
        const { fingerprint } = routed.alert;
        // An end that is yet to be told stays with those who wait for it, unless all of their incident goes.
        if (name !== fingerprint && !routed.groupIds.some((id) => this.#isMerged(id))) continue;
        const knowing = new Set(
          routed.groupIds.flatMap((id) =>
            [...toldIn(id)].flatMap(([integration, names]) => (names.has(fingerprint) ? [integration] : [])),
          ),
        );
        const routes = this.#settings.tree.match(routed.alert.labels);
        const incidentId = this.#map.incidentOf(signalId);
        if (name === fingerprint)
          this.#groups.leaveBehind(
            name,
            routed.groupIds.filter((id) => this.#isLeftEmpty(id, incidentId)),
          );
        for (const id of this.#groups.place(name, routed, incidentId, routes, nowMs)) {
          for (const [integration, names] of toldIn(id)) {
            if (!knowing.has(integration) || names.has(fingerprint)) continue;
            names.add(fingerprint);
            changed.add(id);
          }
        }
      }
    }
    for (const id of changed) {
      for (const [integration, names] of toldIn(id)) {
        this.#pager.setTold(id, integration, {
          ...this.#pager.told(id, integration)!,
          firing: [...names].sort(),
        });
      }
    }
  }

  /** Whether somebody was told that something of the group fires, and waits for its end. */
  #isTold(groupId: string): boolean {
    return Object.values(this.#pager.toldBy(groupId)).some(({ firing }) => firing.length > 0);
  }

  /** Whether the last alert of a group goes to another incident, without the group's own having gone into that one: its page is over then. */
  #isLeftEmpty(groupId: string, toId: string | null): boolean {
    const incidentId = this.#groups.get(groupId)?.incidentId ?? null;
    if (incidentId === null || incidentId === toId || !this.#isTold(groupId)) return false;
    return this.#groups.membersOf(groupId).size === 1 && !this.#isMerged(groupId);
  }

  #isMerged(groupId: string): boolean {
    const incidentId = this.#groups.get(groupId)?.incidentId;
    return incidentId != null && this.#map.incident(incidentId)?.state === 'merged';
  }

  #forgetIncident(id: string, nowMs: number): void {
    if (this.#groups.groupsOfIncident(id).size > 0) {
      this.#context.timers.set(`incident/${id}`, nowMs + incidentRetentionMs);
    } else {
      this.#map.forget(id);
      this.#pager.forgetPages(id);
    }
  }
}
