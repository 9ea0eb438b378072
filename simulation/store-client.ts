import {
  encode,
  TocsinError,
  type Checkpoint,
  type CheckpointDelta,
  type CheckpointStore,
  type DeliveryLog,
  type Fact,
} from '../src/engine/index.ts';
import type { Life } from './clock.ts';
import type { Network } from './network.ts';
import { storeHost, type EncodedDelta, type Lease, type SimulatedStore } from './store.ts';

export interface StoreClientOptions {
  readonly life: Life;
  readonly host: string;
  readonly network: Network;
  readonly store: SimulatedStore;
  readonly lease: Lease;
  /** Called when the store has said that the lease is another's. */
  readonly onFenced: () => void;
}

const timeoutMs = 5000;

/** The shared store as one owner uses it, under the lease that it has. */
export class StoreClient implements CheckpointStore, DeliveryLog {
  readonly #options: StoreClientOptions;
  /** Where the checkpoint stands that the next delta is taken upon. */
  #basePosition = 0;

  constructor(options: StoreClientOptions) {
    this.#options = options;
  }

  async readCheckpoint(): Promise<Checkpoint | null> {
    const checkpoint = await this.#ask('read the checkpoint', (store) => store.readCheckpoint());
    this.#basePosition = checkpoint?.position ?? 0;
    return checkpoint;
  }

  stageCheckpoint({ position, timeMs, changes }: CheckpointDelta): { commit(): Promise<void> } {
    const { lease } = this.#options;
    const delta: EncodedDelta = {
      basePosition: this.#basePosition,
      position,
      timeMs,
      changes: changes.map(({ table, key, order, value }) => ({
        name: `${table}\u0000${key}`,
        table,
        key,
        order,
        bytes: value === undefined ? null : encode(value),
      })),
    };
    this.#basePosition = position;
    return {
      commit: () => this.#ask(`checkpoint ${position}`, (store) => store.commit(lease, delta)),
    };
  }

  outcomeOf(effectId: string): Promise<Fact['outcome'] | undefined> {
    const { lease } = this.#options;
    return this.#ask(`outcome of ${effectId}?`, (store) => store.outcomeOf(lease, effectId));
  }

  record(effectId: string, outcome: Fact['outcome']): Promise<void> {
    const { lease } = this.#options;
    return this.#ask(`outcome of ${effectId}`, (store) => store.record(lease, effectId, outcome));
  }

  async #ask<T>(what: string, act: (store: SimulatedStore) => T): Promise<T> {
    const { life, host, network, store, onFenced } = this.#options;
    try {
      return await network.ask<T>({
        from: life,
        host,
        to: storeHost,
        what,
        timeoutMs,
        silence: 'TOC_STORE_UNAVAILABLE',
        serve: (answer) => {
          try {
            answer.give(act(store));
          } catch (error) {
            if (!(error instanceof TocsinError)) throw error;
            answer.refuse(error);
          }
        },
      });
    } catch (error) {
      if (error instanceof TocsinError && error.code === 'TOC_STORE_FENCED') onFenced();
      throw error;
    }
  }
}
