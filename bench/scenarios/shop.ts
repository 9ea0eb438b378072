/** A service of the imagined shop, as the section `services` of the configuration takes it. */
export interface ShopService {
  readonly name: string;
  readonly tier: number;
  readonly team: string;
  readonly depends_on: readonly string[];
  readonly sla: number;
}

type Row = readonly [name: string, tier: number, team: string, dependsOn: readonly string[]];

/** What an order needs on its way. */
const core: readonly Row[] = [
  ['web-frontend', 1, 'web', ['api-gateway']],
  ['api-gateway', 1, 'platform', ['checkout-api', 'catalog-api', 'account-api', 'search-api']],
  ['checkout-api', 1, 'payments', ['payments-api', 'cart-api', 'inventory-api']],
  ['payments-api', 1, 'payments', ['payments-db', 'fraud-api']],
  ['payments-db', 1, 'database', []],
  ['cart-api', 1, 'shop', ['cart-cache']],
  ['cart-cache', 2, 'platform', []],
  ['inventory-api', 2, 'shop', ['inventory-db']],
  ['inventory-db', 2, 'database', []],
  ['catalog-api', 2, 'shop', ['catalog-db', 'search-api']],
  ['catalog-db', 2, 'database', []],
  ['search-api', 2, 'search', ['search-index']],
  ['search-index', 2, 'search', []],
  ['account-api', 2, 'accounts', ['account-db']],
  ['account-db', 2, 'database', []],
  ['fraud-api', 2, 'payments', []],
];

/** What stands around it. */
const around: readonly Row[] = [
  ['refund-worker', 3, 'payments', ['payments-api']],
  ['ledger-export', 4, 'finance', ['payments-db']],
  ['shipping-api', 2, 'logistics', ['shipping-db']],
  ['shipping-db', 2, 'database', []],
  ['label-printer', 3, 'logistics', ['shipping-api']],
  ['returns-api', 3, 'logistics', ['shipping-api']],
  ['reviews-api', 3, 'web', ['reviews-db']],
  ['reviews-db', 3, 'database', []],
  ['recommend-api', 3, 'search', ['recommend-cache', 'catalog-api']],
  ['recommend-cache', 3, 'platform', []],
  ['recommend-trainer', 4, 'search', ['catalog-db']],
  ['email-worker', 3, 'messaging', ['mail-relay']],
  ['mail-relay', 3, 'messaging', []],
  ['push-worker', 4, 'messaging', []],
  ['media-api', 3, 'media', ['media-store']],
  ['media-store', 2, 'media', []],
  ['image-resizer', 4, 'media', ['media-store']],
  ['coupons-api', 3, 'shop', ['account-db']],
  ['loyalty-api', 3, 'accounts', ['account-api']],
  ['search-indexer', 3, 'search', ['catalog-db', 'search-index']],
  ['reporting-batch', 4, 'finance', ['reporting-db']],
  ['reporting-db', 3, 'database', []],
  ['feature-flags', 2, 'platform', []],
  ['status-page', 4, 'platform', []],
];

const rows: readonly Row[] = [...core, ...around];

/** The catalog of `count` services: 40 make up the shop, further ones stand alone. Throws RangeError below 16, what an order needs. */
export function shopServices(count: number): ShopService[] {
  if (count < core.length) throw new RangeError(`a shop has at least ${core.length} services, got ${count}`);
  return Array.from({ length: count }, (_, index) => {
    const [name, tier, team, dependsOn] = rows[index] ?? [
      `edge-worker-${index - rows.length + 1}`,
      4,
      'edge',
      [],
    ];
    const known = new Set(rows.slice(0, count).map(([known]) => known));
    return {
      name,
      tier,
      team,
      depends_on: dependsOn.filter((callee) => known.has(callee)),
      sla: tier === 1 ? 99.95 : tier === 2 ? 99.5 : 99,
    };
  });
}

/** Everything that calls `name`, directly or not, with the number of calls between them. */
export function callersOf(services: readonly ShopService[], name: string): ReadonlyMap<string, number> {
  const hops = new Map<string, number>();
  let front = [name];
  for (let distance = 1; front.length > 0; distance++) {
    const next = services.filter(
      (service) => service.depends_on.some((callee) => front.includes(callee)) && !hops.has(service.name),
    );
    for (const service of next) hops.set(service.name, distance);
    front = next.map((service) => service.name);
  }
  return hops;
}
