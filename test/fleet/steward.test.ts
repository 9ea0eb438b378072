import { expect, test } from 'vitest';
import type { TocsinError } from '../../src/engine/index.ts';
import { Steward, type FleetDirectory, type Holding } from '../../src/fleet/index.ts';
import { ManualClock } from '../engine/scene.ts';

const leaseMs = 3_000;
const turnMs = leaseMs / 3;

/** A registry in memory that answers at once, with one steward who looks at it. */
class Scene {
  readonly clock = new ManualClock();
  readonly members = new Set<string>(['self']);
  readonly owners = new Map<number, string>();
  /** How often the lease of each partition was renewed. */
  readonly renewals = new Map<number, number>();
  /** Hold a start or a close up, where they are set. */
  starting: Promise<void> | null = null;
  closing: Promise<void> | null = null;
  readonly steward: Steward;

  constructor(partitionCount: number) {
    const directory: FleetDirectory = {
      announce: async () => undefined,
      withdraw: async () => undefined,
      look: async () => ({ members: [...this.members], owners: new Map(this.owners) }),
    };
    this.steward = new Steward({
      self: 'self',
      partitionCount,
      leaseMs,
      directory,
      acquire: async (partition) => this.#acquire(partition),
      clock: this.clock,
      onTaken: () => undefined,
      onGone: () => undefined,
      onTrouble: () => undefined,
    });
  }

  /** Lets a turn of the steward pass. */
  turn(): Promise<void> {
    return this.clock.goTo(this.clock.nowMs() + turnMs);
  }

  #acquire(partition: number): Holding | null {
    if (this.owners.has(partition)) return null;
    this.owners.set(partition, 'self');
    return {
      start: async () => void (await this.starting),
      ended: new Promise<TocsinError>(() => undefined),
      renew: async () => {
        this.renewals.set(partition, (this.renewals.get(partition) ?? 0) + 1);
        return true;
      },
      close: async () => {
        await this.closing;
        this.owners.delete(partition);
      },
    };
  }
}

test('a member gets its share once it has been there for two leases, and not if it comes and goes', async () => {
  const scene = new Scene(2);
  scene.steward.start();
  await scene.turn();
  expect(scene.steward.held).toEqual([0, 1]);
  for (let coming = 0; coming < 3; coming++) {
    scene.members.add('other');
    for (let turn = 0; turn < 5; turn++) await scene.turn();
    scene.members.delete('other');
    await scene.turn();
    expect(scene.steward.held).toEqual([0, 1]);
  }
  scene.members.add('other');
  for (let turn = 0; turn < 8; turn++) await scene.turn();
  expect(scene.steward.held).toHaveLength(1);
});

test('what is free is left to whoever is there, however new', async () => {
  const scene = new Scene(2);
  scene.members.add('other');
  scene.steward.start();
  await scene.turn();
  expect(scene.steward.held).toHaveLength(1);
});

test('while one partition is handed over the leases of all others go on, and its own', async () => {
  const scene = new Scene(4);
  scene.steward.start();
  await scene.turn();
  const { promise, resolve } = Promise.withResolvers<void>();
  scene.closing = promise;
  scene.members.add('other');
  for (let turn = 0; turn < 8; turn++) await scene.turn();
  expect(scene.steward.held).toHaveLength(2);
  scene.renewals.clear();
  await scene.turn();
  expect([...scene.renewals.keys()].toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3]);
  resolve();
  await scene.turn();
  expect(scene.owners.size).toBe(2);
});

test('who is stopped while it takes a partition gives that back too, and renews its leases until it has', async () => {
  const scene = new Scene(1);
  const start = Promise.withResolvers<void>();
  const close = Promise.withResolvers<void>();
  scene.starting = start.promise;
  scene.closing = close.promise;
  scene.steward.start();
  await scene.turn();
  const stopped = scene.steward.stop();
  start.resolve();
  await scene.turn();
  scene.renewals.clear();
  await scene.turn();
  expect([...scene.renewals.keys()]).toEqual([0]);
  close.resolve();
  await stopped;
  expect(scene.owners.size).toBe(0);
});
