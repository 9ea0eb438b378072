/** A service of the imagined shop. */
export interface ShopService {
  readonly name: string;
  readonly tier: number;
  readonly team: string;
  readonly depends_on: readonly string[];
  readonly sla: number;
}

/** Services by tier, with what each calls. The first 16 are what a shop needs; the rest stand around it. */
const core: readonly (readonly [name: string, tier: number, team: string, dependsOn: readonly string[]])[] = [
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

const around = [
  'billing',
  'shipping',
  'returns',
  'reviews',
  'recommend',
  'email',
  'push',
  'reports',
  'export',
  'media',
  'coupons',
  'loyalty',
];

/** The catalog of `count` services (16 at least). */
export function shopServices(count: number): ShopService[] {
  const services = core.map(([name, tier, team, depends_on]) => ({
    name,
    tier,
    team,
    depends_on,
    sla: tier === 1 ? 99.95 : 99.5,
  }));
  for (let i = services.length; i < count; i++) {
    const base = around[i % around.length]!;
    const round = Math.floor((i - core.length) / around.length);
    const name = round === 0 ? `${base}-worker` : `${base}-worker-${round + 1}`;
    services.push({ name, tier: 3 + (i % 2), team: base, depends_on: [], sla: 99 });
  }
  return services;
}
