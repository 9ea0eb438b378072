import { createLabels, fingerprint, labelPairs, type Alert } from '../alert/index.ts';
import type { StageContext, Table } from '../engine/index.ts';
import type { Group, Routed } from './group.ts';
import { groupKey, groupLabels, type Route } from './route.ts';

/**
 * The aggregation groups and their first two clocks (Alertmanager's dispatch/dispatch.go): a group flushes `group_wait` after
 * its first alert, or at once for an alert that is older than that, and every `group_interval` from then on. It ends with its last
 * alert. Joining and leaving cost the same however large a group is.
 */
export class Groups {
  readonly #context: StageContext;
  readonly #groups: Table<Group>;
  readonly #routed: Table<Routed>;
  readonly #membersOf = new Map<string, Set<string>>();
  readonly #alertsOf = new Map<string, Set<string>>();
  readonly #groupsOf = new Map<string, Set<string>>();

  constructor(context: StageContext) {
    this.#context = context;
    this.#groups = context.table<Group>('groups');
    this.#routed = context.table<Routed>('alerts');
  }

  restore(): void {
    for (const index of [this.#membersOf, this.#alertsOf, this.#groupsOf]) index.clear();
    for (const [name, { signalId, groupIds }] of this.#routed.entries()) {
      link(this.#alertsOf, signalId, name);
      for (const id of groupIds) link(this.#membersOf, id, name);
    }
    for (const { id, incidentId } of this.#groups.values()) link(this.#groupsOf, incidentId, id);
  }

  get(id: string): Group | undefined {
    return this.#groups.get(id);
  }

  all(): IterableIterator<Group> {
    return this.#groups.values();
  }

  /** Fingerprints of the alerts that a group holds, unordered. */
  membersOf(id: string): ReadonlySet<string> {
    return this.#membersOf.get(id) ?? none;
  }

  /** An alert that some group holds. */
  routed(name: string): Routed | undefined {
    return this.#routed.get(name);
  }

  /** Fingerprints of all alerts that some group holds. */
  allRouted(): readonly string[] {
    return [...this.#routed.keys()];
  }

  groupsOfIncident(incidentId: string): ReadonlySet<string> {
    return this.#groupsOf.get(incidentId) ?? none;
  }

  /** Fingerprints of the alerts of a signal, as they are now. */
  alertsOfSignal(signalId: string): readonly string[] {
    return [...(this.#alertsOf.get(signalId) ?? none)];
  }

  /** Puts an alert into the groups of its routes, and takes it out of all others. */
  place(
    { alert, isFiring, signalId }: Omit<Routed, 'groupIds'>,
    incidentId: string | null,
    routes: readonly Route[],
    nowMs: number,
  ): void {
    const name = alert.fingerprint;
    const before = this.#routed.get(name);
    const groupIds: string[] = [];
    for (const route of routes) {
      const id = this.#groupFor(route, alert, incidentId, nowMs);
      if (groupIds.includes(id)) continue;
      groupIds.push(id);
      link(this.#membersOf, id, name);
    }
    for (const id of before?.groupIds ?? []) if (!groupIds.includes(id)) this.#dropMember(id, name);
    this.#setRouted(name, { alert, isFiring, signalId, groupIds });
    this.#hurryOld(alert, groupIds, nowMs);
  }

  /** Replaces what is known of an alert that stays where it is. */
  update(alert: Alert, isFiring: boolean, nowMs: number): void {
    const before = this.#routed.get(alert.fingerprint);
    if (!before) return;
    this.#routed.set(alert.fingerprint, { ...before, alert, isFiring });
    this.#hurryOld(alert, before.groupIds, nowMs);
  }

  /** Takes alerts out of a group. Gives those that no group holds any more. */
  leave(groupId: string, names: readonly string[]): readonly string[] {
    const gone: string[] = [];
    for (const name of names) {
      const routed = this.#routed.get(name);
      if (!routed?.groupIds.includes(groupId)) continue;
      this.#dropMember(groupId, name);
      const groupIds = routed.groupIds.filter((id) => id !== groupId);
      if (groupIds.length > 0) this.#routed.set(name, { ...routed, groupIds });
      else {
        this.#routed.delete(name);
        unlink(this.#alertsOf, routed.signalId, name);
        gone.push(name);
      }
    }
    return gone;
  }

  /** Puts resolved alerts back into the group that they left, which flushes at `dueMs` when it has ended. Those that fire again are left out. */
  putBack(group: Group, alerts: readonly Pick<Routed, 'alert' | 'signalId'>[], dueMs: number): void {
    for (const { alert, signalId } of alerts) {
      const name = alert.fingerprint;
      const routed = this.#routed.get(name);
      if (routed && (routed.isFiring || routed.groupIds.includes(group.id))) continue;
      this.#ensure(group, dueMs);
      link(this.#membersOf, group.id, name);
      this.#setRouted(
        name,
        routed
          ? { ...routed, groupIds: [...routed.groupIds, group.id] }
          : { alert, isFiring: false, signalId, groupIds: [group.id] },
      );
    }
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
    const key = `${this.#context.scope}${groupKey(route, labels)}`;
    const id = `${route.receiver}|${key}`;
    if (this.#groups.has(id)) return id;
    const group: Group = {
      id,
      key,
      routeKey: route.key,
      labels,
      receiver: route.receiver,
      incidentId: route.isByIncident ? incidentId : null,
      groupWaitMs: route.groupWaitMs,
      hasFlushed: false,
      heldBecause: 'group_wait has not passed',
    };
    this.#ensure(group, nowMs + route.groupWaitMs);
    return id;
  }

  #ensure(group: Group, dueMs: number): void {
    if (this.#groups.has(group.id)) return;
    this.#groups.set(group.id, group);
    link(this.#groupsOf, group.incidentId, group.id);
    this.#context.timers.set(flushTimer(group.id), dueMs);
  }

  /** Alertmanager's `aggrGroup.insert`: nobody waits for more alerts when this one began longer ago than that. */
  #hurryOld({ startsAtMs }: Alert, groupIds: readonly string[], nowMs: number): void {
    for (const id of groupIds) {
      const group = this.#groups.get(id);
      if (group && !group.hasFlushed && startsAtMs + group.groupWaitMs < nowMs) this.hurry(id, nowMs);
    }
  }

  #dropMember(groupId: string, name: string): void {
    if (!unlink(this.#membersOf, groupId, name)) return;
    const incidentId = this.#groups.get(groupId)?.incidentId ?? null;
    this.#groups.delete(groupId);
    unlink(this.#groupsOf, incidentId, groupId);
    this.#context.timers.cancel(flushTimer(groupId));
  }

  #setRouted(name: string, routed: Routed): void {
    const before = this.#routed.get(name)?.signalId ?? null;
    if (before !== routed.signalId) unlink(this.#alertsOf, before, name);
    this.#routed.set(name, routed);
    link(this.#alertsOf, routed.signalId, name);
  }
}

const none: ReadonlySet<string> = new Set();

export function flushTimer(groupId: string): string {
  return `flush/${groupId}`;
}

/** A short name for a group: its incident, else the fingerprint of its key, receiver and labels. */
export function groupName(group: Group): string {
  return (
    group.incidentId ??
    fingerprint(createLabels([['key', group.key], ['receiver', group.receiver], ...labelPairs(group.labels)]))
  );
}

function link(index: Map<string, Set<string>>, key: string | null, value: string): void {
  if (key === null) return;
  const values = index.get(key);
  if (values) values.add(value);
  else index.set(key, new Set([value]));
}

/** True when that was the last value of `key`. */
function unlink(index: Map<string, Set<string>>, key: string | null, value: string): boolean {
  const values = key === null ? undefined : index.get(key);
  if (key === null || !values?.delete(value) || values.size > 0) return false;
  index.delete(key);
  return true;
}
