import { fingerprint } from '../alert/index.ts';
import type { StageContext, Table } from '../engine/index.ts';
import type { Cover, Reason, ServiceGraph } from '../incident/index.ts';
import type { MemberIncident, Members } from './members.ts';
import type { StormRow } from './storm-row.ts';

/** Kinds remembered at most; beyond that those known for longest are forgotten, and are new again: they pass once too often. */
const maxKinds = 20_000;

/**
 * Which incidents of a storm stand for others. An incident is covered by an earlier one when one of its services is that one's or depends
 * on it (over at most three calls), or when it says the same. What the domain has never seen before the storm covers nobody's and is
 * covered by none, the first time.
 */
export class Roots {
  readonly #members: Members;
  /** The root that a service or a kind belongs to, by storm. */
  readonly #claims: Table<string>;
  /** When each kind was seen first. */
  readonly #kinds: Table<number>;

  constructor(context: StageContext, members: Members) {
    this.#members = members;
    this.#claims = context.table<string>('claims');
    this.#kinds = context.table<number>('kinds');
  }

  /** Notes that the domain knows a kind. */
  noteKind(domain: string, kind: string, nowMs: number): void {
    const key = kindKey(domain, kind);
    if (this.#kinds.has(key)) return;
    this.#kinds.set(key, nowMs);
    if (this.#kinds.size <= maxKinds) return;
    for (const oldest of this.#kinds.keys()) {
      this.#kinds.delete(oldest);
      break;
    }
  }

  /** Gives an incident its part in the storm, or looks at that again when it has grown. Null where nothing changes for its pages. */
  place(incident: MemberIncident, storm: StormRow, graph: ServiceGraph): Cover | null {
    const isNew = incident.stormId !== storm.id;
    if (isNew) {
      storm.incidentCount++;
      incident.stormId = storm.id;
      incident.rootId = null;
    }
    const isCovered = incident.rootId !== null && incident.rootId !== incident.id;
    if (!isNew && !isCovered) {
      this.#claim(incident, storm, incident.id, true);
      return null;
    }
    const news = this.#newKind(incident, storm);
    if (news !== null) {
      this.#claim(incident, storm, incident.id, true);
      incident.rootId = incident.id;
      if (!isCovered) return null;
      storm.coveredCount--;
      return { incidentId: incident.id, stormId: storm.id, rootId: null, reason: newKindReason(news) };
    }
    if (isCovered) return null;
    const above = this.#byTopology(incident, storm, graph);
    const found = above ?? this.#byKind(incident, storm);
    incident.rootId = found?.rootId ?? incident.id;
    // Who merely says the same says nothing about the services around.
    if (above || !found) this.#claim(incident, storm, incident.rootId, !found);
    if (!found) return null;
    storm.coveredCount++;
    return { incidentId: incident.id, stormId: storm.id, ...found };
  }

  /** Forgets what belongs to a storm that is over. */
  forget(stormId: string): void {
    for (const key of this.#claims.keys()) if (key.startsWith(`${stormId}/`)) this.#claims.delete(key);
  }

  #newKind({ domain, kinds }: MemberIncident, storm: StormRow): string | null {
    const sinceMs = storm.startedAtMs - storm.windowMs;
    return (
      kinds.find(
        (kind) =>
          (this.#kinds.get(kindKey(domain, kind)) ?? Infinity) >= sinceMs &&
          !this.#claims.has(claimKey(storm, 'kind', kind)),
      ) ?? null
    );
  }

  #byTopology(incident: MemberIncident, storm: StormRow, graph: ServiceGraph): Found | null {
    for (const service of incident.services) {
      const same = this.#open(storm, 'service', service, incident.id);
      if (same !== null) return { rootId: same, reason: coverReason(`${same} is about ${service} too`) };
      for (const upstream of graph.upstreamOf(service)) {
        const rootId = this.#open(storm, 'service', upstream, incident.id);
        if (rootId === null) continue;
        const text = `${service} depends on ${upstream}, which ${rootId} is about`;
        return { rootId, reason: coverReason(text) };
      }
    }
    return null;
  }

  /** All that it says has been said. */
  #byKind(incident: MemberIncident, storm: StormRow): Found | null {
    const roots = incident.kinds.map((kind) => this.#open(storm, 'kind', kind, incident.id));
    const [rootId] = roots;
    if (!rootId || roots.includes(null)) return null;
    return {
      rootId,
      reason: coverReason(`${rootId} says the same: ${incident.kinds.slice(0, 3).join(', ')}`),
    };
  }

  /** The root that claims it, while that is open. */
  #open(storm: StormRow, what: 'service' | 'kind', name: string, ownId: string): string | null {
    const rootId = this.#claims.get(claimKey(storm, what, name));
    return rootId !== undefined && rootId !== ownId && this.#members.incidents.has(rootId) ? rootId : null;
  }

  /** What a root is about is its own. Of a covered incident only the services are the root's: what it says was never told. */
  #claim({ services, kinds }: MemberIncident, storm: StormRow, rootId: string, isRoot: boolean): void {
    for (const service of services) this.#claimOne(storm, 'service', service, rootId);
    if (isRoot) for (const kind of kinds) this.#claimOne(storm, 'kind', kind, rootId);
  }

  #claimOne(storm: StormRow, what: 'service' | 'kind', name: string, rootId: string): void {
    const key = claimKey(storm, what, name);
    const holder = this.#claims.get(key);
    if (holder === undefined || !this.#members.incidents.has(holder)) this.#claims.set(key, rootId);
  }
}

type Found = Pick<Cover, 'reason'> & { readonly rootId: string };

function claimKey({ id }: StormRow, what: 'service' | 'kind', name: string): string {
  return `${id}/${what}/${name}`;
}

function kindKey(domain: string, kind: string): string {
  return fingerprint(['domain', domain, 'kind', kind]);
}

function coverReason(text: string): Reason {
  return { stage: 'calm', code: 'storm_cover', text };
}

function newKindReason(kind: string): Reason {
  return { stage: 'calm', code: 'new_kind', text: `${kind} was never seen before this storm` };
}
