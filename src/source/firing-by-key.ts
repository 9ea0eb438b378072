import type { Alert } from '../alert/index.ts';

/** Which alerts fire under a sender's key. Derived from what intake remembers; nothing is kept of alerts without a key. */
export class FiringByKey {
  readonly #fingerprints = new Map<string, Set<string>>();

  /** Replaces what is known of one alert. `before` is null where it did not fire. */
  note(before: Alert | null, after: Alert | null): void {
    if (before?.key !== undefined) this.#remove(before);
    if (after?.key !== undefined) this.#add(after);
  }

  /** The fingerprints that fire under the key, in an order that a restart does not change. */
  of(domain: string, key: string): string[] {
    return [...(this.#fingerprints.get(nameOf(domain, key)) ?? [])].sort();
  }

  clear(): void {
    this.#fingerprints.clear();
  }

  #add({ domain, key = '', fingerprint }: Alert): void {
    const name = nameOf(domain, key);
    const set = this.#fingerprints.get(name);
    if (set) set.add(fingerprint);
    else this.#fingerprints.set(name, new Set([fingerprint]));
  }

  #remove({ domain, key = '', fingerprint }: Alert): void {
    const name = nameOf(domain, key);
    const set = this.#fingerprints.get(name);
    set?.delete(fingerprint);
    if (set?.size === 0) this.#fingerprints.delete(name);
  }
}

function nameOf(domain: string, key: string): string {
  return `${domain.length}:${domain}${key}`;
}
