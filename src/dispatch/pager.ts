import { compareLabels } from '../alert/index.ts';
import type { Fact, StageContext, Table } from '../engine/index.ts';
import type { Incident, NotifiedAlert, NotifyEffect, Page, TocsinFrame } from '../incident/index.ts';
import type { Group, Routed, Told } from './group.ts';
import { groupName } from './groups.ts';
import { urgencyOf } from './urgency.ts';

/** A page that is on its way, and what has to be put back when it fails. */
export interface InFlight {
  readonly group: Group;
  /** What its receiver was told before. */
  readonly before: Told | null;
  /** Alerts whose end it tells: they left their group with it. */
  readonly gone: readonly Pick<Routed, 'alert' | 'signalId'>[];
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

/**
 * Emits pages, and remembers what the receiver of each group was told: Alertmanager's notification log. A page counts as told when it
 * is emitted; `settle` takes that back when it could not be delivered.
 */
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

  /** Emits a page. Returns its id. */
  send({ group, alerts, incident, reason, firing, resolved, gone }: PageDraft, frame: TocsinFrame): string {
    const revision = (this.#counters.get('revision') ?? 0) + 1;
    this.#counters.set('revision', revision);
    const id = `${groupName(group)}/${revision}/${group.receiver}`;
    const sorted = alerts.toSorted((a, b) => compareLabels(a.alert.labels, b.alert.labels));
    const status = alerts.some((alert) => alert.status === 'firing') ? 'firing' : 'resolved';
    const { receiver, key: groupKey, incidentId } = group;
    const atMs = frame.timeMs;
    const effect: NotifyEffect = {
      id,
      kind: 'notify',
      payload: {
        receiver,
        groupKey,
        groupLabels: group.labels,
        status,
        notificationReason: reason,
        alerts: sorted,
        incident,
        atMs,
      },
    };
    frame.effects.push(effect);
    const fingerprints = sorted.map(({ alert }) => alert.fingerprint);
    const page: Page = { id, receiver, groupKey, incidentId, status, reason, fingerprints, atMs };
    frame.flow.pages = [...frame.flow.pages, page];
    if (incidentId !== null) {
      this.#pages.set(incidentId, [...this.pages(incidentId), page].slice(-keptPageCount));
    }
    this.#inFlight.set(id, { group, before: this.#told.get(group.id) ?? null, gone });
    this.#told.set(group.id, {
      firing: firing.toSorted(),
      resolved: resolved.toSorted(),
      atMs,
      urgency: incident && urgencyOf(incident),
      effectId: id,
    });
    return id;
  }

  /** A notification ended. When it failed it was never told, and what left its group with it is returned to be put back. */
  settle({ effectId, outcome }: Fact): InFlight | null {
    const inFlight = this.#inFlight.get(effectId);
    if (!inFlight) return null;
    this.#inFlight.delete(effectId);
    if (outcome.status === 'done') return null;
    this.#takeBack(effectId, inFlight);
    return inFlight;
  }

  /** Where the failed page was the last of its group, the one before it is the last again; where another followed, that one's predecessor is. */
  #takeBack(effectId: string, { group, before }: InFlight): void {
    const last = this.#told.get(group.id);
    if (last?.effectId === effectId) {
      if (before) this.#told.set(group.id, before);
      else this.#told.delete(group.id);
      return;
    }
    for (let id = last?.effectId; id !== undefined;) {
      const later = this.#inFlight.get(id);
      if (later?.before?.effectId === effectId) this.#inFlight.set(id, { ...later, before });
      id = later?.before?.effectId;
    }
  }
}
