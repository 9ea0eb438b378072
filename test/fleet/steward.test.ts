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
  readonly steward: Steward;

  constructor(partitionCount: number, acquire?: (partition: number) => Promise<Holding | null>) {
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
      acquire: acquire ?? (async (partition) => this.#acquire(partition)),
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
      start: async () => undefined,
      ended: new Promise<TocsinError>(() => undefined),
      renew: async () => true,
      close: async () => void this.owners.delete(partition),
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

test('what is taken when it is told to stop is given back at once', async () => {
  const acquired = Promise.withResolvers<void>();
  const done: string[] = [];
  const scene = new Scene(1, async () => {
    await acquired.promise;
    return {
      start: async () => void done.push('start'),
      ended: new Promise<TocsinError>(() => undefined),
      renew: async () => true,
      close: async (end) => void done.push(end),
    };
  });
  scene.steward.start();
  await scene.turn();
  const stopped = scene.steward.stop();
  acquired.resolve();
  await stopped;
  expect(scene.steward.held).toEqual([]);
  expect(done).toEqual(['hand over']);
});
