import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../simulation/random.ts';
import { leaseMs, type Member, type Role } from './scene.ts';

export type FaultKind = 'kill' | 'stop' | 'short pause' | 'long pause';

/** What was done to a process, by the machine's clock. */
export interface Fault {
  readonly kind: FaultKind;
  readonly role: Role;
  readonly target: string;
  readonly beganAtMs: number;
  /** When it ran again; infinity until then. */
  endedAtMs: number;
  /** When it did its work again. */
  readyAtMs: number;
}

export interface ChaosOptions {
  readonly random: Random;
  readonly members: readonly Member[];
  readonly stop: AbortSignal;
  readonly onFault: (fault: Fault) => void;
  /** Something could not be brought back. */
  readonly onDefect: (error: unknown) => void;
}

const kinds: readonly FaultKind[] = ['kill', 'kill', 'stop', 'short pause', 'long pause'];
const twoAtOnceRatio = 0.3;
const endPatienceMs = 60_000;

/**
 * Strikes processes until `stop` is aborted, and resolves once all of them work again. Each member has its turn before any has its second. Never
 * are two NATS servers away at once: a majority is always there or comes back.
 */
export async function wreakHavoc(options: ChaosOptions): Promise<readonly Fault[]> {
  const { random, members, stop } = options;
  const faults: Fault[] = [];
  const struck = new Map<Member, Promise<void>>();
  let deck: Member[] = [];
  const isFree = (member: Member): boolean =>
    !struck.has(member) &&
    (member.role !== 'nats' || [...struck.keys()].every(({ role }) => role !== 'nats'));
  const strike = (): void => {
    deck = deck.length > 0 ? deck : shuffled(members, random);
    const kind = random.pick(kinds);
    const lengthMs = lengthOf(kind, random);
    const member = deck.find(isFree);
    if (!member) return;
    deck.splice(deck.indexOf(member), 1);
    struck.set(
      member,
      suffer(
        member,
        kind,
        lengthMs,
        (fault) => {
          faults.push(fault);
          options.onFault(fault);
        },
        options.onDefect,
      )
        .catch(options.onDefect)
        .finally(() => struck.delete(member)),
    );
  };
  while (!stop.aborted) {
    await delay(random.between(2500, 5500), undefined, { signal: stop }).catch(() => undefined);
    if (stop.aborted) break;
    strike();
    if (random.chance(twoAtOnceRatio)) strike();
  }
  await Promise.all(struck.values());
  return faults;
}

async function suffer(
  { role, victim }: Member,
  kind: FaultKind,
  lengthMs: number,
  tell: (fault: Fault) => void,
  onDefect: (error: unknown) => void,
): Promise<void> {
  const fault: Fault = {
    kind,
    role,
    target: victim.name,
    beganAtMs: Date.now(),
    endedAtMs: Infinity,
    readyAtMs: Infinity,
  };
  tell(fault);
  if (kind === 'kill' || kind === 'stop') {
    await (kind === 'kill' ? victim.kill() : victim.end(endPatienceMs).catch(onDefect));
    await delay(lengthMs);
    victim.start();
  } else {
    victim.pause();
    await delay(lengthMs);
    victim.resume();
  }
  fault.endedAtMs = Date.now();
  await victim.ready();
  fault.readyAtMs = Date.now();
}

function lengthOf(kind: FaultKind, random: Random): number {
  if (kind === 'short pause') return random.between(0.2, 0.8) * leaseMs;
  if (kind === 'long pause') return random.between(1.5, 4) * leaseMs;
  return random.between(200, 4000);
}

function shuffled<T>(list: readonly T[], random: Random): T[] {
  return list
    .map((item) => ({ item, place: random.next() }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ item }) => item);
}
