import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../simulation/random.ts';
import type { Victim, VictimKind } from './victim.ts';

export type FaultKind = 'kill' | 'pause' | 'terminate';

export interface Fault {
  readonly kind: FaultKind;
  readonly victim: string;
  /** By `performance.now()`. */
  readonly beganMs: number;
  readonly lengthMs: number;
}

export interface FaultOptions {
  readonly victims: readonly Victim[];
  readonly leaseMs: number;
  /** Whether processes of a kind may be made to stand still. */
  readonly mayPause: (kind: VictimKind) => boolean;
  readonly random: Random;
  readonly onFault: (fault: Fault) => void;
}

/**
 * Brings misfortune over processes, one at a time and sometimes two, until `signal` is aborted; then everything runs again. Each has its turn
 * before any has another: so a minute brings something of everything.
 */
export async function unleash(
  { victims, leaseMs, mayPause, random, onFault }: FaultOptions,
  signal: AbortSignal,
): Promise<void> {
  const struck = new Set<Victim>();
  const under: Promise<void>[] = [];
  let deck: Victim[] = [];
  const strike = async (): Promise<void> => {
    if (deck.length === 0) deck = [...victims];
    const free = deck.filter((victim) => !struck.has(victim) && mayFall(victim, struck, random));
    if (free.length === 0) return;
    const victim = random.pick(free);
    deck.splice(deck.indexOf(victim), 1);
    const picked = pickKind(victim, random);
    const kind = picked === 'pause' && !mayPause(victim.kind) ? 'kill' : picked;
    const lengthMs = Math.round(
      kind === 'pause' && random.chance(0.5)
        ? random.between(1.2, 3) * leaseMs
        : random.between(100, 1.5 * leaseMs),
    );
    onFault({ kind, victim: victim.name, beganMs: performance.now(), lengthMs });
    struck.add(victim);
    await inflict(victim, kind, lengthMs);
    struck.delete(victim);
  };
  while (!signal.aborted) {
    await sleep(random.between(1_000, 5_000), undefined, { signal }).catch(() => undefined);
    if (signal.aborted) break;
    const count = random.chance(0.25) ? 2 : 1;
    for (let index = 0; index < count; index++) under.push(strike());
    if (!random.chance(0.3)) await Promise.all(under.splice(0));
  }
  await Promise.all(under);
}

async function inflict(victim: Victim, kind: FaultKind, lengthMs: number): Promise<void> {
  if (kind === 'pause') victim.pause();
  else if (kind === 'kill') await victim.kill();
  else await victim.terminate?.();
  await sleep(lengthMs);
  if (kind === 'pause') victim.resume();
  else await victim.start();
}

function pickKind({ terminate }: Victim, random: Random): FaultKind {
  const draw = random.next();
  if (draw < 0.45) return 'kill';
  return draw < 0.85 || terminate === null ? 'pause' : 'terminate';
}

/** Two servers of three are a majority: without it nothing is taken, which is seldom of interest. */
function mayFall({ kind }: Victim, struck: ReadonlySet<Victim>, random: Random): boolean {
  if (kind !== 'nats' || ![...struck].some((other) => other.kind === 'nats')) return true;
  return random.chance(0.15);
}
