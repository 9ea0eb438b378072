import { compareLabels, type Alert } from '../alert/index.ts';
import type { Fact, StageContext, Table } from '../engine/index.ts';
import type { Incident, NotifiedAlert, NotifyEffect, Page, TocsinFrame } from '../incident/index.ts';
import type { Group, Told } from './group.ts';
import { groupName } from './groups.ts';

/** What has to be put back when a notification fails. */
export interface InFlight {
  readonly groupId: string;
  readonly incidentId: string | null;
  readonly before: Told | null;
  /** Resolved alerts that left their group with it. */
  readonly gone: readonly { readonly alert: Alert; readonly signalId: string | null }[];
}

export interface PageDraft {
  readonly group: Group;
  readonly alerts: readonly NotifiedAlert[];
  readonly incident: Incident | null;
  readonly reason: string;
  /** Unmuted fingerprints of the group. */
  readonly firing: readonly string[];
  readonly resolved: readonly string[];
  readonly gone: InFlight['gone'];
}

const keptPageCount = 50;

/** Emits pages, and remembers what the receiver of each group was told: Alertmanager's notification log. */
export class Pager {
  readonly #told: Table<Told>;
  readonly #inFlight: Table<InFlight>;
  readonly #pages: Table<readonly Page[]>;
  readonly #counters: Table<number>;

  constructor(context: StageContext) {
    this.#told = context.table<Told>('told');
    this.#inFlight = context.table<InFlight>('in-flight');
    this.#pages = context.table<readonly Page[]>('pages');
    this.#counters = context.table<number>('counters');
  }

  told(groupId: string): Told | undefined {
    return this.#told.get(groupId);
  }

  setTold(groupId: string, told: Told): void {
    this.#told.set(groupId, told);
  }

  forgetTold(groupId: string): void {
    this.#told.delete(groupId);
  }

  /** The last pages of an incident, oldest first. */
  pages(incidentId: string): readonly Page[] {
    return this.#pages.get(incidentId) ?? [];
  }

  forgetPages(incidentId: string): void {
    this.#pages.delete(incidentId);
  }

  /** Emits a page and counts it as sent. */
  send({ group, alerts, incident, reason, firing, resolved, gone }: PageDraft, frame: TocsinFrame): void {
    const revision = (this.#counters.get('revision') ?? 0) + 1;
    this.#counters.set('revision', revision);
    const id = `${groupName(group)}/${revision}/${group.receiver}`;
    const status = alerts.some((alert) => alert.status === 'firing') ? 'firing' : 'resolved';
    const { receiver, key: groupKey, incidentId } = group;
    const effect: NotifyEffect = {
      id,
      kind: 'notify',
      payload: {
        receiver,
        groupKey,
        groupLabels: group.labels,
        status,
        notificationReason: reason,
        alerts: alerts.toSorted((a, b) => compareLabels(a.alert.labels, b.alert.labels)),
        incident,
        atMs: frame.timeMs,
      },
    };
    frame.effects.push(effect);
    const fingerprints = alerts.map(({ alert }) => alert.fingerprint);
    const page: Page = {
      id,
      receiver,
      groupKey,
      incidentId,
      status,
      reason,
      fingerprints,
      atMs: frame.timeMs,
    };
    frame.flow.pages = [...frame.flow.pages, page];
    if (incidentId !== null)
      this.#pages.set(incidentId, [...this.pages(incidentId), page].slice(-keptPageCount));
    const before = this.#told.get(group.id) ?? null;
    this.#inFlight.set(id, { groupId: group.id, incidentId, before, gone });
    this.#told.set(group.id, {
      firing,
      resolved,
      atMs: frame.timeMs,
      priority: incident?.priority ?? null,
      effectId: id,
    });
  }

  /** A notification ended. One that failed is taken back, and what left with it is returned to be put back. */
  settle({ effectId, outcome }: Fact): InFlight | null {
    const inFlight = this.#inFlight.get(effectId);
    if (!inFlight) return null;
    this.#inFlight.delete(effectId);
    if (outcome.status === 'done' || this.#told.get(inFlight.groupId)?.effectId !== effectId) return null;
    if (inFlight.before) this.#told.set(inFlight.groupId, inFlight.before);
    else this.#told.delete(inFlight.groupId);
    return inFlight;
  }
}
