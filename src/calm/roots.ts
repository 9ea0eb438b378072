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
  readonly #claims: Table<Claim>;
  /** When each kind was seen first. */
  readonly #kinds: Table<number>;

  constructor(context: StageContext, members: Members) {
    this.#members = members;
    this.#claims = context.table<Claim>('claims');
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
      this.#claim(incident, storm, incident.id, false);
      return null;
    }
    const news = this.#newKind(incident, storm);
    if (news !== null) {
      this.#claim(incident, storm, incident.id, true);
      incident.rootId = incident.id;
      if (!isCovered) return null;
      storm.coveredCount--;
      return {
        incidentId: incident.id,
        stormId: storm.id,
        rootId: null,
        sameAs: [],
        reason: newKindReason(news),
      };
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
      if (same) {
        const text = `${same.rootId} is about ${service} too`;
        return { rootId: same.rootId, sameAs: [], reason: coverReason(text) };
      }
      for (const upstream of graph.upstreamOf(service)) {
        const above = this.#open(storm, 'service', upstream, incident.id);
        if (!above) continue;
        const text = `${service} depends on ${upstream}, which ${above.rootId} is about`;
        return { rootId: above.rootId, sameAs: [], reason: coverReason(text) };
      }
    }
    return null;
  }

  /** All that it says one other incident has said. */
  #byKind({ id, kinds }: MemberIncident, storm: StormRow): Found | null {
    const claims = kinds.map((kind) => this.#open(storm, 'kind', kind, id));
    const rootId = claims[0]?.rootId;
    const sameAs = claims.flatMap((claim) => (claim?.rootId === rootId && claim ? [claim.signalId] : []));
    if (rootId === undefined || sameAs.length < kinds.length) return null;
    const text = `${rootId} says the same: ${kinds.slice(0, 3).join(', ')}`;
    return { rootId, sameAs, reason: coverReason(text) };
  }

  /** What was claimed, while the root is open. */
  #open(storm: StormRow, what: 'service' | 'kind', name: string, ownId: string): Claim | null {
    const claim = this.#claims.get(claimKey(storm, what, name));
    return claim && claim.rootId !== ownId && this.#members.incidents.has(claim.rootId) ? claim : null;
  }

  /**
   * What a root says as it comes into the storm is its own, for that is told. What joins it later, and what those say that it covers, never
   * is: of these only the services are the root's.
   */
  #claim(incident: MemberIncident, storm: StormRow, rootId: string, isTold: boolean): void {
    const { services, kinds, firstOfKind } = incident;
    for (const service of services) this.#claimOne(storm, 'service', service, { rootId, signalId: '' });
    if (!isTold) return;
    for (const [i, kind] of kinds.entries())
      this.#claimOne(storm, 'kind', kind, { rootId, signalId: firstOfKind[i]! });
  }

  #claimOne(storm: StormRow, what: 'service' | 'kind', name: string, claim: Claim): void {
    const key = claimKey(storm, what, name);
    const holder = this.#claims.get(key);
    if (!holder || !this.#members.incidents.has(holder.rootId)) this.#claims.set(key, claim);
  }
}

interface Claim {
  readonly rootId: string;
  /** The root's first signal of the kind; empty for services. */
  readonly signalId: string;
}

type Found = Pick<Cover, 'reason' | 'sameAs'> & { readonly rootId: string };

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
