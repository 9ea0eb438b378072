import type { Companion } from './companions.ts';
import { isPlace, kindKey, serviceKey, type Facets } from './facets.ts';

/** How many members of a candidate have a value, and one of them. */
interface Holders {
  count: number;
  /** The last one; null where that has left, until somebody asks. */
  lastSignalId: string | null;
}

/** What a profile keeps of a member. */
export interface MemberFacets {
  readonly signalId: string;
  /** What it can be looked up by. */
  readonly keys: readonly string[];
  readonly service: string | null;
  /** It says where it happens: it names a machine or a service. */
  readonly hasPlace: boolean;
}

/** What the profile keeps of a signal with these facets. */
export function memberOf(signalId: string, keys: readonly string[], facets: Facets): MemberFacets {
  return { signalId, keys, service: facets.service, hasPlace: facets.values.some(isPlace) };
}

/**
 * How the members of one candidate look: how many of them have a value, and one signal for each. Derived from the tables.
 * Most candidates have one member, and nothing is counted before there is a second.
 */
export class Profile {
  size = 0;
  readonly #lastWith: (key: string) => string | undefined;
  #placeCount = 0;
  #only: MemberFacets | null = null;
  #holders: Map<string, Holders> | null = null;
  #services: readonly string[] = [];

  /** `lastWith` finds the last member with a key where the profile does not know it any more. */
  constructor(lastWith: (key: string) => string | undefined) {
    this.#lastWith = lastWith;
  }

  /** A member says where it happens. */
  get hasPlaces(): boolean {
    return this.#placeCount > 0;
  }

  /** How many members have `key`. */
  count(key: string): number {
    if (this.#holders) return this.#holders.get(key)?.count ?? 0;
    return this.#only?.keys.includes(key) ? 1 : 0;
  }

  /** A member that has `key`. */
  memberWith(key: string): string | undefined {
    if (this.#holders) {
      const holders = this.#holders.get(key);
      if (holders?.lastSignalId === null) holders.lastSignalId = this.#lastWith(key) ?? null;
      return holders?.lastSignalId ?? undefined;
    }
    return this.#only?.keys.includes(key) ? this.#only.signalId : undefined;
  }

  /** The services of the members, each once. */
  get services(): readonly string[] {
    return this.#services;
  }

  /** What at least one member has. */
  keys(): Iterable<string> {
    return this.#holders?.keys() ?? this.#only?.keys ?? [];
  }

  /** Takes a member out. Returns the keys that nobody has any more. */
  remove({ signalId, keys, service, hasPlace }: MemberFacets): string[] {
    if (hasPlace) this.#placeCount--;
    this.size--;
    if (!this.#holders) {
      this.#only = null;
      this.#services = [];
      return [...keys];
    }
    const gone: string[] = [];
    for (const key of keys) {
      const holders = this.#holders.get(key);
      if (!holders) continue;
      if (holders.lastSignalId === signalId) holders.lastSignalId = null;
      if (--holders.count > 0) continue;
      this.#holders.delete(key);
      gone.push(key);
    }
    if (service !== null && !this.#holders.has(serviceKey(service)))
      this.#services = this.#services.filter((name) => name !== service);
    return gone;
  }

  add(member: MemberFacets): void {
    const { service, hasPlace } = member;
    if (hasPlace) this.#placeCount++;
    if (service !== null && !this.#services.includes(service))
      this.#services = this.#services.concat(service);
    if (++this.size === 1 && !this.#holders) {
      this.#only = member;
      return;
    }
    this.#holders ??= new Map();
    if (this.#only) hold(this.#holders, this.#only);
    this.#only = null;
    hold(this.#holders, member);
  }
}

function hold(holders: Map<string, Holders>, { signalId, keys }: MemberFacets): void {
  for (const key of keys) {
    const known = holders.get(key);
    if (known) {
      known.count++;
      known.lastSignalId = signalId;
    } else holders.set(key, { count: 1, lastSignalId: signalId });
  }
}

/** The active candidates that have a value. Most values belong to one, which then stands there alone. */
interface Posting {
  readonly key: string;
  ids: string | Set<string>;
}

/**
 * Inverted index from what signals are looked up by to the active candidates that have it, for each domain. Its
 * answers depend on which candidates are active and on nothing else, so that a restored fold gets the same ones.
 */
export class CandidateIndex {
  readonly #domains = new Map<string, Map<string, Posting>>();

  /** Enters the candidate under `key`. Returns the index's own copy of `key`, so that a value costs memory once. */
  add(domain: string, key: string, candidateId: string): string {
    let postings = this.#domains.get(domain);
    if (!postings) this.#domains.set(domain, (postings = new Map()));
    const posting = postings.get(key);
    if (!posting) {
      postings.set(key, { key, ids: candidateId });
      return key;
    }
    if (typeof posting.ids !== 'string') posting.ids.add(candidateId);
    else if (posting.ids !== candidateId) posting.ids = new Set([posting.ids, candidateId]);
    return posting.key;
  }

  remove(domain: string, key: string, candidateId: string): void {
    const postings = this.#domains.get(domain);
    const ids = postings?.get(key)?.ids;
    if (ids === candidateId || (typeof ids === 'object' && ids.delete(candidateId) && ids.size === 0))
      postings?.delete(key);
  }

  /**
   * Adds to `votes` how well candidates are found by `facets`, by the services near it and by what usually comes with it: the fewer share a value, the
   * more it says. Hubs (more than `maxPostings`) are passed over, so that the cost does not grow with the candidates.
   */
  find(
    domain: string,
    facets: Facets,
    nearServices: Iterable<string>,
    companions: readonly Companion[],
    maxPostings: number,
    votes: Map<string, number>,
  ): void {
    const postings = this.#domains.get(domain);
    if (!postings) return;
    for (const { kind } of companions) vote(postings.get(kindKey(kind)), maxPostings, votes);
    for (const { key } of facets.values) vote(postings.get(key), maxPostings, votes);
    for (const key of facets.bands) vote(postings.get(key), maxPostings, votes);
    let looked = 0;
    for (const service of nearServices) {
      if (++looked > maxPostings) break;
      vote(postings.get(serviceKey(service)), maxPostings, votes);
    }
  }
}

function vote(posting: Posting | undefined, maxPostings: number, votes: Map<string, number>): void {
  if (!posting) return;
  const { ids } = posting;
  if (typeof ids === 'string') votes.set(ids, (votes.get(ids) ?? 0) + 1);
  else if (ids.size <= maxPostings) for (const id of ids) votes.set(id, (votes.get(id) ?? 0) + 1 / ids.size);
}
