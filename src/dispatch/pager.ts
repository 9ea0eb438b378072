import { compareAsAlerts } from '../alert/index.ts';
import type { Claim, ErrorCode, Fact, StageContext, Table } from '../engine/index.ts';
import type {
  Incident,
  NotifiedAlert,
  NotifyEffect,
  Page,
  SentPage,
  TocsinFrame,
} from '../incident/index.ts';
import type { Group, Routed, Told } from './group.ts';
import { groupName } from './groups.ts';
import type { IntegrationSettings } from './settings.ts';
import { urgencyOf } from './urgency.ts';

/** A page that is on its way, and what has to be put back when it fails. */
export interface InFlight {
  readonly pageId: string;
  readonly group: Group;
  readonly integration: string;
  /** What its integration was told before. */
  readonly before: Told | null;
  /** Alerts whose end it tells: they left their group with it. */
  readonly gone: readonly Pick<Routed, 'alert' | 'signalId'>[];
}

/** One integration to tell, and why. */
export interface Telling {
  readonly integration: IntegrationSettings;
  readonly reason: string;
}

export interface PageDraft {
  readonly group: Group;
  readonly alerts: readonly NotifiedAlert[];
  readonly incident: Incident | null;
  /** At least one. */
  readonly tellings: readonly Telling[];
  /** The receiver has no other integrations. */
  readonly isSole: boolean;
  /** Unmuted fingerprints of the group. */
  readonly firing: readonly string[];
  readonly resolved: readonly string[];
  readonly gone: InFlight['gone'];
  readonly notices: readonly string[];
  readonly retryForMs: number;
}

const keptPageCount = 50;

/** What the integrations of a group's receiver were told last, by their names. */
export type ToldBy = Readonly<Record<string, Told>>;

/**
 * Emits pages, and remembers what each integration was told of each group: Alertmanager's notification log. A page counts as told when
 * it is emitted; `settle` takes that back for the integration that could not be reached.
 */
export class Pager {
  readonly #told: Table<ToldBy>;
  readonly #inFlight: Table<InFlight>;
  readonly #pages: Table<readonly SentPage[]>;
  readonly #counters: Table<number>;

  constructor(context: StageContext) {
    this.#told = context.table<ToldBy>('told');
    this.#inFlight = context.table<InFlight>('in-flight');
    this.#pages = context.table<readonly SentPage[]>('pages');
    this.#counters = context.table<number>('counters');
  }

  told(groupId: string, integration: string): Told | undefined {
    return this.#told.get(groupId)?.[integration];
  }

  toldBy(groupId: string): ToldBy {
    return this.#told.get(groupId) ?? nobody;
  }

  setTold(groupId: string, integration: string, told: Told): void {
    this.#told.set(groupId, { ...this.#told.get(groupId), [integration]: told });
  }

  forgetTold(groupId: string): void {
    this.#told.delete(groupId);
  }

  /** The last pages of an incident, oldest first. */
  pages(incidentId: string): readonly SentPage[] {
    return this.#pages.get(incidentId) ?? [];
  }

  forgetPages(incidentId: string): void {
    this.#pages.delete(incidentId);
  }

  /** Emits a page, with an effect for each integration. Returns its id. */
  send(draft: PageDraft, frame: TocsinFrame): string {
    const { group, tellings, isSole } = draft;
    const revision = (this.#counters.get('revision') ?? 0) + 1;
    this.#counters.set('revision', revision);
    const id = `${groupName(group)}/${revision}/${group.receiver}`;
    const alerts = draft.alerts.toSorted((a, b) => compareAsAlerts(a.alert.labels, b.alert.labels));
    for (const telling of tellings) {
      const effectId = isSole ? id : `${id}/${telling.integration.name}`;
      this.#tell({ ...draft, alerts }, telling, { pageId: id, effectId }, frame);
    }
    const isResolvedShown = tellings.some(({ integration }) => integration.sendResolved);
    const shown = isResolvedShown ? alerts : alerts.filter(isFiring);
    const page: Page = {
      id,
      receiver: group.receiver,
      groupKey: group.key,
      incidentId: group.incidentId,
      status: statusOf(shown),
      reason: tellings[0]!.reason,
      fingerprints: shown.map(({ alert }) => alert.fingerprint),
      atMs: frame.timeMs,
    };
    frame.flow.pages = [...frame.flow.pages, page];
    if (page.incidentId !== null) this.#keepPage(page.incidentId, page);
    return id;
  }

  /** A notification ended. When it failed it was never told, and what left its group with it is returned to be put back. */
  settle({ effectId, outcome }: Fact, frame: TocsinFrame): InFlight | null {
    const inFlight = this.#inFlight.get(effectId);
    if (!inFlight) return null;
    this.#inFlight.delete(effectId);
    this.#noteDelivery(inFlight, outcome, frame.timeMs);
    if (outcome.status === 'done' || isUncertain(outcome)) return null;
    this.#takeBack(effectId, inFlight);
    this.#withdraw(inFlight, frame);
    return inFlight;
  }

  /** A notification is carried out again, because nobody knows whether it was before. */
  noteRepeat({ effectId }: Claim, frame: TocsinFrame): void {
    const inFlight = this.#inFlight.get(effectId);
    if (inFlight) this.#noteDelivery(inFlight, null, frame.timeMs);
  }

  /** `outcome` is null where nobody knows it. */
  #noteDelivery(
    { pageId, group, integration }: InFlight,
    outcome: Fact['outcome'] | null,
    atMs: number,
  ): void {
    const { incidentId } = group;
    if (incidentId === null || !this.#pages.has(incidentId)) return;
    const status =
      outcome === null || isUncertain(outcome)
        ? 'unknown'
        : outcome.status === 'done'
          ? 'delivered'
          : 'failed';
    const delivery = {
      integration,
      status,
      code: outcome?.status === 'failed' ? outcome.code : null,
      atMs,
    } as const;
    const pages = this.pages(incidentId).map((page) =>
      page.id === pageId ? { ...page, deliveries: [...page.deliveries, delivery] } : page,
    );
    this.#pages.set(incidentId, pages);
  }

  /** Of what nobody was told that it fires, nobody is told that it has ended: the page that waits to say so gives way to an empty one. */
  #withdraw({ group, integration }: InFlight, { effects, timeMs }: TocsinFrame): void {
    const last = this.told(group.id, integration);
    if (!last || last.firing.length > 0) return;
    const waiting = this.#inFlight.get(last.effectId);
    if (waiting?.before !== null) return;
    const effect: NotifyEffect = {
      id: `${last.effectId}/withdrawn`,
      kind: 'notify',
      payload: {
        pageId: last.effectId,
        receiver: group.receiver,
        integration: integration === '' ? null : integration,
        groupKey: group.key,
        groupLabels: group.labels,
        status: 'resolved',
        notificationReason: 'withdrawn',
        alerts: [],
        unchangedCount: 0,
        incident: null,
        retryForMs: 0,
        atMs: timeMs,
      },
    };
    effects.push(effect);
  }

  #tell(
    { group, alerts, incident, firing, resolved, gone, notices, retryForMs }: PageDraft,
    { integration, reason }: Telling,
    { pageId, effectId }: { readonly pageId: string; readonly effectId: string },
    frame: TocsinFrame,
  ): void {
    const { name, sendResolved, onlyChanged } = integration;
    const shown = sendResolved ? alerts : alerts.filter(isFiring);
    const atMs = frame.timeMs;
    const before = this.told(group.id, name) ?? null;
    const changed = onlyChanged && before ? shown.filter((alert) => isNews(alert, before)) : shown;
    const meant = changed.length > 0 ? changed : shown;
    const effect: NotifyEffect = {
      id: effectId,
      kind: 'notify',
      payload: {
        pageId,
        receiver: group.receiver,
        integration: name === '' ? null : name,
        groupKey: group.key,
        groupLabels: group.labels,
        status: statusOf(shown),
        notificationReason: reason,
        ...(notices.length > 0 ? { notices } : {}),
        alerts: meant,
        unchangedCount: shown.length - meant.length,
        incident,
        retryForMs,
        atMs,
      },
    };
    frame.effects.push(effect);
    this.#inFlight.set(effectId, { pageId, group, integration: name, before, gone });
    this.setTold(group.id, name, {
      firing: firing.toSorted(),
      resolved: resolved.toSorted(),
      atMs,
      urgency: incident && urgencyOf(incident),
      effectId,
    });
  }

  #keepPage(incidentId: string, page: Page): void {
    this.#pages.set(
      incidentId,
      [...this.pages(incidentId), { ...page, deliveries: [] }].slice(-keptPageCount),
    );
  }

  /** Where the failed page was the last of its group, the one before it is the last again; where another followed, that one's predecessor is. */
  #takeBack(effectId: string, { group, integration, before }: InFlight): void {
    const last = this.told(group.id, integration);
    if (last?.effectId === effectId) {
      if (before) this.setTold(group.id, integration, before);
      else this.#forget(group.id, integration);
      return;
    }
    for (let id = last?.effectId; id !== undefined;) {
      const later = this.#inFlight.get(id);
      if (later?.before?.effectId === effectId) this.#inFlight.set(id, { ...later, before });
      id = later?.before?.effectId;
    }
  }

  #forget(groupId: string, integration: string): void {
    const { [integration]: _, ...others } = this.toldBy(groupId);
    if (Object.keys(others).length > 0) this.#told.set(groupId, others);
    else this.#told.delete(groupId);
  }
}

const nobody: ToldBy = Object.freeze({});

/** Whether the alert is otherwise than its integration was told. */
function isNews({ alert, status }: NotifiedAlert, told: Told): boolean {
  return told.firing.includes(alert.fingerprint) !== (status === 'firing');
}

function isFiring({ status }: NotifiedAlert): boolean {
  return status === 'firing';
}

function statusOf(alerts: readonly NotifiedAlert[]): 'firing' | 'resolved' {
  return alerts.some(isFiring) ? 'firing' : 'resolved';
}

/** Left alone after a crash: it may have been told, and counts as told. */
function isUncertain(outcome: Fact['outcome']): boolean {
  return outcome.status === 'failed' && outcome.code === ('TOC_EFFECT_UNCERTAIN' satisfies ErrorCode);
}
