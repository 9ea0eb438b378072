import { createLabels, fingerprint, labelPairs, type Alert } from '../alert/index.ts';
import type { StageContext, Table } from '../engine/index.ts';
import type { Group, Routed } from './group.ts';
import { groupKey, groupLabels, type Route } from './route.ts';

/**
 * The aggregation groups and their first two clocks (Alertmanager's dispatch/dispatch.go): a group flushes `group_wait` after
 * its first alert, or at once for an alert that is older than that, and every `group_interval` from then on. It ends with its last
 * alert. Joining and leaving cost the same however large a group is.
 *
 * Members go by names: the fingerprint of an alert; and a fingerprint with a signal for an end that a group has yet to tell, of an alert that
 * fires again elsewhere by now (`leaveBehind`).
 */
export class Groups {
  readonly #context: StageContext;
  readonly #groups: Table<Group>;
  readonly #routed: Table<Routed>;
  readonly #membersOf = new Map<string, Set<string>>();
  readonly #alertsOf = new Map<string, Set<string>>();
  readonly #groupsOf = new Map<string, Set<string>>();
  /** The names of ends that are yet to be told, by fingerprint. */
  readonly #endsOf = new Map<string, Set<string>>();

  constructor(context: StageContext) {
    this.#context = context;
    this.#groups = context.table<Group>('groups');
    this.#routed = context.table<Routed>('alerts');
  }

  restore(): void {
    for (const index of [this.#membersOf, this.#alertsOf, this.#groupsOf, this.#endsOf]) index.clear();
    for (const [name, { alert, signalId, groupIds }] of this.#routed.entries()) {
      link(this.#alertsOf, signalId, name);
      if (name !== alert.fingerprint) link(this.#endsOf, alert.fingerprint, name);
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

  /** Names of the alerts that a group holds, unordered. */
  membersOf(id: string): ReadonlySet<string> {
    return this.#membersOf.get(id) ?? none;
  }

  /** An alert that some group holds. */
  routed(name: string): Routed | undefined {
    return this.#routed.get(name);
  }

  /** Names of all alerts that some group holds. */
  allRouted(): readonly string[] {
    return [...this.#routed.keys()];
  }

  groupsOfIncident(incidentId: string): ReadonlySet<string> {
    return this.#groupsOf.get(incidentId) ?? none;
  }

  /** Names of the alerts of a signal, as they are now. */
  alertsOfSignal(signalId: string): readonly string[] {
    return [...(this.#alertsOf.get(signalId) ?? none)];
  }

  /** Puts an alert into the groups of its routes, and takes it out of all others. Gives the groups that hold it, or its fingerprint, now. */
  place(
    name: string,
    { alert, isFiring, signalId }: Omit<Routed, 'groupIds'>,
    incidentId: string | null,
    routes: readonly Route[],
    nowMs: number,
  ): readonly string[] {
    const before = this.#routed.get(name);
    const isEnd = name !== alert.fingerprint;
    const ids = new Set(routes.map((route) => this.#groupFor(route, alert, incidentId, nowMs)));
    const groupIds = [...ids].filter((id) => !isEnd || !this.membersOf(id).has(alert.fingerprint));
    for (const id of groupIds) link(this.#membersOf, id, name);
    for (const id of before?.groupIds ?? []) if (!groupIds.includes(id)) this.#dropMember(id, name);
    this.#setRouted(name, { alert, isFiring, signalId, groupIds });
    this.#hurryOld(alert, groupIds, nowMs);
    // Where the alert is itself, it says how it stands.
    if (!isEnd) for (const end of this.#namesOfEnds(alert)) for (const id of groupIds) this.leave(id, [end]);
    return [...ids];
  }

  /** Leaves the end of a resolved alert in these groups, which have told that it fires: it fires again, and is about to go elsewhere. */
  leaveBehind(fingerprint: string, groupIds: readonly string[]): void {
    const routed = this.#routed.get(fingerprint);
    if (!routed || groupIds.length === 0) return;
    const name = endName(routed);
    const known = this.#routed.get(name)?.groupIds ?? [];
    for (const id of groupIds) link(this.#membersOf, id, name);
    this.#setRouted(name, { ...routed, isFiring: false, groupIds: [...new Set([...known, ...groupIds])] });
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
      this.#setRouted(name, { ...routed, groupIds });
      if (groupIds.length === 0) gone.push(name);
    }
    return gone;
  }

  /** Puts resolved alerts back into the group that they left, which flushes at `dueMs` when it has ended. Those that fire in it again are left out. */
  putBack(group: Group, alerts: readonly Pick<Routed, 'alert' | 'signalId'>[], dueMs: number): void {
    for (const { alert, signalId } of alerts) {
      if (this.membersOf(group.id).has(alert.fingerprint)) continue;
      const current = this.#routed.get(alert.fingerprint);
      const isElsewhere = current !== undefined && (current.isFiring || current.signalId !== signalId);
      const name = isElsewhere ? endName({ alert, signalId }) : alert.fingerprint;
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

  /** Without a group it is forgotten. */
  #setRouted(name: string, routed: Routed): void {
    const before = this.#routed.get(name)?.signalId ?? null;
    const isGone = routed.groupIds.length === 0;
    if (before !== routed.signalId || isGone) unlink(this.#alertsOf, before, name);
    if (isGone) this.#routed.delete(name);
    else {
      this.#routed.set(name, routed);
      link(this.#alertsOf, routed.signalId, name);
    }
    const { fingerprint } = routed.alert;
    if (name === fingerprint) return;
    if (isGone) unlink(this.#endsOf, fingerprint, name);
    else link(this.#endsOf, fingerprint, name);
  }

  #namesOfEnds({ fingerprint }: Alert): readonly string[] {
    const names = this.#endsOf.get(fingerprint);
    return names ? [...names] : noNames;
  }
}

const none: ReadonlySet<string> = new Set();
const noNames: readonly string[] = [];

function endName({ alert, signalId }: Pick<Routed, 'alert' | 'signalId'>): string {
  return `${alert.fingerprint} ${signalId ?? ''}`;
}

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
