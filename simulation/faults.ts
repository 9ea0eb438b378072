import type { Random } from './random.ts';

export const faultKinds = [
  'loss',
  'answer lost',
  'delay',
  'duplicate',
  'reorder',
  'partition',
  'crash',
  'crash while asking',
  'pause',
  'slow service',
  'append refused',
  'store wiped',
  'receiver fails',
  'receiver hangs',
  'clock skew',
] as const;

export type FaultKind = (typeof faultKinds)[number];

export type FaultCounts = Record<FaultKind, number>;

export function noFaults(): FaultCounts {
  return Object.fromEntries(faultKinds.map((kind) => [kind, 0])) as FaultCounts;
}

/**
 * Which faults a run has, how often they strike, and how often they did. A run has a random few of them ("swarm testing", Groce et al.
 * 2012): with all of them in every run one would hide what only another brings to light.
 */
export class Faults {
  readonly counts = noFaults();
  readonly #enabled: ReadonlySet<FaultKind>;
  readonly #random: Random;
  readonly #ratios: Readonly<Record<string, number>>;
  #isActive = true;

  constructor(enabled: ReadonlySet<FaultKind>, random: Random) {
    this.#enabled = enabled;
    this.#random = random;
    this.#ratios = Object.fromEntries(
      faultKinds.map((kind) => [kind, random.fork(kind).between(0.005, 0.08)]),
    );
  }

  static choose(random: Random): Set<FaultKind> {
    const share = random.between(0.15, 0.8);
    return new Set(faultKinds.filter(() => random.chance(share)));
  }

  get isActive(): boolean {
    return this.#isActive;
  }

  has(kind: FaultKind): boolean {
    return this.#isActive && this.#enabled.has(kind);
  }

  /** Whether the fault strikes this time; `weight` makes it rarer or more frequent than usual. */
  strikes(kind: FaultKind, weight = 1): boolean {
    if (!this.has(kind) || !this.#random.chance(weight * this.#ratios[kind]!)) return false;
    this.counts[kind]++;
    return true;
  }

  note(kind: FaultKind): void {
    this.counts[kind]++;
  }

  /** From now on everything works. */
  end(): void {
    this.#isActive = false;
  }
}
