import { fingerprint, labelPairs, createLabels, type Alert } from '../alert/index.ts';
import type { StageContext, Table } from '../engine/index.ts';
import type { Group, Routed } from './group.ts';
import { groupKey, groupLabels, type Route, type RouteTree } from './route.ts';

/**
 * The aggregation groups and their first two clocks (Alertmanager's dispatch/dispatch.go): a group flushes `group_wait` after
 * its first alert, or at once for an alert that is older than that, and every `group_interval` from then on.
 */
export class Groups {
  readonly #context: StageContext;
  readonly #groups: Table<Group>;
  readonly #routed: Table<Routed>;
  readonly #fingerprintsOf = new Map<string, Set<string>>();
  readonly #groupsOf = new Map<string, Set<string>>();

  constructor(context: StageContext) {
    this.#context = context;
    this.#groups = context.table<Group>('groups');
    this.#routed = context.table<Routed>('alerts');
  }

  restore(): void {
    this.#fingerprintsOf.clear();
    this.#groupsOf.clear();
    for (const [fingerprint, { signalId }] of this.#routed.entries())
      this.#link(this.#fingerprintsOf, signalId, fingerprint);
    for (const { id, incidentId } of this.#groups.values()) this.#link(this.#groupsOf, incidentId, id);
  }

  get(id: string): Group | undefined {
    return this.#groups.get(id);
  }

  all(): IterableIterator<Group> {
    return this.#groups.values();
  }

  routed(fingerprint: string): Routed | undefined {
    return this.#routed.get(fingerprint);
  }

  allRouted(): IterableIterator<[string, Routed]> {
    return this.#routed.entries();
  }

  groupsOfIncident(incidentId: string): readonly string[] {
    return [...(this.#groupsOf.get(incidentId) ?? [])];
  }

  alertsOfSignal(signalId: string): readonly string[] {
    return [...(this.#fingerprintsOf.get(signalId) ?? [])];
  }

  /** Puts an alert into the groups of its routes. It leaves those that it is in for other reasons. */
  place(
    alert: Alert,
    isFiring: boolean,
    signalId: string | null,
    incidentId: string | null,
    tree: RouteTree,
    nowMs: number,
  ): void {
    const before = this.#routed.get(alert.fingerprint);
    const groupIds: string[] = [];
    for (const route of tree.match(alert.labels)) {
      const id = this.#groupFor(route, alert, incidentId, nowMs);
      if (groupIds.includes(id)) continue;
      groupIds.push(id);
      if (!before?.groupIds.includes(id)) this.#join(id, alert, route, nowMs);
    }
    for (const id of before?.groupIds ?? [])
      if (!groupIds.includes(id)) this.leave(id, new Set([alert.fingerprint]));
    this.#setRouted(alert.fingerprint, { alert, isFiring, signalId, groupIds });
  }

  /** Replaces what is known of an alert that stays where it is. */
  update(alert: Alert, isFiring: boolean): boolean {
    const before = this.#routed.get(alert.fingerprint);
    if (before) this.#routed.set(alert.fingerprint, { ...before, alert, isFiring });
    return before !== undefined;
  }

  /** Takes alerts out of a group, which ends when it is empty. */
  leave(groupId: string, fingerprints: ReadonlySet<string>): void {
    const group = this.#groups.get(groupId);
    if (!group || fingerprints.size === 0) return;
    const members = group.members.filter((member) => !fingerprints.has(member));
    for (const fingerprint of fingerprints) this.#unlinkGroup(fingerprint, groupId);
    if (members.length > 0) {
      this.#groups.set(groupId, { ...group, members });
      return;
    }
    this.#groups.delete(groupId);
    this.#groupsOf.get(group.incidentId ?? '')?.delete(groupId);
    this.#context.timers.cancel(flushTimer(groupId));
  }

  save(group: Group): void {
    this.#groups.set(group.id, group);
  }

  /** Lets a group flush as soon as log time goes on. */
  hurry(groupId: string, nowMs: number): void {
    if (this.#groups.has(groupId)) this.#context.timers.set(flushTimer(groupId), nowMs);
  }

  #groupFor(route: Route, alert: Alert, incidentId: string | null, nowMs: number): string {
    const labels = groupLabels(route, alert.labels, incidentId);
    const key = groupKey(route, labels);
    const id = `${route.receiver}|${key}`;
    if (this.#groups.has(id)) return id;
    const group: Group = {
      id,
      key,
      routeIndex: route.index,
      labels,
      receiver: route.receiver,
      incidentId: route.isByIncident ? incidentId : null,
      members: [],
      hasFlushed: false,
      heldBecause: 'group_wait has not passed',
    };
    this.#groups.set(id, group);
    this.#link(this.#groupsOf, group.incidentId, id);
    this.#context.timers.set(flushTimer(id), nowMs + route.groupWaitMs);
    return id;
  }

  #join(id: string, alert: Alert, route: Route, nowMs: number): void {
    const group = this.#groups.get(id)!;
    group.members.push(alert.fingerprint);
    this.#groups.touch(id);
    if (!group.hasFlushed && alert.startsAtMs + route.groupWaitMs < nowMs) this.hurry(id, nowMs);
  }

  #setRouted(fingerprint: string, routed: Routed): void {
    const before = this.#routed.get(fingerprint)?.signalId ?? null;
    if (before !== null && before !== routed.signalId) this.#fingerprintsOf.get(before)?.delete(fingerprint);
    this.#routed.set(fingerprint, routed);
    this.#link(this.#fingerprintsOf, routed.signalId, fingerprint);
  }

  #unlinkGroup(fingerprint: string, groupId: string): void {
    const routed = this.#routed.get(fingerprint);
    if (!routed) return;
    const groupIds = routed.groupIds.filter((id) => id !== groupId);
    if (groupIds.length > 0) {
      this.#routed.set(fingerprint, { ...routed, groupIds });
      return;
    }
    this.#routed.delete(fingerprint);
    if (routed.signalId === null) return;
    const siblings = this.#fingerprintsOf.get(routed.signalId);
    siblings?.delete(fingerprint);
    if (siblings?.size === 0) this.#fingerprintsOf.delete(routed.signalId);
  }

  #link(index: Map<string, Set<string>>, key: string | null, value: string): void {
    if (key === null) return;
    const values = index.get(key);
    if (values) values.add(value);
    else index.set(key, new Set([value]));
  }
}

export function flushTimer(groupId: string): string {
  return `flush/${groupId}`;
}

/** A short name for a group that stands for no incident: the fingerprint of its key and receiver. */
export function groupName(group: Group): string {
  return (
    group.incidentId ??
    fingerprint(createLabels([['key', group.key], ['receiver', group.receiver], ...labelPairs(group.labels)]))
  );
}
