import type { StageContext, Table } from '../engine/index.ts';

/** How often a kind of signal began, and beside which others. */
interface KindRow {
  /** Times that it was heard of after it had been silent; halved from time to time, together with the time that they took. */
  visits: number;
  sinceMs: number;
  /** Kinds that visited at about the same time, with the number of these visits. */
  partners: { readonly kind: string; count: number }[];
}

interface Visit {
  readonly kind: string;
  readonly atMs: number;
}

/** A kind that usually visits at the same time. */
export interface Companion {
  readonly kind: string;
  /** Of `of` visits so many were together. */
  readonly together: number;
  readonly of: number;
  /** Log-odds for one cause, in (0, `mostCompanionWeight`]. */
  readonly weight: number;
}

const maxPartners = 8;
const maxKinds = 100_000;
const maxDomains = 10_000;
/** Visits of a domain that are compared with the next. */
const recentVisits = 12;
/** What company says at most, in log-odds. */
export const mostCompanionWeight = 6;
/** What a further visit together still says: the visits of a pair are not independent of each other. */
const dependence = 0.25;
/** For the lower bound of a share: one-sided, 95 %. */
const bound = 1.64;

/**
 * Learns which kinds of signals come together, of whatever cause: pairs of visits within `windowMs`, against what chance would bring
 * at the pace of each. A kind is `kindOf` of a signal: what it says and where.
 */
export class Companions {
  readonly #kinds: Table<KindRow>;
  readonly #recent: Table<Visit[]>;

  constructor(context: StageContext) {
    this.#kinds = context.table('kinds');
    this.#recent = context.table('recent-visits');
  }

  /** Counts a visit. Returns how many there have been. */
  visit(domain: string, kind: string, windowMs: number, nowMs: number): number {
    const row = this.#row(kind, nowMs);
    row.visits++;
    const recent = this.#recent.get(domain) ?? [];
    const seen = new Set([kind]);
    for (let i = recent.length - 1; i >= 0; i--) {
      const other = recent[i]!;
      if (nowMs - other.atMs > windowMs) break;
      if (seen.has(other.kind)) continue;
      seen.add(other.kind);
      addPartner(row, other.kind);
      addPartner(this.#row(other.kind, nowMs), kind);
    }
    this.#recent.set(domain, [...recent.slice(1 - recentVisits), { kind, atMs: nowMs }]);
    makeRoom(this.#recent, maxDomains);
    return row.visits;
  }

  /** The kinds that come with `kind` more often than chance would have it, the surest first. */
  of(kind: string, windowMs: number, nowMs: number): Companion[] {
    const row = this.#kinds.get(kind);
    if (!row || row.visits < 2) return [];
    const companions: Companion[] = [];
    for (const { kind: other, count: together } of row.partners) {
      const weight = this.#weigh(row, other, together, windowMs, nowMs);
      if (weight > 0) companions.push({ kind: other, together, of: row.visits, weight });
    }
    return companions.sort((a, b) => b.weight - a.weight || (a.kind < b.kind ? -1 : 1));
  }

  /** Forgets half of everything. */
  halve(nowMs: number): void {
    for (const [kind, row] of this.#kinds.entries()) {
      if (row.visits <= 1) {
        this.#kinds.delete(kind);
        continue;
      }
      row.visits /= 2;
      row.sinceMs = (row.sinceMs + nowMs) / 2;
      row.partners = row.partners.filter(({ count }) => count > 1);
      for (const partner of row.partners) partner.count /= 2;
      this.#kinds.touch(kind);
    }
  }

  /** How much likelier so many visits together are than chance would have them: relative entropy of a lower bound of the share. */
  #weigh(row: KindRow, other: string, together: number, windowMs: number, nowMs: number): number {
    const partner = this.#kinds.get(other);
    if (!partner) return 0;
    const rate = partner.visits / (nowMs - partner.sinceMs + windowMs);
    const chance = 1 - Math.exp(-2 * windowMs * rate);
    const share = lowerBound(Math.min(together, row.visits), row.visits);
    if (share <= chance) return 0;
    const entropy = share * Math.log(share / chance) + (1 - share) * Math.log((1 - share) / (1 - chance));
    return Math.min(mostCompanionWeight, dependence * row.visits * entropy);
  }

  #row(kind: string, nowMs: number): KindRow {
    const row = this.#kinds.get(kind);
    if (row) {
      this.#kinds.touch(kind);
      return row;
    }
    const created = { visits: 0, sinceMs: nowMs, partners: [] };
    this.#kinds.set(kind, created);
    makeRoom(this.#kinds, maxKinds);
    return created;
  }
}

/** Forgets the eighth that came first when there are too many. */
function makeRoom(rows: Table<unknown>, most: number): void {
  if (rows.size <= most) return;
  let left = most / 8;
  for (const key of rows.keys()) {
    if (left-- <= 0) return;
    rows.delete(key);
  }
}

/** Counts a partner; when there are too many the rarest makes room. */
function addPartner({ partners }: KindRow, kind: string): void {
  let rarest = 0;
  for (let i = 0; i < partners.length; i++) {
    const partner = partners[i]!;
    if (partner.kind === kind) {
      partner.count++;
      return;
    }
    if (partner.count < partners[rarest]!.count) rarest = i;
  }
  if (partners.length < maxPartners) partners.push({ kind, count: 1 });
  else if (partners[rarest]!.count > 1) partners[rarest]!.count--;
  else partners[rarest] = { kind, count: 1 };
}

/** Lower bound of the share behind `count` of `total` (Wilson 1927). */
function lowerBound(count: number, total: number): number {
  const share = count / total;
  const square = (bound * bound) / total;
  const spread = bound * Math.sqrt((share * (1 - share)) / total + square / (4 * total));
  return (share + square / 2 - spread) / (1 + square);
}
