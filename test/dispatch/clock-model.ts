import type { Report, ShownPage } from './scene.ts';
import { shownLabels } from './scene.ts';

/** A route as the model knows it: no tree, no inheritance, the group key written by hand. */
export interface ModelRoute {
  readonly receiver: string;
  readonly integrations: readonly ModelIntegration[];
  readonly waitMs: number;
  readonly intervalMs: number;
  readonly repeatMs: number;
  /** Alertmanager's group key of an alert under this route. */
  readonly keyOf: (labels: Report) => string;
}

export interface ModelIntegration {
  readonly name: string;
  readonly sendResolved: boolean;
}

interface ModelAlert {
  readonly id: string;
  readonly labels: Report;
  readonly startsAtMs: number;
  isFiring: boolean;
  /** It was not muted when it resolved, or has been unmuted since. */
  hasEndedHeard: boolean;
}

interface ModelGroup {
  readonly key: string;
  readonly route: ModelRoute;
  readonly members: Map<string, ModelAlert>;
  nextMs: number;
  hasFlushed: boolean;
}

interface NotificationLogEntry {
  readonly firing: ReadonlySet<string>;
  readonly resolved: ReadonlySet<string>;
  readonly atMs: number;
}

export interface ModelPage {
  readonly page: ShownPage;
  /** Of the group. */
  readonly name: string;
  readonly before: NotificationLogEntry | undefined;
  readonly entry: NotificationLogEntry;
  readonly gone: readonly ModelAlert[];
}

/**
 * Alertmanager's three clocks as they stand in dispatch/dispatch.go (`aggrGroup.run`, `insert`, `flush`) and notify/notify.go
 * (`DedupStage.needsUpdate`, `RetryStage`, `SetNotifiesStage`), without indexes or cleverness: each step looks at everything. Where Tocsin
 * differs on purpose, it says so:
 * - the end of an alert that was heard when it resolved is told, even when a silence begins before the next flush;
 * - the notification log forgets an entry after `2 * repeat_interval` only when its group is gone.
 */
export class ClockModel {
  readonly pages: ModelPage[] = [];
  readonly #routesOf: (labels: Report) => readonly ModelRoute[];
  readonly #isMuted: (labels: Report) => boolean;
  readonly #alerts = new Map<string, ModelAlert>();
  readonly #groups = new Map<string, ModelGroup>();
  readonly #log = new Map<string, NotificationLogEntry>();
  readonly #expiry = new Map<string, { atMs: number; repeatMs: number }>();

  constructor(routesOf: (labels: Report) => readonly ModelRoute[], isMuted: (labels: Report) => boolean) {
    this.#routesOf = routesOf;
    this.#isMuted = isMuted;
  }

  /** Lets every clock strike that is due at or before `timeMs`, the earliest first. */
  advance(timeMs: number): void {
    for (;;) {
      const flushes = [...this.#groups].map(([name, { nextMs }]) => ({ name, dueMs: nextMs, isFlush: true }));
      const expiries = [...this.#expiry].map(([name, { atMs }]) => ({ name, dueMs: atMs, isFlush: false }));
      const [next] = [...flushes, ...expiries].toSorted(
        (a, b) => a.dueMs - b.dueMs || Number(b.isFlush) - Number(a.isFlush),
      );
      if (!next || next.dueMs > timeMs) return;
      if (next.isFlush) this.#flush(next.name, next.dueMs);
      else this.#expire(next.name, next.dueMs);
    }
  }

  insert(id: string, labels: Report, startsAtMs: number, isFiring: boolean, nowMs: number): void {
    if (!isFiring && !this.#alerts.has(id)) return;
    const alert = { id, labels, startsAtMs, isFiring, hasEndedHeard: !isFiring && !this.#isMuted(labels) };
    this.#alerts.set(id, alert);
    for (const route of this.#routesOf(labels)) {
      const key = route.keyOf(labels);
      const name = `${route.receiver} ${key}`;
      let group = this.#groups.get(name);
      if (!group) {
        if (!isFiring) continue;
        group = { key, route, members: new Map(), nextMs: nowMs + route.waitMs, hasFlushed: false };
        this.#groups.set(name, group);
      }
      if (!isFiring && !group.members.has(id)) continue;
      group.members.set(id, alert);
      if (!group.hasFlushed && startsAtMs + route.waitMs < nowMs) group.nextMs = nowMs;
    }
  }

  /** Silences have ended: what resolved while they muted it is heard. */
  unmuted(): void {
    for (const alert of this.#alerts.values()) {
      if (!alert.isFiring && !this.#isMuted(alert.labels)) alert.hasEndedHeard = true;
    }
  }

  /** The page could not be delivered. It must be the last of its group. */
  fail({ name, before, page, gone }: ModelPage, nowMs: number): void {
    const logName = `${name} ${page.integration}`;
    if (before) this.#log.set(logName, before);
    else this.#log.delete(logName);
    for (const alert of gone) {
      if (this.#alerts.get(alert.id)!.isFiring) continue;
      let group = this.#groups.get(name);
      if (!group) {
        const route = this.#routesOf(alert.labels).find(({ receiver }) => receiver === page.receiver)!;
        group = {
          key: page.groupKey,
          route,
          members: new Map(),
          nextMs: nowMs + route.intervalMs,
          hasFlushed: true,
        };
        this.#groups.set(name, group);
      }
      if (!group.members.has(alert.id)) group.members.set(alert.id, alert);
    }
  }

  /** Whether no later page of the same group was sent to the integration, so that `fail` may be told of it. */
  isLast({ name, page, entry }: ModelPage): boolean {
    return this.#log.get(`${name} ${page.integration}`) === entry;
  }

  #flush(name: string, nowMs: number): void {
    const group = this.#groups.get(name)!;
    const { route, members } = group;
    group.hasFlushed = true;
    group.nextMs = nowMs + route.intervalMs;
    const heard = [...members.values()].filter((alert) =>
      alert.isFiring ? !this.#isMuted(alert.labels) : alert.hasEndedHeard,
    );
    const firing = heard.filter(({ isFiring }) => isFiring);
    const resolved = heard.filter(({ isFiring }) => !isFiring);
    for (const integration of route.integrations) {
      this.#tell(name, group, integration, { firing, resolved }, nowMs);
    }
    for (const [id, alert] of members) if (!alert.isFiring) members.delete(id);
    if (members.size === 0) this.#groups.delete(name);
  }

  #tell(
    name: string,
    { key, route }: ModelGroup,
    { name: integration, sendResolved }: ModelIntegration,
    {
      firing,
      resolved,
    }: { readonly firing: readonly ModelAlert[]; readonly resolved: readonly ModelAlert[] },
    nowMs: number,
  ): void {
    const logName = `${name} ${integration}`;
    const before = this.#log.get(logName);
    if (firing.length + resolved.length === 0) return;
    if (!needsUpdate(before, firing, resolved, sendResolved, route.repeatMs, nowMs)) return;
    const entry = { firing: idsOf(firing), resolved: idsOf(resolved), atMs: nowMs };
    this.#log.set(logName, entry);
    this.#expiry.set(name, { atMs: nowMs + 2 * route.repeatMs, repeatMs: route.repeatMs });
    const shown = sendResolved ? resolved : [];
    if (firing.length + shown.length === 0) return;
    const page: ShownPage = {
      atMs: nowMs,
      receiver: route.receiver,
      integration,
      groupKey: key,
      status: firing.length > 0 ? 'firing' : 'resolved',
      reason: reasonOf(before, firing, resolved, sendResolved),
      firing: firing.map(({ labels }) => shownLabels(labels)).toSorted(),
      resolved: shown.map(({ labels }) => shownLabels(labels)).toSorted(),
    };
    this.pages.push({ page, name, before, entry, gone: resolved });
  }

  #expire(name: string, nowMs: number): void {
    const expiry = this.#expiry.get(name)!;
    const logNames = [...this.#log.keys()].filter((logName) => logName.startsWith(`${name} `));
    if (this.#groups.has(name) && logNames.length > 0) expiry.atMs = nowMs + 2 * expiry.repeatMs;
    else {
      this.#expiry.delete(name);
      for (const logName of logNames) this.#log.delete(logName);
    }
  }
}

function needsUpdate(
  entry: NotificationLogEntry | undefined,
  firing: readonly ModelAlert[],
  resolved: readonly ModelAlert[],
  sendResolved: boolean,
  repeatMs: number,
  nowMs: number,
): boolean {
  if (!entry) return firing.length > 0;
  if (firing.some(({ id }) => !entry.firing.has(id))) return true;
  if (firing.length === 0) return entry.firing.size > 0;
  if (sendResolved && resolved.some(({ id }) => !entry.resolved.has(id))) return true;
  return entry.atMs < nowMs - repeatMs;
}

/** Later versions of Alertmanager name the branch of `needsUpdate` that was taken. */
function reasonOf(
  entry: NotificationLogEntry | undefined,
  firing: readonly ModelAlert[],
  resolved: readonly ModelAlert[],
  sendResolved: boolean,
): string {
  if (!entry) return 'first notification';
  if (firing.some(({ id }) => !entry.firing.has(id))) return 'new alerts added';
  if (firing.length === 0) return 'all alerts resolved';
  if (sendResolved && resolved.some(({ id }) => !entry.resolved.has(id))) return 'some alerts resolved';
  return 'repeat interval elapsed';
}

function idsOf(alerts: readonly ModelAlert[]): ReadonlySet<string> {
  return new Set(alerts.map(({ id }) => id));
}
