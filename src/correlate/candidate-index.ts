import { isPlace, serviceKey, type Facets } from './facets.ts';

/** How the members of one candidate look: how many of them have a value, and one signal for each. Derived from the tables. */
export class Profile {
  size = 0;
  /** A member says where it happens: it names a machine or a service. */
  hasPlaces = false;
  readonly #counts = new Map<string, { count: number; lastSignalId: string }>();
  readonly #services = new Set<string>();

  /** How many members have `key`. */
  count(key: string): number {
    return this.#counts.get(key)?.count ?? 0;
  }

  /** A member that has `key`. */
  memberWith(key: string): string | undefined {
    return this.#counts.get(key)?.lastSignalId;
  }

  /** The services of the members. */
  get services(): ReadonlySet<string> {
    return this.#services;
  }

  keys(): IterableIterator<string> {
    return this.#counts.keys();
  }

  /** Adds a member; returns the keys that are new. */
  add(signalId: string, facets: Facets): string[] {
    this.size++;
    this.hasPlaces ||= facets.values.some((value) => isPlace(value));
    if (facets.service !== null) this.#services.add(facets.service);
    const added: string[] = [];
    for (const key of keysOf(facets)) {
      const entry = this.#counts.get(key);
      if (entry) {
        entry.count++;
        entry.lastSignalId = signalId;
      } else {
        this.#counts.set(key, { count: 1, lastSignalId: signalId });
        added.push(key);
      }
    }
    return added;
  }
}

/**
 * Inverted index from what signals are looked up by to the active candidates that have it, for each domain. Its
 * answers depend on which candidates are active and on nothing else, so that a restored fold gets the same ones.
 */
export class CandidateIndex {
  readonly #postings = new Map<string, Set<string>>();

  add(domain: string, key: string, candidateId: string): void {
    const posting = this.#postings.get(`${domain}\n${key}`);
    if (posting) posting.add(candidateId);
    else this.#postings.set(`${domain}\n${key}`, new Set([candidateId]));
  }

  remove(domain: string, key: string, candidateId: string): void {
    const posting = this.#postings.get(`${domain}\n${key}`);
    posting?.delete(candidateId);
    if (posting?.size === 0) this.#postings.delete(`${domain}\n${key}`);
  }

  /**
   * Adds to `votes` how well candidates are found by `facets` and by the services near it: the fewer share a value, the
   * more it says. Hubs (more than `maxPostings`) are passed over, so that the cost does not grow with the candidates.
   */
  find(
    domain: string,
    facets: Facets,
    nearServices: Iterable<string>,
    maxPostings: number,
    votes: Map<string, number>,
  ): void {
    for (const { key } of facets.values) this.#vote(domain, key, maxPostings, votes);
    for (const key of facets.bands) this.#vote(domain, key, maxPostings, votes);
    let looked = 0;
    for (const service of nearServices) {
      if (++looked > maxPostings) break;
      this.#vote(domain, serviceKey(service), maxPostings, votes);
    }
  }

  #vote(domain: string, key: string, maxPostings: number, votes: Map<string, number>): void {
    const posting = this.#postings.get(`${domain}\n${key}`);
    if (!posting || posting.size > maxPostings) return;
    for (const id of posting) votes.set(id, (votes.get(id) ?? 0) + 1 / posting.size);
  }
}

function* keysOf(facets: Facets): IterableIterator<string> {
  for (const { key } of facets.values) yield key;
  yield* facets.bands;
}
