import type { StageContext, Table } from '../engine/index.ts';
import type { Flow, Incident, Reason, Storm } from '../incident/index.ts';
import type { Group, Routed } from './group.ts';
import type { Groups } from './groups.ts';
import type { IncidentMap } from './incident-map.ts';
import type { Pager } from './pager.ts';
import { raise, urgencyOf } from './urgency.ts';

export interface CalmParts {
  readonly groups: Groups;
  readonly map: IncidentMap;
  readonly pager: Pager;
}

/** A storm that goes on, and what was sent in it. */
export interface StormPages {
  readonly storm: Storm;
  readonly pageCount: number;
  /** Incidents whose first page was held back, because another one stands for them. */
  readonly heldCount: number;
  /** Who was paged, or had a page held back, in the order in which that began. */
  readonly receivers: readonly string[];
}

/** That the first page of an incident has time, and why. */
export interface HeldPage {
  readonly untilMs: number;
  readonly text: string;
}

interface CoveredBy {
  readonly rootId: string;
  readonly stormId: string;
  readonly text: string;
  readonly sameAs: readonly string[];
  /** A page was held back for that. */
  readonly isHeld: boolean;
}

/** What keeps pages of incidents calm, as the flow has told so far. Groups that stand for no incident know none of it. */
export class Calm {
  readonly #parts: CalmParts;
  /** Why a signal flaps, by its id. */
  readonly #flapping: Table<string>;
  readonly #covers: Table<CoveredBy>;
  readonly #holds: Table<HeldPage>;
  /** By domain. */
  readonly #storms: Table<StormPages>;

  constructor(context: StageContext, parts: CalmParts) {
    this.#parts = parts;
    this.#flapping = context.table<string>('flapping');
    this.#covers = context.table<CoveredBy>('covers');
    this.#holds = context.table<HeldPage>('holds');
    this.#storms = context.table<StormPages>('storms');
  }

  /** Takes over what the stages before say. */
  learn({ signalChanges, stormChanges, covers, holds }: Flow): {
    /** Signals that flap no more. */
    readonly calmedSignals: readonly string[];
    /** Incidents whose pages have no time any more. */
    readonly dueIncidents: readonly string[];
    readonly endedStorms: readonly StormPages[];
  } {
    const calmedSignals: string[] = [];
    const dueIncidents: string[] = [];
    const endedStorms: StormPages[] = [];
    for (const { change, signal, reasons } of signalChanges) {
      if (change === 'flapping') this.#flapping.set(signal.id, reasons[0]?.text ?? 'flapping');
      else if (signal.state !== 'flapping' && this.#flapping.delete(signal.id)) calmedSignals.push(signal.id);
    }
    for (const { incidentId, rootId, stormId, sameAs, reason } of covers) {
      if (rootId !== null)
        this.#covers.set(incidentId, { rootId, stormId, text: reason.text, sameAs, isHeld: false });
      else if (this.#covers.delete(incidentId)) dueIncidents.push(incidentId);
    }
    for (const { incidentId, untilMs, reason } of holds) {
      if (untilMs !== null) this.#holds.set(incidentId, { untilMs, text: reason.text });
      else if (this.#holds.delete(incidentId)) dueIncidents.push(incidentId);
    }
    for (const { change, storm } of stormChanges) {
      const { domain } = storm;
      const before = this.#storms.get(domain);
      const pages = { pageCount: 0, heldCount: 0, receivers: [], ...before, storm };
      if (change !== 'ended') this.#storms.set(domain, pages);
      else {
        this.#storms.delete(domain);
        endedStorms.push(pages);
      }
    }
    return { calmedSignals, dueIncidents, endedStorms };
  }

  /** Forgets an incident that is over. */
  forget(incidentId: string): void {
    this.#covers.delete(incidentId);
    this.#holds.delete(incidentId);
  }

  isFlapping(signalId: string | null): boolean {
    return signalId !== null && this.#flapping.has(signalId);
  }

  /** Why a group with these alerts does not come to rest; null where it does. */
  flappingOf(alerts: readonly Routed[]): string | null {
    return this.#flappingTexts(alerts)[0] ?? null;
  }

  /** How long the incident's first page has time; null where it has none. */
  holdOf(incidentId: string): HeldPage | null {
    return this.#holds.get(incidentId) ?? null;
  }

  /**
   * Why the page of another incident is enough for this one; null where it is not: the other one is over, its page did not go to this
   * receiver or did not say the same, or this one is worse than what was told.
   */
  coverOf(group: Group, incident: Incident): string | null {
    const cover = this.#covers.get(incident.id);
    if (!cover) return null;
    const { groups, map, pager } = this.#parts;
    const { rootId, stormId, text, sameAs } = cover;
    const root = map.incident(rootId);
    if (root?.state !== 'open' && root?.state !== 'acknowledged') return null;
    for (const id of groups.groupsOfIncident(rootId)) {
      const other = groups.get(id);
      if (other?.receiver !== group.receiver) continue;
      const told = Object.values(pager.toldBy(id)).find(({ firing }) => firing.length > 0);
      const isSaid = (signalId: string): boolean =>
        groups
          .alertsOfSignal(signalId)
          .some((name) => !told || told.firing.includes(groups.routed(name)?.alert.fingerprint ?? ''));
      if (!sameAs.every(isSaid)) continue;
      const urgency = told ? told.urgency : other.hasFlushed ? null : urgencyOf(root);
      if (!urgency || raise(urgency, urgencyOf(incident)) !== null) continue;
      const standing = told ? `the page of ${rootId} stands for it` : `it waits for the page of ${rootId}`;
      return `${stormId}: ${standing}, since ${text}`;
    }
    return null;
  }

  /** What is kept of an incident's pages, for who asks. */
  reasonsOf(incidentId: string): readonly Reason[] {
    const cover = this.#covers.get(incidentId);
    const hold = this.#holds.get(incidentId);
    const covered = this.#coveredBy(incidentId);
    return [
      ...(cover
        ? [reason('storm_cover', `${cover.stormId}: ${cover.rootId} stands for it, since ${cover.text}`)]
        : []),
      ...(covered.length > 0 ? [reason('storm_root', standsFor(covered))] : []),
      ...(hold
        ? [reason('transient', `its first page has time until ${clock(hold.untilMs)}: ${hold.text}`)]
        : []),
    ];
  }

  /** What a page with these alerts must say beyond the incident. */
  noticesOf(alerts: readonly Routed[], incident: Incident, maxSignals: number): readonly string[] {
    const storm = this.#storms.get(incident.domain)?.storm;
    const covered = this.#coveredBy(incident.id);
    const hold = this.#holds.get(incident.id);
    return [
      ...this.#flappingTexts(alerts).slice(0, maxShownTexts),
      ...(storm ? [stormNotice(storm)] : []),
      ...(covered.length > 0 ? [standsFor(covered)] : []),
      ...(incident.signalCount >= maxSignals ? [fullNotice(incident)] : []),
      ...(hold ? [`this page was held back for a while: ${hold.text}`] : []),
    ];
  }

  /** A page of an incident leaves: it has waited, and belongs to a storm where one goes on. */
  notePage(incident: Incident, receiver: string): void {
    this.#holds.delete(incident.id);
    this.noteReceiver(incident, receiver, 1, 0);
  }

  /** A page is held back because another incident stands for this one. */
  noteHeld(incident: Incident, receiver: string): void {
    const cover = this.#covers.get(incident.id);
    if (!cover) return;
    this.noteReceiver(incident, receiver, 0, cover.isHeld ? 0 : 1);
    if (!cover.isHeld) this.#covers.set(incident.id, { ...cover, isHeld: true });
  }

  /** A receiver is paged in a storm, or is not because another page is enough: it hears what the storm was. */
  noteReceiver({ domain }: Incident, receiver: string, pageCount: number, heldCount: number): void {
    const pages = this.#storms.get(domain);
    if (!pages) return;
    const isKnown = pages.receivers.includes(receiver);
    if (isKnown && pageCount + heldCount === 0) return;
    this.#storms.set(domain, {
      storm: pages.storm,
      pageCount: pages.pageCount + pageCount,
      heldCount: pages.heldCount + heldCount,
      receivers: isKnown ? pages.receivers : [...pages.receivers, receiver],
    });
  }

  /** Open incidents that a storm left without a page of their own, with the ones that stand for them. */
  coveredIn(stormId: string): { readonly incident: Incident; readonly rootId: string }[] {
    return [...this.#covers.entries()].flatMap(([id, cover]) => {
      const incident = this.#parts.map.incident(id);
      return incident && cover.isHeld && cover.stormId === stormId
        ? [{ incident, rootId: cover.rootId }]
        : [];
    });
  }

  #coveredBy(rootId: string): string[] {
    if (this.#covers.size === 0) return [];
    return [...this.#covers.entries()].flatMap(([id, { rootId: root, isHeld }]) =>
      root === rootId && isHeld ? [id] : [],
    );
  }

  /** Each text once, in an order that a restart does not change. */
  #flappingTexts(alerts: readonly Routed[]): string[] {
    if (this.#flapping.size === 0) return [];
    const texts = new Set<string>();
    for (const { signalId } of alerts) {
      const text = signalId === null ? undefined : this.#flapping.get(signalId);
      if (text !== undefined) texts.add(text);
    }
    return [...texts].sort();
  }
}

const maxShownTexts = 2;
const maxShownIds = 5;

function stormNotice({ id, startedAtMs, reasons }: Storm): string {
  return `over the limit: ${id} since ${clock(startedAtMs)}, ${reasons[0]?.text ?? 'a storm'}; pages are summarised`;
}

function fullNotice({ id, signalCount }: Incident): string {
  return `over the limit: ${id} has ${signalCount} signals, the most that one incident takes (correlate.max_signals); what follows is in another one`;
}

function standsFor(ids: readonly string[]): string {
  const shown = ids.slice(0, maxShownIds).join(', ');
  const more = ids.length > maxShownIds ? ` and ${ids.length - maxShownIds} more` : '';
  return `stands for ${ids.length} more incident${ids.length === 1 ? '' : 's'} without pages of their own: ${shown}${more}`;
}

function reason(code: string, text: string): Reason {
  return { stage: 'dispatch', code, text };
}

function clock(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(11, 19)} UTC`;
}
