import type { ShopService } from './shop.ts';

const things =
  'order cart payment catalog search profile invoice shipping media review ledger session quote coupon stock route'.split(
    ' ',
  );
const roles = {
  edge: ['web', 'gateway', 'mobile'],
  middle: ['api', 'worker', 'engine', 'proxy', 'batch'],
  store: ['db', 'cache', 'queue', 'index'],
} as const;

/**
 * A graph of `count` services in layers: a few at the edge, most in the middle, a quarter that keep data. Each calls one to three of those
 * below it, some of which are called by many. Deterministic in `random`.
 */
export function serviceGraph(count: number, random: () => number): ShopService[] {
  const services: ShopService[] = [];
  for (let index = 0; index < count; index++) {
    const depth = index / count;
    const role = depth < 0.25 ? 'store' : depth < 0.92 ? 'middle' : 'edge';
    const names = roles[role];
    const thing = things[Math.floor(random() * things.length)]!;
    const name = `${thing}-${names[Math.floor(random() * names.length)]!}-${index + 1}`;
    services.push({
      name,
      tier: role === 'edge' ? 1 : 1 + Math.floor(random() * 3),
      team: `team-${Math.floor(random() * Math.ceil(count / 8)) + 1}`,
      depends_on: role === 'store' ? [] : callees(services, random),
      sla: role === 'edge' ? 99.95 : 99.5,
    });
  }
  return services;
}

/** Services near below are called most: a big graph is many systems side by side, with a few that all use. */
function callees(below: readonly ShopService[], random: () => number): string[] {
  const chosen = new Set<string>();
  const wanted = 1 + Math.floor(random() * 3);
  for (let tries = 0; tries < wanted; tries++) {
    const isShared = random() < 0.05;
    const place = isShared ? random() * Math.min(3, below.length) : below.length * (1 - random() ** 1.5);
    chosen.add(below[Math.min(below.length - 1, Math.floor(place))]!.name);
  }
  return [...chosen];
}
