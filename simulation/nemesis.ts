import type { Entry } from '../src/engine/index.ts';
import type { FaultKind } from './faults.ts';
import { historyHost } from './history.ts';
import { logHost } from './log.ts';
import { receiverHost } from './receiver.ts';
import { storeHost } from './store.ts';
import type { World } from './world.ts';

const worstKinds: readonly FaultKind[] = ['partition', 'crash', 'pause'];
const kinds: readonly FaultKind[] = ['partition', 'crash', 'pause', 'slow service', 'store wiped'];
const services = [logHost, storeHost, receiverHost, historyHost];

/** Brings misfortune over machines and the links between them, again and again, until the faults end. */
export function unleash<E extends Entry, Flow>(world: World<E, Flow>): void {
  const { timeline, faults, owners } = world;
  const random = world.random.fork('nemesis');
  const paceMs = random.between(3000, 15_000);
  const strike = (): void => {
    if (!faults.isActive) return;
    const able = kinds.filter((kind) => faults.has(kind));
    if (able.length === 0) return;
    strikeWith(world, random.pick(able), random);
    timeline.after(random.between(200, 2 * paceMs), strike);
  };
  timeline.after(random.between(200, 2 * paceMs), strike);
  // The worst moment: an owner's entry is kept, and the owner has not heard of it.
  const noteKept = world.log.onKept;
  world.log.onKept = (kept) => {
    noteKept(kept);
    const host = owners.find((name) => kept.session?.startsWith(`${name}.`));
    const able = worstKinds.filter((kind) => faults.has(kind));
    if (host && able.length > 0 && random.chance(0.01)) strikeOwner(world, random.pick(able), host, random);
  };
}

function strikeOwner<E extends Entry, Flow>(
  world: World<E, Flow>,
  kind: FaultKind,
  host: string,
  random: World<E, Flow>['random'],
): void {
  if (kind === 'partition') cut(world, [[host, logHost]], random);
  else strikeMachine(world, kind, host, random);
}

function strikeWith<E extends Entry, Flow>(
  world: World<E, Flow>,
  kind: FaultKind,
  random: World<E, Flow>['random'],
): void {
  const { timeline, faults, network, trace, owners, gateways } = world;
  // Whoever owns the partition is the more rewarding target.
  const leaders = [...world.sessions.keys()];
  const host =
    leaders.length > 0 && random.chance(0.6) ? random.pick(leaders) : random.pick([...owners, ...gateways]);
  switch (kind) {
    case 'crash':
    case 'pause':
      strikeMachine(world, kind, host, random);
      return;
    case 'slow service': {
      // A receiver that is slower than its senders are patient goes on with what they have given up: nothing helps against that.
      const service = random.pick(services.filter((name) => name !== receiverHost));
      trace.add(`${service} is slow`);
      network.slowDown(service, random.between(100, 6000));
      timeline.after(random.between(500, 15_000), () => network.slowDown(service, 0));
      return;
    }
    case 'store wiped':
      // Rare, as it makes an owner begin anew.
      if (random.chance(0.5)) return;
      faults.note(kind);
      trace.add('store is wiped');
      world.store.wipe();
      return;
    case 'partition':
    default:
      cut(world, linksOf(host, random), random);
  }
}

function strikeMachine<E extends Entry, Flow>(
  world: World<E, Flow>,
  kind: FaultKind,
  host: string,
  random: World<E, Flow>['random'],
): void {
  const { timeline, faults } = world;
  if (world.lifeOf(host).isOver) return;
  faults.note(kind);
  if (kind === 'crash') {
    world.crash(host);
    timeline.after(random.between(10, 20_000), () => world.restart(host));
  } else {
    world.pause(host);
    timeline.after(random.between(50, 40_000), () => world.goOn(host));
  }
}

/** Some cuts last longer than the log remembers ids. */
function cut<E extends Entry, Flow>(
  { timeline, faults, network, trace }: World<E, Flow>,
  links: readonly (readonly [string, string])[],
  random: World<E, Flow>['random'],
): void {
  const lengthMs = random.chance(0.1) ? random.between(60_000, 80_000) : random.between(200, 25_000);
  trace.add(`cut for ${Math.round(lengthMs)} ms: ${links.map((link) => link.join(' - ')).join(', ')}`);
  for (const [a, b] of links) network.block(a, b);
  timeline.after(lengthMs, () => {
    if (faults.isActive) for (const [a, b] of links) network.unblock(a, b);
  });
}

/** One machine from one service, or from all of them. */
function linksOf(host: string, random: { chance(p: number): boolean; pick<T>(list: readonly T[]): T }) {
  const cut = random.chance(0.3) ? services : [random.pick(services)];
  return cut.map((service) => [host, service] as const);
}
