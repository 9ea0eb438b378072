import {
  EffectRunner,
  Fold,
  PartitionOwner,
  TocsinError,
  type Appended,
  type Carrier,
  type Checkpoint,
  type CheckpointDelta,
  type Clock,
  type Entry,
  type Fact,
  type HistoryRow,
  type LogSlice,
  type OwnerOptions,
} from '../../src/engine/index.ts';
import { sumOf } from '../support/checkpoint.ts';
import { createToyFlow, toyStages, type ToyEntry, type ToyFlow } from '../support/toy-stages.ts';

/** Time that stands still until the test moves it. */
export class ManualClock implements Clock {
  #nowMs = 1000;
  #timers = new Set<{ readonly dueMs: number; readonly fire: () => void }>();

  nowMs(): number {
    return this.#nowMs;
  }

  setTimer(dueMs: number, fire: () => void): { cancel(): void } {
    const timer = { dueMs, fire };
    this.#timers.add(timer);
    return { cancel: () => this.#timers.delete(timer) };
  }

  /** Goes on to `timeMs`, firing what falls due on the way, and lets everything that follows from it happen. */
  async goTo(timeMs: number): Promise<void> {
    await settled();
    for (;;) {
      const [next] = [...this.#timers]
        .filter(({ dueMs }) => dueMs <= timeMs)
        .toSorted((a, b) => a.dueMs - b.dueMs);
      if (!next) break;
      this.#timers.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      next.fire();
      await settled();
    }
    this.#nowMs = timeMs;
  }
}

/** Lets everything happen that needs no time. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** A log in memory that outlives its owners. */
export class MemoryLog<E extends Entry> {
  readonly entries: E[] = [];
  readonly #listeners = new Set<(slice: LogSlice<E>) => void>();
  /** While set, appends are refused. */
  isFull = false;
  reads = 0;
  firstPosition = 1;

  get lastPosition(): number {
    return this.entries.length;
  }

  get lastTimeMs(): number {
    return this.entries.at(-1)?.timeMs ?? -Infinity;
  }

  async append(entry: E): Promise<Appended<E>> {
    await Promise.resolve();
    if (this.isFull) throw new TocsinError('TOC_LOG_UNAVAILABLE', 'no room');
    this.entries.push(entry);
    const position = this.entries.length;
    for (const listener of this.#listeners) listener({ firstPosition: position, entries: [entry] });
    return { position, entry };
  }

  async read(fromPosition: number, maxCount: number): Promise<LogSlice<E>> {
    this.reads++;
    return {
      firstPosition: fromPosition,
      entries: this.entries.slice(fromPosition - 1, fromPosition - 1 + maxCount),
    };
  }

  subscribe(listener: (slice: LogSlice<E>) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** Checkpoints and outcomes in memory; fails while it is told to. */
export class MemoryStore {
  readonly deltas: CheckpointDelta[] = [];
  readonly outcomes = new Map<string, Fact['outcome']>();
  isAway = false;

  async readCheckpoint(): Promise<Checkpoint | null> {
    return this.deltas.length === 0 ? null : structuredClone(sumOf(this.deltas));
  }

  stageCheckpoint(delta: CheckpointDelta): { commit(): Promise<void> } {
    const copy = structuredClone(delta);
    return {
      commit: async () => {
        this.#assertThere();
        this.deltas.push(copy);
      },
    };
  }

  async outcomeOf(effectId: string): Promise<Fact['outcome'] | undefined> {
    this.#assertThere();
    return this.outcomes.get(effectId);
  }

  async record(effectId: string, outcome: Fact['outcome']): Promise<void> {
    this.#assertThere();
    this.outcomes.set(effectId, outcome);
  }

  #assertThere(): void {
    if (this.isAway) throw new TocsinError('TOC_STORE_UNAVAILABLE', 'away');
  }
}

/** A history that is durable when the test says so. */
export class MemorySink {
  readonly rows: HistoryRow[] = [];
  isDown = false;
  #waiters: (() => void)[] = [];

  write(rows: readonly HistoryRow[]): void {
    this.rows.push(...rows);
  }

  flushed(): Promise<void> {
    if (!this.isDown) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  comeUp(): void {
    this.isDown = false;
    for (const resolve of this.#waiters.splice(0)) resolve();
  }
}

export type ToyOwner = PartitionOwner<ToyEntry, ToyFlow>;

/** What outlives a process, and the processes that come and go. */
export class Scene {
  readonly log = new MemoryLog<ToyEntry>();
  readonly store = new MemoryStore();
  readonly sink = new MemorySink();
  readonly clock = new ManualClock();
  readonly carried: string[] = [];
  readonly failures: TocsinError[] = [];
  readonly checkpointErrors: unknown[] = [];
  readonly checkpoints: number[] = [];
  carry: Carrier = async ({ id }) => void this.carried.push(id);

  /** A new process on what is there. */
  open(overrides: Partial<OwnerOptions<ToyEntry, ToyFlow>> = {}): {
    owner: ToyOwner;
    fold: Fold<ToyEntry, ToyFlow>;
  } {
    const fold = new Fold<ToyEntry, ToyFlow>({ stages: toyStages, createFlow: createToyFlow });
    const runner = new EffectRunner({
      carriers: { alarm: (effect, stop, outdated) => this.carry(effect, stop, outdated) },
      laneOf: ({ kind }) => kind,
      deliveries: this.store,
      repeatableKinds: new Set(),
      appendClaim: async (claim) => {
        await this.log.append({ kind: 'claim', timeMs: this.clock.nowMs(), payload: claim });
      },
      appendFact: async (fact) => {
        await this.log.append({ kind: 'fact', timeMs: this.clock.nowMs(), payload: fact as never });
      },
      clock: this.clock,
      retryMs: 1,
      stopGraceMs: 50,
    });
    const owner: ToyOwner = new PartitionOwner<ToyEntry, ToyFlow>({
      fold,
      log: this.log,
      store: this.store,
      runner,
      sink: this.sink,
      clock: this.clock,
      createTick: (timeMs) => ({ kind: 'tick', timeMs, payload: null }),
      createResume: (timeMs, atMs) => ({ kind: 'resume', timeMs, payload: { atMs } }),
      checkpointIntervalMs: 1_000_000,
      onFailure: (error) => this.failures.push(error),
      onCheckpoint: (position) => this.checkpoints.push(position),
      onCheckpointError: (error) => this.checkpointErrors.push(error),
      ...overrides,
    });
    return { owner, fold };
  }

  async report(...values: number[]): Promise<number> {
    const timeMs = this.clock.nowMs();
    const { position } = await this.log.append({ kind: 'alerts', timeMs, payload: values });
    return position;
  }
}
